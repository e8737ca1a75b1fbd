"""What the NSEC and NSEC3 records of a reply prove, and whether its signatures hold: RFC 4035 §5.4, RFC 5155 §8."""

import dns.dnssec
import dns.name
import dns.rdatatype

from harness import CheckFailed, expect, name

NSEC, NSEC3, RRSIG = dns.rdatatype.NSEC, dns.rdatatype.NSEC3, dns.rdatatype.RRSIG
OPT_OUT = 1


def expect_signed(reply, zone, apex, unsigned=()):
    """Every RRset in answer and authority is followed by a signature that holds, except NS of a cut and `unsigned`
    owners."""
    keys = {name(apex): zone.get_rdataset(apex, "DNSKEY")}
    rrsigs = {}
    for section in (reply.answer, reply.authority):
        rrsigs.update({(rrset.name, rrset.covers): rrset for rrset in section if rrset.rdtype == RRSIG})
    for rrset in [*reply.answer, *reply.authority]:
        at_cut = rrset.rdtype == dns.rdatatype.NS and rrset.name != name(apex)
        if rrset.rdtype == RRSIG or at_cut or (rrset.name, rrset.rdtype) in unsigned:
            continue
        what = f"{rrset.name} {dns.rdatatype.to_text(rrset.rdtype)}"
        rrsig = rrsigs.get((rrset.name, rrset.rdtype))
        expect(rrsig is not None, f"no RRSIG of {what}")
        try:
            dns.dnssec.validate(rrset, rrsig, keys)
        except dns.dnssec.ValidationFailure as failure:
            raise CheckFailed(f"RRSIG of {what}: {failure}") from failure


def types_of(bitmap):
    """The type mnemonics of an NSEC or NSEC3 bit map."""
    return {dns.rdatatype.to_text(window * 256 + octet * 8 + bit)
            for window, octets in bitmap for octet, value in enumerate(octets) for bit in range(8)
            if value & 0x80 >> bit}


class NsecProof:
    """RFC 4035 §5.4."""

    def __init__(self, reply, apex):
        self.apex = name(apex)
        self.rows = [(rrset.name, rrset[0]) for rrset in reply.authority if rrset.rdtype == NSEC]

    def matched(self, owner):
        """The types at a name whose NSEC is there, or None."""
        return next((types_of(row.windows) for own, row in self.rows if own == owner), None)

    def covered(self, owner):
        return any(own < owner < row.next or (row.next == self.apex and own < owner) for own, row in self.rows)

    def nodata(self, owner, rdtype):
        types = self.matched(owner)
        if types is not None:
            return rdtype not in types and "CNAME" not in types
        return any(own < owner and row.next.is_subdomain(owner) for own, row in self.rows)  # empty non-terminal

    def no_closer(self, owner, _encloser):
        return self.covered(owner)

    def insecure(self, owner, _encloser):
        types = self.matched(owner)
        return types is not None and "NS" in types and not types & {"DS", "SOA"}


class Nsec3Proof:
    """RFC 5155 §8."""

    def __init__(self, reply, apex):
        self.apex = name(apex)
        self.rows = [(rrset.name.labels[0].decode().upper(), rrset[0]) for rrset in reply.authority
                     if rrset.rdtype == NSEC3]

    def _hash(self, owner):
        _, row = self.rows[0]
        return dns.dnssec.nsec3_hash(owner, row.salt, row.iterations, row.algorithm)

    def matched(self, owner):
        return next((types_of(row.windows) for own, row in self.rows if own == self._hash(owner)), None)

    def covering(self, owner):
        hashed = self._hash(owner)
        for own, row in self.rows:
            following = row.to_text().split()[4].upper()
            if own < hashed < following or (following <= own and (hashed > own or hashed < following)):
                return row
        return None

    def covered(self, owner):
        return self.covering(owner) is not None

    def nodata(self, owner, rdtype):
        types = self.matched(owner)
        return types is not None and rdtype not in types and "CNAME" not in types

    def no_closer(self, owner, encloser):
        """§8.3: the closest encloser is there, the next closer name is not. A wildcard answer needs the latter only
        (§8.8)."""
        return self.covered(next_closer(owner, encloser))

    def insecure(self, owner, encloser):
        types = self.matched(owner)
        if types is not None:
            return "NS" in types and not types & {"DS", "SOA"}
        row = self.covering(next_closer(owner, encloser))  # §8.9: opt-out
        return row is not None and bool(row.flags & OPT_OUT) and self.matched(encloser) is not None


def next_closer(owner, encloser):
    """RFC 5155 §1.3: one label longer than the closest encloser."""
    return dns.name.Name(owner.labels[-len(encloser.labels) - 1:])


def proof_of(reply, denial, apex):
    """The proof in a reply; fails when it has no record of the kind."""
    proof = (NsecProof if denial == "nsec" else Nsec3Proof)(reply, apex)
    expect(proof.rows, f"no {'NSEC' if denial == 'nsec' else 'NSEC3'} in the authority section")
    return proof
