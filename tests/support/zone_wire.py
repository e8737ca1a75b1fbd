"""Zones as they come in transfers, parsed fast, so that a test can compare thousands of versions.

A record is (owner in lower case in wire form, type, TTL, RDATA without compression); a version of a zone is a frozenset
of them. Nothing here believes a server: what breaks RFC 5936 or RFC 1995 raises TransferError.
"""

import hashlib
import random
import socket
import struct
from dataclasses import dataclass

import dns.name

SOA, AXFR, IXFR = 6, 252, 251
NAMES_IN = {2: (0, 1), 5: (0, 1), 12: (0, 1), 15: (2, 1), SOA: (0, 2)}  # where compressed names stand, and how many


class TransferError(Exception):
    """The server refused, closed, or sent what no transfer is."""


def wire_name(text):
    return dns.name.from_text(text).canonicalize().to_wire()


def serial_of(soa):
    return struct.unpack("!I", soa[3][-20:-16])[0]


@dataclass
class Difference:
    before: int
    after: int
    removed: list
    added: list


@dataclass
class Transfer:
    """`records` is the whole zone, or None where it came as `differences` (empty: nothing newer)."""

    serial: int
    records: frozenset = None
    differences: list = None
    messages: int = 0


class Message:
    """The records of a message's answer section."""

    def __init__(self, octets):
        self.octets = octets
        self.names = {}
        self.id, self.flags, questions, self.answers = struct.unpack("!HHHH", octets[:8])
        self.rcode = self.flags & 15
        self.at = 12
        for _ in range(questions):
            self.name(self.at)
            self.at = self.end + 4

    def name(self, at):
        """The name there without compression; `end` is behind it."""
        known = self.names.get(at)
        if known:
            name, self.end = known
            return name
        octet = self.octets[at]
        if octet == 0:
            name, end = b"\0", at + 1
        elif octet >= 192:
            name, end = self.name(struct.unpack("!H", self.octets[at:at + 2])[0] & 0x3fff), at + 2
        else:
            label = self.octets[at:at + octet + 1]
            name, end = label + self.name(at + octet + 1), self.end
        self.names[at] = name, end
        self.end = end
        return name

    def records(self):
        for _ in range(self.answers):
            owner = self.name(self.at).lower()
            at = self.end
            rtype, _, ttl, size = struct.unpack("!HHIH", self.octets[at:at + 10])
            at += 10
            self.at = at + size
            yield owner, rtype, ttl, self.rdata(rtype, at, size)

    def rdata(self, rtype, at, size):
        if rtype not in NAMES_IN:
            return self.octets[at:at + size]
        skip, count = NAMES_IN[rtype]
        data, place = self.octets[at:at + skip], at + skip
        for _ in range(count):
            data += self.name(place)
            place = self.end
        return data + self.octets[place:at + size]


def receive_exactly(stream, size):
    data = bytearray()
    while len(data) < size:
        part = stream.recv(size - len(data))
        if not part:
            raise TransferError(f"the connection was closed after {len(data)} of {size} octets")
        data += part
    return bytes(data)


def messages_of(address, port, wire, timeout):
    """The replies on a connection, one after the other."""
    with socket.create_connection((address, port), timeout) as stream:
        stream.sendall(struct.pack("!H", len(wire)) + wire)
        while True:
            size = struct.unpack("!H", receive_exactly(stream, 2))[0]
            message = Message(receive_exactly(stream, size))
            if message.id != struct.unpack("!H", wire[:2])[0] or not message.flags & 0x8000:
                raise TransferError("a message that is no reply to the request")
            if message.rcode:
                raise TransferError(f"RCODE {message.rcode}")
            yield message


def transfer_query(zone, rtype, soa=None):
    """`soa`: the record that an IXFR stands in its authority section with."""
    name = wire_name(zone)
    wire = struct.pack("!HHHHHH", random.randrange(65536), 0, 1, 0, 1 if soa else 0, 0) + name + struct.pack("!HH", rtype, 1)
    if soa:
        wire += name + struct.pack("!HHIH", SOA, 1, 0, len(soa[3])) + soa[3]
    return wire


def is_whole(records):
    """Whether a transfer ends with the last of these: 1995 §4, 5936 §2.2."""
    if len(records) < 2 or records[-1][1] != SOA or records[-1][3] != records[0][3]:
        return False
    if records[1][1] != SOA:
        return True
    # In differences the newest SOA stands first, before the additions of the last one, and last.
    return sum(record[1] == SOA and record[3] == records[0][3] for record in records) == 3


def take(zone, records, messages):
    """What the records of a finished transfer are."""
    newest = serial_of(records[0])
    if len(records) == 1:
        return Transfer(newest, differences=[], messages=messages)
    if records[1][1] != SOA or len(records) == 2:
        body = records[:-1]
        if len(set(body)) != len(body):
            raise TransferError("a record stands twice in the zone")
        if any(record[1] == SOA for record in body[1:]):
            raise TransferError("a second SOA inside the zone")
        return Transfer(newest, records=frozenset(body), messages=messages)
    differences, at = [], 1
    while at < len(records) - 1:
        parts = []
        for _ in range(2):
            end = at + 1
            while records[end][1] != SOA:
                end += 1
            parts.append(records[at:end])
            at = end
        differences.append(Difference(serial_of(parts[0][0]), serial_of(parts[1][0]), parts[0], parts[1]))
    return Transfer(newest, differences=differences, messages=messages)


def fetch(address, port, zone, since=None, timeout=20):
    """A transfer over TCP: AXFR, or IXFR since the version that has this SOA record."""
    records, messages = [], 0
    for message in messages_of(address, port, transfer_query(zone, IXFR if since else AXFR, since), timeout):
        messages += 1
        records += message.records()
        if not records or records[0][1] != SOA:
            raise TransferError("does not begin with an SOA")
        if is_whole(records) or (since and len(records) == 1 and messages == 1 and serial_of(records[0]) == serial_of(since)):
            return take(zone, records, messages)
    raise TransferError("no reply")


def soa_of(version):
    return next(record for record in version if record[1] == SOA)


def apply(version, differences):
    """The version after an incremental transfer (RFC 1995 §4): what is removed must be there, what is added must not."""
    records = set(version)
    for difference in differences:
        if serial_of(soa_of(records)) != difference.before:
            raise TransferError(f"a difference from {difference.before} to a version {serial_of(soa_of(records))}")
        for record in difference.removed:
            # A removal is by value: its TTL counts for nothing.
            held = record if record in records else next((r for r in records if r[:2] == record[:2] and r[3] == record[3]), None)
            if held is None:
                raise TransferError(f"{record} is removed and was not there")
            records.remove(held)
        for record in difference.added:
            if record in records:
                raise TransferError(f"{record} is added and was there")
            records.add(record)
    return frozenset(records)


def digest(version):
    """A digest over the zone, whatever the order in which it came."""
    total = hashlib.sha256()
    for owner, rtype, ttl, rdata in sorted(version):
        total.update(struct.pack("!B", len(owner)) + owner + struct.pack("!HIH", rtype, ttl, len(rdata)) + rdata)
    return total.hexdigest()
