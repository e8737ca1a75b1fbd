"""Publishes octet by octet: rows in wire form, so that a test can spoil any of them before or after anything is signed.

What a statement is, and how it is signed, stands in publishing.py; no library that mends a message is on the way.
"""

import socket
import struct
from dataclasses import dataclass, replace

import dns.edns
import dns.exception
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype

import publishing

TXT, SIG, KEY, SRV, OPT, SVCB = 16, 24, 25, 33, 41, 64
IN, NONE, ANY = 1, 254, 255
UPDATE = 5 << 11
TTL = 300
OPT_RECORD = b"\0" + struct.pack("!HHIH", OPT, 1232, 0, 0)
RESPONSE_SECONDS = 5


def wire_name(name):
    """A dnspython name, or text, in wire form as it is written: case stays."""
    return (dns.name.from_text(name) if isinstance(name, str) else name).to_wire()


def rdata_of(row):
    """`SRV 0 0 443 host.` as (type, RDATA)."""
    rdtype, _, rest = row.partition(" ")
    rdata = dns.rdata.from_text(dns.rdataclass.IN, dns.rdatatype.from_text(rdtype), rest)
    return int(rdata.rdtype), rdata.to_wire()


def in_strings_of_255(octets):
    return publishing.in_strings([octets[at:at + 255] for at in range(0, len(octets), 255)])


@dataclass(frozen=True)
class Row:
    """A record of the update or the prerequisite section."""

    owner: object
    rdtype: int
    rdata: bytes = b""
    klass: int = IN
    ttl: int = TTL

    @property
    def wire(self):
        return wire_name(self.owner) + struct.pack("!HHIH", self.rdtype, self.klass, self.ttl, len(self.rdata)) + self.rdata


@dataclass(frozen=True)
class Publish:
    """A message before it is signed. `signer`: the name in the SIG(0), where it is not the agent's."""

    zone: str
    agent: object
    key: publishing.Key
    prerequisites: tuple
    updates: tuple
    has_opt: bool = True
    identity: int = 0x5354
    signer: object = None

    @property
    def unsigned(self):
        head = struct.pack("!HHHHHH", self.identity, UPDATE, 1, len(self.prerequisites), len(self.updates), int(self.has_opt))
        zone = wire_name(self.zone) + struct.pack("!HH", 6, IN)
        return head + zone + b"".join(row.wire for row in (*self.prerequisites, *self.updates)) + (OPT_RECORD if self.has_opt else b"")

    @property
    def wire(self):
        return publishing.sign_message(self.unsigned, self.signer or self.agent, self.key)

    def with_row(self, index, row):
        return replace(self, updates=(*self.updates[:index], row, *self.updates[index + 1:]))

    def adding(self, *rows):
        return replace(self, updates=(*self.updates, *rows))

    def index_of(self, rdtype, owner=None):
        """Where the row of this type that is added stands among the updates."""
        return next(index for index, row in enumerate(self.updates)
                    if row.klass == IN and row.rdtype == rdtype and (owner is None or row.owner == owner))


def make_publish(zone, agent, key, parts, rows, manifest=None, before=None, **arguments):
    """`parts`: the statement's strings; `before`: those that are to stand there (compare-and-swap), None for a name that is new."""
    if before is None:
        prerequisite = Row(agent, TXT, klass=NONE, ttl=0)
    else:
        prerequisite = Row(agent, TXT, publishing.in_strings(before), ttl=0)
    updates = [Row(agent, rdtype, klass=ANY, ttl=0) for rdtype in (TXT, SRV, SVCB, KEY)]
    updates.append(Row(agent, TXT, publishing.in_strings(parts)))
    updates.append(Row(agent, KEY, publishing.KEY_HEAD + key.public))
    updates += [Row(agent, *rdata_of(row)) for row in rows]
    if manifest is not None:
        updates += [Row(below("_manifest", agent), TXT, klass=ANY, ttl=0),
                    Row(below("_manifest", agent), TXT, in_strings_of_255(manifest))]
    return Publish(zone, agent, key, (prerequisite,), tuple(updates), **arguments)


def below(label, agent):
    return f"{label}.{agent}" if isinstance(agent, str) else dns.name.Name((label.encode(), *agent.labels))


def statement_of(agent, key, parts):
    """Strings signed anew, whatever they say: all but those of `sig`, then that."""
    parts = [part for part in parts if not part.startswith(b"sig=")]
    owner = (dns.name.from_text(agent) if isinstance(agent, str) else agent).canonicalize().to_wire()
    signed = publishing.STATEMENT_CONTEXT + owner + publishing.in_strings(parts)
    return [*parts, b"sig=" + key.sign(signed)]


def flipped(octets, at, bit):
    return octets[:at] + bytes([octets[at] ^ 1 << bit]) + octets[at + 1:]


@dataclass(frozen=True)
class Answer:
    """`rcode` is "no answer" where the server gave none; `code` and `text` are those of the extended error (RFC 8914)."""

    rcode: str
    code: int = None
    text: str = ""


NO_ANSWER = Answer("no answer")


def answer_of(octets):
    # dnspython has no words for opcodes that are not assigned, which a flipped bit may ask for.
    reply = dns.message.from_wire(octets[:2] + bytes([octets[2] & 0x87]) + octets[3:])
    told = [option for option in reply.options if option.otype == dns.edns.EDE]
    rcode = dns.rcode.to_text(reply.rcode())
    return Answer(rcode, int(told[0].code), told[0].text or "") if told else Answer(rcode)


class Line:
    """A TCP connection that sends one message after the other, and comes back where the server has closed it."""

    def __init__(self, server):
        self.address = (server.address, server.port)
        self.connection = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    def receive(self, size):
        octets = self.connection.recv(size, socket.MSG_WAITALL)
        if len(octets) != size:
            raise ConnectionError("closed")
        return octets

    def send(self, wire, seconds=RESPONSE_SECONDS):
        """The Answer to a message; NO_ANSWER where the connection was closed, or the time has passed."""
        if self.connection is None:
            self.connection = socket.create_connection(self.address, timeout=seconds)
            self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.connection.settimeout(seconds)
        try:
            self.connection.sendall(struct.pack("!H", len(wire)) + wire)
            octets = self.receive(struct.unpack("!H", self.receive(2))[0])
        except (OSError, ConnectionError):
            self.close()
            return NO_ANSWER
        return answer_of(octets)
