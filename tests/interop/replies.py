"""A reply as what it says: rcode, flags, and sections as sets of records. What the differential run compares."""

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rdtypes.ANY.RP
import dns.rdtypes.nsbase
from dataclasses import dataclass, field, replace

RRSIG = "RRSIG"
PROOFS = {"NSEC", "NSEC3"}


class _OneName(dns.rdtypes.nsbase.NSBase):
    """MB, MG and MR: one name, which may be compressed (RFC 1035 §3.3), and dnspython has no class for it."""


class _TwoNames(dns.rdtypes.ANY.RP.RP):
    """MINFO: two names."""


for _type in ("MB", "MG", "MR"):
    dns.rdata._rdata_classes[(dns.rdataclass.IN, dns.rdatatype.from_text(_type))] = _OneName
dns.rdata._rdata_classes[(dns.rdataclass.IN, dns.rdatatype.from_text("MINFO"))] = _TwoNames


@dataclass(frozen=True)
class Record:
    owner: str       # in lower case
    rdtype: str
    ttl: int
    rdata: bytes     # canonical
    covers: str = ""  # of an RRSIG


@dataclass(frozen=True)
class Reply:
    rcode: str
    flags: frozenset
    edns: tuple       # (version, DO), or () without
    answer: frozenset
    authority: frozenset
    additional: frozenset
    octets: int = field(compare=False, default=0)

    @property
    def truncated(self):
        return "TC" in self.flags

    @property
    def is_referral(self):
        return "AA" not in self.flags and any(record.rdtype == "NS" for record in self.authority)

    def without(self, section, wanted):
        """This reply without the records of a section that `wanted` refuses."""
        return replace(self, **{section: frozenset(filter(wanted, getattr(self, section)))})


def _records(section):
    result = []
    for rrset in section:
        rdtype = dns.rdatatype.to_text(rrset.rdtype)
        covers = dns.rdatatype.to_text(rrset.covers) if rdtype == RRSIG else ""
        owner = rrset.name.canonicalize().to_text()
        result += [Record(owner, rdtype, rrset.ttl, rdata.to_digestable(), covers) for rdata in rrset]
    return frozenset(result)


def parse_reply(wire):
    """A Reply, or None where there was none. Raises ValueError for octets that are no message."""
    if wire is None:
        return None
    try:
        message = dns.message.from_wire(wire)
    except dns.message.Truncated as cut:
        message = cut.message()
    except dns.exception.DNSException as error:
        raise ValueError(f"not a message: {error!r}: {wire.hex()}") from error
    flags = frozenset(dns.flags.to_text(message.flags).split()) - {"QR"}
    edns = (message.edns, bool(message.ednsflags & dns.flags.DO)) if message.edns >= 0 else ()
    return Reply(dns.rcode.to_text(message.rcode()), flags, edns, _records(message.answer), _records(message.authority),
                 _records(message.additional), len(wire))


def differences(one, other):
    """What differs, as lines of text."""
    if one is None or other is None:
        return [] if one is other else ["only one of them replied"]
    lines = [f"{part}: {show(getattr(one, part))} and {show(getattr(other, part))}"
             for part in ("rcode", "flags", "edns")
             if getattr(one, part) != getattr(other, part)]
    for section in ("answer", "authority", "additional"):
        for sign, rest in (("-", getattr(one, section) - getattr(other, section)),
                           ("+", getattr(other, section) - getattr(one, section))):
            lines += sorted(f"{section} {sign} {r.owner} {r.ttl} {r.rdtype} {r.covers} {r.rdata.hex()[:60]}"
                            for r in rest)
    return lines


def show(value):
    return " ".join(sorted(value)) or "none" if isinstance(value, frozenset) else str(value)
