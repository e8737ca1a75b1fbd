#!/usr/bin/python3
"""Crowds: updates that wait by the thousand, fifty secondaries that read slowly, a key that goes while they do, a zone that comes signed.

    crowds.py

What waits is bounded, whoever is over the bound is told to come again, and everybody else is answered meanwhile.
"""

import contextlib
import ctypes
import json
import pathlib
import socket
import struct
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "support"), str(HERE.parent / "conformance")]

import dns.message
import dns.query

import peers
import servers
from harness import opt_rr
from hostile_clients import private_memory
from registry import eventually, outcome
from report import Report, Skipped, require
from signing import run_tool
from signing_key import SigningKey, find
from update_load import IN, TXT, label, record, txt, update_wire
from zone_wire import AXFR, messages_of, receive_exactly, transfer_query, wire_name

LOOPBACK = "127.0.0.1"
CROWD, BIG, SIGNED = "crowd.test.", "big.test.", "signed.test."
HEAD = "$TTL 300\n@ SOA ns1 hostmaster 1 3600 600 604800 60\n@ NS ns1\nns1 A 127.0.0.1\n"
MOST_WAITING = 10_000
MOST_SENT = 60_000
READERS = 50
SLOTS_PER_CLIENT = 32
MEMORY_BOUND = 64 << 20
NAMES = 60_000  # with 200 octets each: more than the buffers of a connection hold
KEY = ("passing.", "cGFzc2luZy1wYXNzaW5nLXBhc3NpbmctcGFzc2luZy0=")
SERVFAIL, REFUSED, NOTAUTH = 2, 5, 9
NOT_READY, PROHIBITED = 14, 18  # RFC 8914
BADKEY = 17
EDE = 15
MDB_NOSUBDIR = 0x4000


class HeldWriter:
    """Holds the lock that LMDB lets one writer at a time have, so that our server's waits."""

    def __init__(self, folder):
        try:
            self.lmdb = ctypes.CDLL("liblmdb.so.0")
        except OSError as error:
            raise Skipped(str(error)) from error
        self.env, self.txn = ctypes.c_void_p(), ctypes.c_void_p()
        path = folder / "data.mdb"
        require(path.exists(), f"{path} is not there")
        self.path = str(path).encode()

    def call(self, function, *arguments):
        code = getattr(self.lmdb, function)(*arguments)
        require(code == 0, f"{function}: {code}")

    def __enter__(self):
        self.call("mdb_env_create", ctypes.byref(self.env))
        self.call("mdb_env_open", self.env, self.path, MDB_NOSUBDIR, 0o600)
        self.call("mdb_txn_begin", self.env, None, 0, ctypes.byref(self.txn))
        return self

    def __exit__(self, *_):
        self.lmdb.mdb_txn_abort(self.txn)
        self.lmdb.mdb_env_close(self.env)


def write_zones(folder):
    """{zone: file}."""
    (folder / "crowd.zone").write_text(HEAD)
    (folder / "big.zone").write_text(HEAD + "".join(f"n{number} TXT {'x' * 200}\n" for number in range(NAMES)))
    plain = folder / "signed.zone"
    plain.write_text(HEAD + "www A 192.0.2.1\n")
    key = run_tool("dnssec-keygen", "-q", "-K", folder, "-a", "ECDSAP256SHA256", "-f", "KSK", SIGNED).strip()
    run_tool("dnssec-signzone", "-q", "-S", "-z", "-K", folder, "-d", folder, "-o", SIGNED, "-f", folder / "signed.signed", plain)
    require(key, "no key")
    return {CROWD: folder / "crowd.zone", BIG: folder / "big.zone", SIGNED: folder / "signed.signed"}


class Crowded(peers.Ours):
    keys = ({"name": KEY[0], "algorithm": "hmac-sha256", "secret": KEY[1]},)

    def write_config(self):
        self.options["keys"] = list(self.keys)
        for zone in self.zones:
            zone.options = {"allow-update": ["127.0.0.0/8"], "allow-transfer": ["127.0.0.0/8"]}
        super().write_config()


def update_of(zone, number):
    wire = update_wire(number & 0xffff, wire_name(zone), [],
                       [record(label(f"c{number % 100}") + wire_name(zone), TXT, IN, 300, txt("waits"))])
    return wire[:10] + struct.pack("!H", 1) + wire[12:] + opt_rr()


def updates_shown(server):
    return json.loads(server.run("status", "--json").stdout)["updates"]


def told(reply):
    """(RCODE, the code of its extended error or None)."""
    parsed = dns.message.from_wire(reply)
    return int(parsed.rcode()), next((int(option.code) for option in parsed.options if int(option.otype) == EDE), None)


def update(server, zone):
    """What one update over TCP is told."""
    wire = update_of(zone, 1)
    with socket.create_connection((LOOPBACK, server.port), 20) as stream:
        stream.sendall(struct.pack("!H", len(wire)) + wire)
        return told(receive_exactly(stream, struct.unpack("!H", receive_exactly(stream, 2))[0]))


def send_until_told(server, sock):
    """Updates until one is answered, which only one that need not wait is: how many were sent."""
    sock.setblocking(False)
    for number in range(MOST_SENT):
        with contextlib.suppress(BlockingIOError):
            sock.send(update_of(CROWD, number))
        if number % 100 == 99:
            time.sleep(0.002)
            with contextlib.suppress(BlockingIOError):
                return number + 1, sock.recv(4096)
    require(False, f"{MOST_SENT} updates were sent, and none was told to come again: {updates_shown(server)}")


def waiting_updates(report, server):
    memory = private_memory(server)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect((LOOPBACK, server.port))
        with report.case(f"of the updates that wait for the writer {MOST_WAITING:,} are kept, and the next is told to come again [CVE-2022-3094]"):
            with HeldWriter(server.folder / "data" / "store"):
                sent, reply = send_until_told(server, sock)
                require(sent >= MOST_WAITING, f"told {told(reply)} after {sent}: {updates_shown(server)}")
                require(told(reply) == (SERVFAIL, NOT_READY), f"RCODE and extended error are {told(reply)}")
                shown = updates_shown(server)
                require(shown["waiting"] == MOST_WAITING and shown["overload"] > 0, str(shown))
                require(outcome(server, f"ns1.{CROWD}", "A") == ["127.0.0.1"], "a query is not answered meanwhile")
                grown = private_memory(server) - memory
                require(grown < MEMORY_BOUND, f"{grown >> 20} MiB for {MOST_WAITING} updates")
        with report.case("once the writer goes on, those that waited are done and the next one is taken"):
            eventually(lambda: f"none waits: {updates_shown(server)}", lambda: updates_shown(server)["waiting"] == 0)
            require(update(server, CROWD)[0] == 0, "not NOERROR")
            require(outcome(server, f"c99.{CROWD}", "TXT") == ['"waits"'], "what waited was not done")


class Reader:
    """A secondary that asks for the zone, reads its first message, and takes its time."""

    def __init__(self, server, source, wire):
        self.sock = socket.socket()
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.sock.settimeout(30)
        self.sock.bind((source, 0))
        self.sock.connect((LOOPBACK, server.port))
        self.sock.sendall(struct.pack("!H", len(wire)) + wire)
        self.id = wire[:2]

    def message(self):
        return receive_exactly(self.sock, struct.unpack("!H", receive_exactly(self.sock, 2))[0])

    def rest(self):
        """The messages until the connection is silent: the last record of the last one is the SOA of the first."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        left = NAMES + 4 - self.records
        while left > 0:
            message = self.message()
            left -= struct.unpack("!H", message[6:8])[0]
            yield message

    def begin(self):
        first = self.message()
        require(first[:2] == self.id and first[3] & 15 == 0, f"RCODE {first[3] & 15}")
        self.records = struct.unpack("!H", first[6:8])[0]
        return first


def slow_readers(report, server):
    memory = private_memory(server)
    wire = transfer_query(BIG, AXFR)
    with contextlib.ExitStack() as stack:
        readers = []
        with report.case(f"{READERS} secondaries that read slowly all get their transfer begun, others are answered, and memory is bounded"):
            for number in range(READERS):
                readers.append(Reader(server, f"127.0.1.{1 + number % 2}", wire))
                stack.callback(readers[-1].sock.close)
            for reader in readers:
                reader.begin()
            for number in range(100):
                require(outcome(server, f"n{number * 7}.{BIG}", "TXT") == [f'"{"x" * 200}"'], "a query is not answered meanwhile")
            grown = private_memory(server) - memory
            require(grown < MEMORY_BOUND, f"{grown >> 20} MiB for {READERS} transfers")
        with report.case(f"one address has {SLOTS_PER_CLIENT} transfers at a time; beyond it is refused, and another is not [RFC 5936 §2.2.1]"):
            for _ in range(SLOTS_PER_CLIENT - READERS // 2):
                readers.append(Reader(server, "127.0.1.1", wire))
                stack.callback(readers[-1].sock.close)
                readers[-1].begin()
            for source, rcode in (("127.0.1.1", REFUSED), ("127.0.1.3", 0)):
                another = Reader(server, source, wire)
                got = another.message()[3] & 15
                another.sock.close()
                require(got == rcode, f"RCODE {got} for {source}")
        with report.case("a reader that hurries at last has the whole zone, of the serial that it began with"):
            require(update(server, BIG)[0] == 0, "an update is refused")
            last = list(readers[0].rest())[-1]
            require(last[:2] == wire[:2], "the last message is another's")
            soa = last.rfind(struct.pack("!IIIII", 1, 3600, 600, 604800, 60))
            require(soa == len(last) - 20, "it does not end with the SOA of serial 1")
            require(outcome(server, BIG) == 2, "the update did not come between")
    with report.case("when they are gone, their slots are free again"):
        eventually("a transfer", lambda: is_given(server, wire))


def is_given(server, wire):
    reader = Reader(server, "127.0.1.1", wire)
    try:
        return reader.message()[3] & 15 == 0
    finally:
        reader.sock.close()


def passing_key(report, server):
    key = SigningKey(*KEY)
    wire, mac = key.sign(transfer_query(BIG, AXFR))
    reader = Reader(server, LOOPBACK, wire)
    with report.case("a transfer whose TSIG key a reload takes away goes on to its end, signed [RFC 8945 §5.3.1]"):
        messages = [reader.begin()]
        server.keys = ()
        server.write_config()
        server.run("reload")
        messages += reader.rest()
        key.check_stream(messages, mac)
    reader.sock.close()
    with report.case("and the next one with that key is NOTAUTH, BADKEY [RFC 8945 §5.2.1]"):
        reader = Reader(server, LOOPBACK, wire)
        reply = reader.message()
        reader.sock.close()
        require(reply[3] & 15 == NOTAUTH, f"RCODE {reply[3] & 15}")
        require(signed_error(reply) == BADKEY, f"error {signed_error(reply)}")
    with report.case("others go on as they were"):
        require(next(messages_of(LOOPBACK, server.port, transfer_query(BIG, AXFR), 20)).rcode == 0, "no transfer")


def signed_error(reply):
    tsig = find(reply)
    return tsig.error if tsig else None


def signed_elsewhere(report, server):
    def shown():
        reply = dns.query.tcp(dns.message.make_query(SIGNED, "AXFR"), LOOPBACK, port=server.port, timeout=20)
        return sorted(rrset.to_text() for rrset in reply.answer)

    with report.case("a zone that comes signed is not changed by UPDATE, with the reason, and all its signatures stay [RFC 3007 §4]"):
        before = shown()
        got = update(server, SIGNED)
        require(got == (REFUSED, PROHIBITED), f"RCODE and extended error are {got}")
        require(shown() == before, "the zone is another")
        path = server.folder / "still-signed"
        path.write_text(server.run("zone", "export", SIGNED).stdout)
        run_tool("dnssec-verify", "-q", "-z", "-o", SIGNED, path)
        require("comes signed" in server.log_text(), "the log does not say why")


def main():
    report = Report("crowds")
    if not pathlib.Path(peers.our_program()).exists():
        sys.exit(f"{peers.our_program()} is not built")
    with tempfile.TemporaryDirectory(prefix="steward-crowds-") as name:
        folder = pathlib.Path(name)
        zones = [servers.Zone(zone, file) for zone, file in write_zones(folder).items()]
        with Crowded(zones, addresses=[LOOPBACK]) as server:
            for crowd in (waiting_updates, slow_readers, passing_key, signed_elsewhere):
                crowd(report, server)
            if report.failed:
                print(server.log_tail(15))
            require(server.process.poll() is None, "the server ended")
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
