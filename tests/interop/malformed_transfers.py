"""Transfers that no secondary may take, each as the messages of a primary (fake_primary.py), and good ones beside them."""

import os
import struct
import time

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rdtypes.ANY.TSIG
import dns.rrset
import dns.tsig

from fake_primary import Cut

KEY = dns.tsig.Key("fake.", "ZmFrZS1mYWtlLWZha2UtZmFrZS1mYWtlLWZha2UtZmFrZQ==", dns.tsig.HMAC_SHA256)
WRONG_KEY = dns.tsig.Key("fake.", "d3Jvbmctd3Jvbmctd3Jvbmctd3Jvbmctd3Jvbmctd3Jvbmc=", dns.tsig.HMAC_SHA256)


def rrset(owner, rdtype, text, ttl=300):
    return dns.rrset.from_text(owner, ttl, "IN", rdtype, text)


def generic(owner, rdtype, octets, rdclass="IN"):
    """A record with these octets, whether or not they are RDATA of its type."""
    name = dns.name.from_text(owner).to_wire()
    return name + struct.pack("!HHIH", dns.rdatatype.from_text(rdtype), dns.rdataclass.from_text(rdclass), 300, len(octets)) + octets


def plain(query, *answers):
    """One message; an answer is an rrset, or a record's octets."""
    reply = dns.message.make_response(query)
    reply.flags |= dns.flags.AA
    reply.tsig = None
    wire = reply.to_wire()
    count, octets = 0, b""
    for answer in answers:
        if isinstance(answer, bytes):
            count, octets = count + 1, octets + answer
        else:
            for rdata in answer:
                one = dns.rrset.from_rdata(answer.name, answer.ttl, rdata)
                count, octets = count + 1, octets + generic(one.name.to_text(), dns.rdatatype.to_text(rdata.rdtype), rdata.to_wire())
    ends = len(dns.name.from_text(query.question[0].name.to_text()).to_wire()) + 16
    return wire[:6] + struct.pack("!H", count) + bytes(4) + wire[12:ends] + octets


class Signed:
    """Messages of one signed answer (RFC 8945 §5.3.1)."""

    def __init__(self, query):
        self.query = query
        self.context = None

    def message(self, *answers, key=KEY, sign=True):
        wire = plain(self.query, *answers)
        if not sign:
            if self.context:
                self.context.update(wire)
            return wire
        template = dns.rdtypes.ANY.TSIG.TSIG(dns.rdataclass.ANY, dns.rdatatype.TSIG, key.algorithm, int(time.time()), 300, b"",
                                             self.query.id, 0, b"")
        rdata, self.context = dns.tsig.sign(wire, key, template, int(time.time()), self.query.mac, self.context, True)
        data = rdata.to_wire()
        record = key.name.to_wire() + struct.pack("!HHIH", 250, 255, 0, len(data)) + data
        return wire[:10] + struct.pack("!H", 1) + wire[12:] + record


def content(zone, serial):
    return [rrset(zone, "NS", f"ns1.{zone}"), rrset(f"ns1.{zone}", "A", "127.0.0.1"), rrset(f"v{serial}.{zone}", "TXT", f'"{serial}"')]


def good(query, zone, soa):
    """A whole zone, whatever is asked; signed where the query is."""
    answers = [soa(zone), *content(zone, soa(zone)[0].serial), soa(zone)]
    yield Signed(query).message(*answers) if query.had_tsig else plain(query, *answers)


def difference(query, zone, soa, removed, added, old=1, new=2):
    return plain(query, soa(zone, new), soa(zone, old), *removed, soa(zone, new), *added, soa(zone, new))


def whole(query, zone, soa, *more):
    return [plain(query, soa(zone), *content(zone, 2), *more, soa(zone))]


def soa_of_size(zone, size):
    names = dns.name.from_text(zone).to_wire() * 2
    return generic(zone, "SOA", names + struct.pack("!5I", 2, 2, 1, 604800, 60) + bytes(size))


def record_too_large(query, zone, soa):
    yield plain(query, soa(zone), *content(zone, 2))
    for part in range(12):
        yield plain(query, *(rrset(f"big.{zone}", "TXT", f'"{part} {number} {"x" * 240}"') for number in range(30)))
    yield plain(query, soa(zone))


def endless(query, zone, soa):
    yield plain(query, soa(zone, 2))
    for number in range(20000):
        old, new = (1, 2) if number % 2 == 0 else (2, 1)
        yield plain(query, soa(zone, old), rrset(f"x{old}.{zone}", "TXT", '"x"'), soa(zone, new), rrset(f"x{new}.{zone}", "TXT", '"x"'))


def name_of_256(zone):
    labels = b"".join(bytes([63]) + b"x" * 63 for _ in range(4))
    return labels + dns.name.from_text(zone).to_wire() + struct.pack("!HHIH", 16, 1, 300, 2) + b"\1x"


def signed_wrongly(query, zone, soa):
    signed = Signed(query)
    yield signed.message(soa(zone), *content(zone, 2))
    yield signed.message(rrset(f"x.{zone}", "TXT", '"x"'), key=WRONG_KEY)
    yield signed.message(soa(zone))


def unsigned_at_the_end(query, zone, soa):
    signed = Signed(query)
    yield signed.message(soa(zone), *content(zone, 2))
    yield signed.message(soa(zone), sign=False)


def never_signed(query, zone, soa):
    yield plain(query, soa(zone), *content(zone, 2), soa(zone))


def key_removed(query, zone, soa):
    signed = Signed(query)
    yield signed.message(soa(zone), *content(zone, 2))
    reply = dns.message.make_response(query)
    reply.tsig = None
    reply.set_rcode(dns.rcode.NOTAUTH)
    yield reply.to_wire()


def altered(query, zone, soa):
    wire = bytearray(Signed(query).message(soa(zone), *content(zone, 2), soa(zone)))
    wire[wire.index(b"\x7f\0\0\1") + 3] = 2
    yield bytes(wire)


def cut(messages):
    yield from messages
    raise Cut


def other_id(query, zone, soa):
    yield plain(query, soa(zone), *content(zone, 2))
    wire = bytearray(plain(query, soa(zone)))
    wire[1] ^= 1
    yield bytes(wire)


def with_rcode(query, rcode):
    reply = dns.message.make_response(query)
    reply.set_rcode(rcode)
    return reply.to_wire()


# Zone (without .test) -> (what it is, transfer(query, zone, soa), words of our log); all are for the query of serial 2.
MALFORMED = {
    "soa-large": ("an SOA with octets behind its last field", lambda q, z, s: [plain(q, soa_of_size(z, 300), *content(z, 2), soa_of_size(z, 300))], ""),
    "soa-short": ("an SOA without its last field", lambda q, z, s: [plain(q, generic(z, "SOA", b"\0\0" + bytes(16)))], ""),
    "soa-inside": ("another SOA inside an AXFR", lambda q, z, s: whole(q, z, s, s(z, 9), rrset(f"x.{z}", "TXT", '"x"')), "SOA"),
    "soa-below": ("an SOA below the apex", lambda q, z, s: whole(q, z, s, s(f"x.{z}", 2)), "SOA"),
    "soa-not-first": ("an AXFR that does not begin with the SOA", lambda q, z, s: [plain(q, *content(z, 2), s(z))], "SOA"),
    "soa-foreign": ("the SOA of another zone", lambda q, z, s: [plain(q, s("other.test.", 2), s("other.test.", 2))], ""),
    "out-of-zone": ("a record out of the zone", lambda q, z, s: whole(q, z, s, rrset("www.other.example.", "A", "192.0.2.66")), "zone"),
    "above-zone": ("a record of the parent", lambda q, z, s: whole(q, z, s, rrset("test.", "NS", "ns.test.")), "zone"),
    "not-in": ("a record of class CH", lambda q, z, s: whole(q, z, s, generic(f"x.{z}", "TXT", b"\1x", "CH")), "class"),
    "record-large": ("an RRset that no message carries", record_too_large, ""),
    "rdata-short": ("an A record of three octets", lambda q, z, s: whole(q, z, s, generic(f"x.{z}", "A", b"\1\2\3")), ""),
    "rdata-past-end": ("RDATA past the end", lambda q, z, s: [plain(q, s(z), generic(f"x.{z}", "A", b"\1\2\3\4"))[:-2]], ""),
    "name-256": ("a name of more than 255 octets", lambda q, z, s: whole(q, z, s, name_of_256(z)), ""),
    "pointer-loop": ("a compression pointer to itself", lambda q, z, s: [plain(q, s(z), b"\xc0\xff" + bytes(10))], ""),
    "meta-type": ("an OPT record in the answer", lambda q, z, s: whole(q, z, s, generic(f"x.{z}", "OPT", b"")), ""),
    "garbage": ("octets at random", lambda q, z, s: [os.urandom(400)], ""),
    "tiny": ("a message of one octet", lambda q, z, s: [b"\0"], ""),
    "empty": ("no answer at all", lambda q, z, s: [plain(q)], ""),
    "refused-inside": ("SERVFAIL in the second message", lambda q, z, s: [plain(q, s(z), *content(z, 2)), with_rcode(q, 2)], "SERVFAIL"),
    "other-id": ("another ID in the second message", other_id, "ID"),
    "cut-message": ("a message shorter than it says", lambda q, z, s: cut([(plain(q, s(z), *content(z, 2)), 3000)]), ""),
    "cut-stream": ("a stream that ends before the last SOA", lambda q, z, s: cut([plain(q, s(z), *content(z, 2))]), ""),
    "cut-ixfr": ("an IXFR that ends within a difference", lambda q, z, s: cut([plain(q, s(z, 2), s(z, 1), s(z, 2))]), ""),
    "endless": ("an IXFR to and fro without end", endless, ""),
    "tsig-wrong": ("a wrong TSIG in the second message", signed_wrongly, "TSIG"),
    "tsig-last": ("no TSIG in the last message", unsigned_at_the_end, "TSIG"),
    "tsig-never": ("no TSIG at all", never_signed, "TSIG"),
    "tsig-gone": ("NOTAUTH without TSIG in the middle, as by a key that was removed", key_removed, "NOTAUTH"),
    "tsig-altered": ("an address altered under TSIG", altered, "TSIG"),
}

# IXFRs that do not fit, and that an AXFR makes good.
UNFIT = {
    "ixfr-absent": ("removes what is not there", lambda q, z, s: [difference(q, z, s, [rrset(f"no.{z}", "TXT", '"x"')], [])]),
    "ixfr-other": ("begins at another serial", lambda q, z, s: [difference(q, z, s, [], [], old=7)]),
    "ixfr-servfail": ("is answered SERVFAIL", lambda q, z, s: [with_rcode(q, 2)]),
    "ixfr-notimp": ("is answered NOTIMP", lambda q, z, s: [with_rcode(q, 4)]),
    "ixfr-formerr": ("is answered FORMERR", lambda q, z, s: [with_rcode(q, 1)]),
}
