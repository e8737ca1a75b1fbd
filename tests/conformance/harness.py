"""What a check is made of: registration, questions over the wire, and comparisons of parsed sections.

A check is a function named like a sentence, decorated with the RFC and section that it holds the server to:

    @check("RFC 1034 §4.3.2 step 3a")
    def a_cname_is_followed_within_the_zone(c): ...

`c` is a Client. A failed expectation raises CheckFailed; Skip says why a check cannot be made here.
"""

import contextlib
import socket
import struct
import time
from dataclasses import dataclass

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset

TIMEOUT = 3.0
ANSWER, AUTHORITY, ADDITIONAL = 1, 2, 3


class CheckFailed(Exception):
    """The server did not do what the RFC says; the message has what was expected and what came."""


class Skip(Exception):
    """The check does not apply to this server or this machine."""


@dataclass(frozen=True)
class Check:
    name: str
    rfc: str
    run: object


CHECKS = []


def check(rfc):
    """Registers a check of an RFC and section."""

    def register(function):
        CHECKS.append(Check(function.__name__, rfc, function))
        return function

    return register


def expect(condition, text):
    if not condition:
        raise CheckFailed(text)


def expect_equal(what, got, wanted):
    if got != wanted:
        raise CheckFailed(f"{what}: expected {wanted}, got {got}")


def name(text):
    return dns.name.from_text(text)


def records(section, rdtype=None):
    """A section as a set of (owner in lower case, type, canonical RDATA), of one type if given; OPT never counts."""
    wanted = None if rdtype is None else dns.rdatatype.from_text(rdtype)
    return {(rrset.name.canonicalize().to_text(), dns.rdatatype.to_text(rrset.rdtype), rdata.to_digestable())
            for rrset in section if wanted is None or rrset.rdtype == wanted for rdata in rrset}


def owners(section, rdtype):
    """The owners, in lower case, of the section's RRsets of a type."""
    wanted = dns.rdatatype.from_text(rdtype)
    return {rrset.name.canonicalize().to_text() for rrset in section if rrset.rdtype == wanted}


def find(section, owner, rdtype):
    """One RRset of a section, or None."""
    for rrset in section:
        if rrset.name == name(owner) and rrset.rdtype == dns.rdatatype.from_text(rdtype):
            return rrset
    return None


def zone_lines(text):
    """Records written as `owner TYPE rdata` lines, as records() gives them."""
    result = set()
    for line in filter(None, map(str.strip, text.splitlines())):
        owner, rdtype, rdata = line.split(None, 2)
        rrset = dns.rrset.from_text(name(owner), 0, "IN", rdtype, rdata)
        result |= records([rrset])
    return result


def expect_section(reply, section, text):
    """The section holds exactly these records, in any order."""
    names = {ANSWER: "answer", AUTHORITY: "authority", ADDITIONAL: "additional"}
    wanted, got = zone_lines(text), records(reply.sections[section])
    if got != wanted:
        raise CheckFailed(f"{names[section]}: missing {sorted(wanted - got)}, not wanted {sorted(got - wanted)}")


def expect_rcode(reply, rcode):
    expect_equal("rcode", dns.rcode.to_text(reply.rcode()), rcode)


def expect_flag(reply, flag, is_set=True):
    expect_equal(f"flag {flag}", bool(reply.flags & dns.flags.from_text(flag)), is_set)


def expect_owners(reply, rdtype, wanted):
    """The additional section has addresses of these owners, and perhaps others, as of the zone's name servers."""
    expect(wanted <= owners(reply.additional, rdtype),
           f"additional {rdtype}: of {wanted} only {owners(reply.additional, rdtype)}")


def expect_soa_authority(reply, apex):
    """A negative answer: the SOA alone stands for the zone (RFC 2308 §2), its TTL at most MINIMUM (§3)."""
    soa = find(reply.authority, apex, "SOA")
    expect(soa is not None, f"no SOA of {apex} in the authority section")
    expect(soa.ttl <= soa[0].minimum, f"SOA TTL {soa.ttl} above MINIMUM {soa[0].minimum}")


def expect_answer(reply, text, rcode="NOERROR"):
    """An authoritative answer with exactly these records."""
    expect_rcode(reply, rcode)
    expect_flag(reply, "AA")
    expect_section(reply, ANSWER, text)


def expect_nodata(reply, apex):
    expect_answer(reply, "")
    expect_soa_authority(reply, apex)


def expect_nxdomain(reply, apex):
    expect_answer(reply, "", "NXDOMAIN")
    expect_soa_authority(reply, apex)


class Stream:
    """A TCP connection that speaks DNS (RFC 1035 §4.2.2)."""

    def __init__(self, address, port):
        self.socket = socket.create_connection((address, port), TIMEOUT)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, *messages):
        self.socket.sendall(b"".join(struct.pack("!H", len(wire)) + wire for wire in messages))

    def send_octets(self, octets):
        self.socket.sendall(octets)

    def receive(self, timeout=TIMEOUT):
        """One message's octets, or None when the server closed."""
        self.socket.settimeout(timeout)
        header = self._exactly(2)
        return None if header is None else self._exactly(struct.unpack("!H", header)[0])

    def _exactly(self, size):
        data = b""
        while len(data) < size:
            try:
                part = self.socket.recv(size - len(data))
            except ConnectionResetError:
                return None
            if not part:
                return None
            data += part
        return data

    def close(self):
        self.socket.close()


class Client:
    """Asks the server under test. `address` and `port` are where it listens."""

    def __init__(self, kind, address, port, signed, wildcard=None, ipv6=True):
        self.kind = kind
        self.address = address
        self.port = port
        self.signed = signed      # {"nsec" | "nsec3" | "opt-out": (apex, dnspython zone of the signed file)}
        self.wildcard = wildcard  # a Client of the same kind bound to 0.0.0.0, or None
        self.ipv6 = ipv6
        self.changing = None       # a Client of a server of this kind, of the zone that is transferred and changed
        self.changing_zone = None  # that zone, as its file says

    def query(self, qname, qtype, **options):
        """A query message; RD clear, EDNS only where asked for: `edns=0`, `payload`, `do`, `options`."""
        options.setdefault("use_edns", options.pop("edns", 0 if {"do", "payload", "options"} & options.keys()
                                                   else False))
        options["want_dnssec"] = options.pop("do", False)
        payload = options.pop("payload", None)
        if payload is not None:
            options["payload"] = payload
        message = dns.message.make_query(name(qname), qtype, **options)
        message.flags &= ~dns.flags.RD
        return message

    def ask(self, qname, qtype, tcp=False, address=None, **options):
        """The parsed reply to a query; it has the query's ID, question and QR=1 (checked)."""
        query = self.query(qname, qtype, **options)
        wire = query.to_wire()
        raw = self.tcp(wire, address) if tcp else self.udp(wire, address)
        expect(raw is not None, f"no reply to {qname} {qtype}")
        reply = self.parse(raw)
        expect_equal("ID", reply.id, query.id)
        expect_flag(reply, "QR")
        expect_equal("question", [(q.name, q.rdtype, q.rdclass) for q in reply.question],
                     [(q.name, q.rdtype, q.rdclass) for q in query.question])
        return reply

    @staticmethod
    def parse(raw):
        return dns.message.from_wire(raw, ignore_trailing=False, one_rr_per_rrset=False)

    def udp(self, wire, address=None, timeout=TIMEOUT, connect=False, attempts=3):
        """The reply's octets to a datagram, or None. `connect`: accept it from the asked address only. A lost one is
        sent again, as every resolver does: NSD leaves one in sixteen format errors unanswered, on purpose."""
        for _ in range(attempts):
            reply = self._udp_once(wire, address or self.address, timeout / attempts, connect)
            if reply is not None:
                return reply
        return None

    def _udp_once(self, wire, address, timeout, connect):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as sock:
            sock.settimeout(timeout)
            if connect:
                sock.connect((address, self.port))
                sock.send(wire)
            else:
                sock.sendto(wire, (address, self.port))
            try:
                return sock.recv(65535)
            except (TimeoutError, ConnectionRefusedError):
                return None

    def tcp(self, wire, address=None):
        with self.stream(address) as stream:
            stream.send(wire)
            return stream.receive()

    @contextlib.contextmanager
    def stream(self, address=None):
        connection = Stream(address or self.address, self.port)
        try:
            yield connection
        finally:
            connection.close()

    def expect_silence(self, wire, why):
        """The datagram is not answered, and the server still serves afterwards."""
        reply = self.udp(wire, timeout=0.4, attempts=1)
        expect(reply is None, f"{why}: answered with {len(reply or b'')} octets")
        self.expect_alive()

    def alive(self):
        """Whether a plain query is still answered."""
        return self.udp(self.query("www.plain.test", "A").to_wire(), timeout=1) is not None

    def expect_alive(self):
        expect_rcode(self.ask("www.plain.test", "A"), "NOERROR")


def header(message_id=0x1234, flags=0, counts=(1, 0, 0, 0)):
    return struct.pack("!HHHHHH", message_id, flags, *counts)


def question(qname, rdtype="A", rdclass="IN"):
    return name(qname).to_wire() + struct.pack("!HH", dns.rdatatype.from_text(rdtype),
                                               dns.rdataclass.from_text(rdclass))


def opt_rr(payload=1232, version=0, flags=0, options=b"", extended_rcode=0):
    """An OPT RR in wire form (RFC 6891 §6.1.2)."""
    return b"\0" + struct.pack("!HHBBHH", 41, payload, extended_rcode, version, flags, len(options)) + options


def opt_option(code, data=b""):
    return struct.pack("!HH", code, len(data)) + data


def find_option(reply, code):
    """The data of the first EDNS option of a code in a reply, or None."""
    for option in reply.options:
        if int(option.otype) == code:
            return option.to_wire()
    return None


def wait(seconds):
    time.sleep(seconds)
