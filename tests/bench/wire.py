"""A DNS question over UDP and the little of its answer that a benchmark looks at (RFC 1035 §4, RFC 6891)."""

import os
import socket
import struct
import time
from dataclasses import dataclass

from .machine import BenchError

TYPES = {"SOA": 6, "TXT": 16, "DNSKEY": 48}
RRSIG = 46
POLL = 0.002  # seconds between two questions to a server that does not answer yet


@dataclass
class Answer:
    rcode: int
    truncated: bool
    types: list  # of the records in the answer section, in order


def encode_name(name):
    return b"".join(bytes([len(label)]) + label.encode("ascii") for label in name.rstrip(".").split(".")) + b"\0"


def make_query(name, rrtype):
    """(id, octets) of a question with the DO bit and 1232 octets of room."""
    ident = os.urandom(2)
    opt = b"\0" + struct.pack("!HHIH", 41, 1232, 0x8000, 0)
    question = encode_name(name) + struct.pack("!HH", TYPES[rrtype], 1)
    return ident, ident + struct.pack("!HHHHH", 0, 1, 0, 0, 1) + question + opt


def _skip_name(message, at):
    while message[at] != 0:
        if message[at] >= 0xC0:
            return at + 2
        at += 1 + message[at]
    return at + 1


def parse_answer(message):
    flags, questions, answers = struct.unpack("!HHH", message[2:8])
    at = 12
    for _ in range(questions):
        at = _skip_name(message, at) + 4
    types = []
    for _ in range(answers):
        at = _skip_name(message, at)
        rrtype, _, _, size = struct.unpack("!HHIH", message[at:at + 10])
        types.append(rrtype)
        at += 10 + size
    return Answer(flags & 15, bool(flags & 0x0200), types)


def ask(port, name, rrtype, timeout=POLL):
    """The answer of 127.0.0.1@port, or None if there is none in `timeout` seconds."""
    ident, query = make_query(name, rrtype)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.sendto(query, ("127.0.0.1", port))
        until = time.monotonic() + timeout
        while (left := until - time.monotonic()) > 0:
            sock.settimeout(left)
            try:
                message = sock.recv(65535)
            except (TimeoutError, ConnectionError):
                return None
            if message[:2] == ident:
                return parse_answer(message)
    return None


def until_answer(server, began, name, rrtype, limit, signed=False):
    """Seconds from `began` (time.monotonic) to the first right answer, asked for every 2 ms.

    Right is NOERROR with a record of the type, and with its RRSIG where `signed`. Raises BenchError when the
    server ends or `limit` seconds have passed.
    """
    while True:
        asked = time.monotonic()
        answer = ask(server.port, name, rrtype)
        if answer and answer.rcode == 0 and TYPES[rrtype] in answer.types and (not signed or RRSIG in answer.types):
            return time.monotonic() - began
        if not server.alive():
            raise BenchError("%s ended before it answered:\n%s" % (server.label, server.log_tail()))
        if time.monotonic() - began > limit:
            raise BenchError("%s does not answer %s %s after %d s:\n%s"
                             % (server.label, name, rrtype, limit, server.log_tail()))
        time.sleep(max(0.0, POLL - (time.monotonic() - asked)))
