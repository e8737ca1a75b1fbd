"""TSIG (RFC 8945) by itself, so that a check can sign what is wrong: HMAC over octets, nothing parsed that is not needed."""

import base64
import hashlib
import hmac
import struct
import time
from dataclasses import dataclass

import dns.name

TSIG, ANY = 250, 255
NAMES = {"hmac-sha1": hashlib.sha1, "hmac-sha224": hashlib.sha224, "hmac-sha256": hashlib.sha256,
         "hmac-sha384": hashlib.sha384, "hmac-sha512": hashlib.sha512}


class BadSignature(Exception):
    """A reply is not signed as RFC 8945 §5.3 has it."""


@dataclass
class Tsig:
    """The TSIG record of a message; `start` is where it begins."""

    start: int
    name: bytes
    algorithm: bytes
    time: int
    fudge: int
    mac: bytes
    original_id: int
    error: int
    other: bytes


def canonical(text):
    return dns.name.from_text(text).canonicalize().to_wire()


def u48(value):
    return struct.pack("!Q", value)[2:]


def skip_name(octets, at):
    while octets[at]:
        if octets[at] >= 192:
            return at + 2
        at += octets[at] + 1
    return at + 1


def find(octets):
    """The TSIG that a message ends with, or None."""
    counts = struct.unpack("!HHHH", octets[4:12])
    at = 12
    for _ in range(counts[0]):
        at = skip_name(octets, at) + 4
    start, rtype = at, 0
    for _ in range(sum(counts[1:])):
        start = at
        at = skip_name(octets, at)
        rtype, _, _, size = struct.unpack("!HHIH", octets[at:at + 10])
        rdata = at + 10
        at = rdata + size
    if rtype != TSIG:
        return None
    name, _ = dns.name.from_wire(octets, start)
    algorithm, used = dns.name.from_wire(octets, rdata)
    at = rdata + used
    high, low, fudge, size = struct.unpack("!HIHH", octets[at:at + 10])
    mac = octets[at + 10:at + 10 + size]
    at += 10 + size
    original_id, error, size = struct.unpack("!HHH", octets[at:at + 6])
    return Tsig(start, name.canonicalize().to_wire(), algorithm.canonicalize().to_wire(), (high << 32) + low, fudge, mac,
                original_id, error, octets[at + 6:at + 6 + size])


def without(octets, tsig):
    """What was signed: the message before the TSIG was added, with the ID it had then (§5.3.2)."""
    additional = struct.unpack("!H", octets[10:12])[0] - 1
    return struct.pack("!H", tsig.original_id) + octets[2:10] + struct.pack("!H", additional) + octets[12:tsig.start]


class SigningKey:
    """A key of both ends. What a check wants otherwise is an argument of sign()."""

    def __init__(self, name, secret, algorithm="hmac-sha256"):
        self.name, self.algorithm = name, algorithm
        self.secret = base64.b64decode(secret)

    def mac(self, *parts):
        return hmac.new(self.secret, b"".join(parts), NAMES[self.algorithm]).digest()

    def sign(self, wire, signed_at=None, fudge=300, size=None, name=None, algorithm=None, rclass=ANY, ttl=0, mac=None,
             original_id=None, error=0):
        """(the signed message, its MAC)."""
        name, algorithm = canonical(name or self.name), canonical(algorithm or self.algorithm)
        signed_at = int(time.time()) if signed_at is None else signed_at
        if mac is None:
            mac = self.mac(wire, name, struct.pack("!HI", ANY, 0), algorithm, u48(signed_at),
                           struct.pack("!HHH", fudge, error, 0))[:size]
        rdata = (algorithm + u48(signed_at) + struct.pack("!HH", fudge, len(mac)) + mac
                 + (wire[:2] if original_id is None else original_id) + struct.pack("!HH", error, 0))
        additional = struct.unpack("!H", wire[10:12])[0] + 1
        return (wire[:10] + struct.pack("!H", additional) + wire[12:] + name
                + struct.pack("!HHIH", TSIG, rclass, ttl, len(rdata)) + rdata), mac

    def check(self, reply, request_mac):
        """The TSIG of a reply; raises BadSignature."""
        tsig = find(reply)
        if tsig is None:
            raise BadSignature("the reply has no TSIG")
        if tsig.name != canonical(self.name):
            raise BadSignature("the reply is signed with another key")
        wanted = self.mac(struct.pack("!H", len(request_mac)), request_mac, without(reply, tsig), tsig.name,
                          struct.pack("!HI", ANY, 0), tsig.algorithm, u48(tsig.time),
                          struct.pack("!HHH", tsig.fudge, tsig.error, len(tsig.other)), tsig.other)
        if not tsig.mac or tsig.mac != wanted[:len(tsig.mac)]:
            raise BadSignature("the reply's MAC is wrong")
        return tsig

    def check_stream(self, replies, request_mac):
        """All messages of a transfer (§5.3.1): the first and the last signed, at most 99 between two signatures."""
        before, unsigned, gap = request_mac, [], 0
        for number, reply in enumerate(replies):
            tsig = find(reply)
            if number == 0:
                before = self.check(reply, request_mac).mac
                continue
            if tsig is None:
                unsigned.append(reply)
                gap += 1
                if gap > 99:
                    raise BadSignature("100 messages in turn are not signed")
                continue
            wanted = self.mac(struct.pack("!H", len(before)), before, *unsigned, without(reply, tsig), u48(tsig.time),
                              struct.pack("!H", tsig.fudge))
            if tsig.mac != wanted:
                raise BadSignature(f"the MAC of message {number + 1} is wrong")
            before, unsigned, gap = tsig.mac, [], 0
        if unsigned:
            raise BadSignature("the last message is not signed")
