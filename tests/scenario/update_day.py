#!/usr/bin/python3
"""Updates beside a zone file and by way of a secondary: what an operator who edits the file may rely on, and forwarding.

    update_day.py

An update is part of the zone until another update undoes it: a reload of the file, a restart and a transfer keep it.
"""

import contextlib
import json
import os
import pathlib
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "support")]

import dns.flags
import dns.message
import dns.query
import dns.rcode

import peers
import servers
import zone_wire
from report import Report, require
from signing import run_tool

ZONE = "day.test."
LOOPBACK = "127.0.0.1"
KEY = ("update.", "Iv3MA1ZK14F9zGYudy8xtfB8JUrMetqYs1HTRo/2L0o=")
HEAD = "$TTL 300\n@ SOA ns1 hostmaster {serial} 3600 600 604800 60\n@ NS ns1\nns1 A 127.0.0.1\n"
KEYS = {"keys": [{"name": KEY[0], "algorithm": "hmac-sha256", "secret": KEY[1]}]}
PATIENCE = 30


def write_file(path, serial, lines):
    part = path.with_suffix(".new")
    part.write_text(HEAD.format(serial=serial) + "\n".join(lines) + "\n")
    part.replace(path)


def update(server, *lines, rcode="NOERROR", timeout=20):
    """One message by nsupdate, signed; the RCODE it ended with must be this one."""
    script = f"server {LOOPBACK} {server.port}\nzone {ZONE}\n" + "\n".join(lines) + "\nsend\n"
    done = subprocess.run(["nsupdate", "-t", str(timeout), "-y", f"hmac-sha256:{KEY[0]}:{KEY[1]}"], input=script, capture_output=True, text=True,
                          check=False, timeout=60)
    said = "NOERROR" if done.returncode == 0 else done.stderr.strip().rsplit(" ", 1)[-1]
    require(said == rcode, f"nsupdate: {said} {done.stderr.strip()}, not {rcode}")


def held(server, owner, rtype):
    """The RDATA served there, as a set of texts."""
    query = dns.message.make_query(f"{owner}.{ZONE}", rtype)
    reply = dns.query.udp(query, LOOPBACK, port=server.port, timeout=3)
    return {rdata.to_text() for rrset in reply.answer for rdata in rrset
            if (rrset.name, rrset.rdtype) == (query.question[0].name, query.question[0].rdtype)}


def expect_held(server, owner, rtype, *texts):
    got = held(server, owner, rtype)
    require(got == set(texts), f"{owner} {rtype}: {sorted(got)}, not {sorted(texts)}")


def shown(server):
    return json.loads(server.run("zone", "show", ZONE, "--json").stdout)


def expect_counts(server, dynamic, withdrawn):
    zone = shown(server)
    got = (zone["dynamic_records"], zone["withdrawn_records"])
    require(got == (dynamic, withdrawn), f"dynamic and withdrawn records: {got}, not {(dynamic, withdrawn)}")


def eventually(what, condition, seconds=PATIENCE):
    end = time.monotonic() + seconds
    while not condition():
        require(time.monotonic() < end, f"not within {seconds} s: {what}")
        time.sleep(0.02)


def restart(server):
    server.kill()
    server.start()


def reload(server, file, serial, lines):
    write_file(file, serial, lines)
    server.run("zone", "reload", ZONE)


def file_and_updates(report, server, file):
    lines = ["www A 192.0.2.1", "www A 192.0.2.2", "old A 192.0.2.3", "alias CNAME www", "plain A 192.0.2.4"]
    with report.case("an update adds records and withdraws some of the file; zone show counts both"):
        update(server, "add dyn.day.test 300 A 198.51.100.1", "add www.day.test 300 A 198.51.100.2",
               "delete www.day.test A 192.0.2.2", "delete old.day.test A 192.0.2.3")
        expect_held(server, "www", "A", "192.0.2.1", "198.51.100.2")
        expect_held(server, "old", "A")
        expect_counts(server, 2, 2)
    with report.case("zone export has what was added, and not what was withdrawn"):
        text = server.run("zone", "export", ZONE).stdout
        require("198.51.100.1" in text and "198.51.100.2" in text, "an update is missing")
        require("192.0.2.2" not in text and "192.0.2.3" not in text, "a withdrawn record is exported")
    with report.case("a reload of an edited file keeps both"):
        lines.append("new A 192.0.2.5")
        reload(server, file, 2, lines)
        expect_held(server, "new", "A", "192.0.2.5")
        expect_held(server, "dyn", "A", "198.51.100.1")
        expect_held(server, "www", "A", "192.0.2.1", "198.51.100.2")
        expect_held(server, "old", "A")
        expect_counts(server, 2, 2)
    with report.case("a restart after kill -9, and a reload of the same file, keep both"):
        restart(server)
        server.run("zone", "reload", ZONE)
        expect_held(server, "www", "A", "192.0.2.1", "198.51.100.2")
        expect_held(server, "old", "A")
        expect_counts(server, 2, 2)
    with report.case("a withdrawn record comes back once the file drops it and has it again"):
        reload(server, file, 3, [line for line in lines if not line.startswith("old")])
        expect_counts(server, 2, 1)
        reload(server, file, 4, lines)
        expect_held(server, "old", "A", "192.0.2.3")
        expect_counts(server, 2, 1)
    with report.case("a withdrawn record comes back by an update, as the file's own"):
        update(server, "add www.day.test 300 A 192.0.2.2")
        expect_held(server, "www", "A", "192.0.2.1", "192.0.2.2", "198.51.100.2")
        expect_counts(server, 2, 0)
        reload(server, file, 5, [line for line in lines if line != "www A 192.0.2.2"])
        expect_held(server, "www", "A", "192.0.2.1", "198.51.100.2")
        reload(server, file, 6, lines)
    with report.case("a record that the file takes up as well goes when neither has it"):
        reload(server, file, 7, [*lines, "dyn A 198.51.100.1"])
        expect_held(server, "dyn", "A", "198.51.100.1")
        update(server, "delete dyn.day.test A 198.51.100.1")
        expect_held(server, "dyn", "A")
        reload(server, file, 8, lines)
        expect_held(server, "dyn", "A")
    with report.case("a CNAME of the file does not stand beside what an update added"):
        update(server, "add later.day.test 300 A 198.51.100.3")
        write_file(file, 9, [*lines, "later CNAME www"])
        done = server.run("zone", "reload", ZONE, check=False)
        types = {rtype for rtype in ("A", "CNAME") if held(server, "later", rtype)}
        require(len(types) == 1, f"both stand there: {types} ({done.stderr}{done.stdout})")
        print(f"        {types.pop()} is served")
        reload(server, file, 10, lines)
    with report.case("data of the file does not stand beside a CNAME that an update added"):
        update(server, "add turned.day.test 300 CNAME www.day.test.")
        write_file(file, 11, [*lines, "turned A 192.0.2.9"])
        server.run("zone", "reload", ZONE, check=False)
        query = dns.message.make_query(f"turned.{ZONE}", "ANY")
        reply = dns.query.tcp(query, LOOPBACK, port=server.port, timeout=3)
        types = {rrset.rdtype for rrset in reply.answer if rrset.rdtype in (1, 5)}
        require(len(types) == 1, f"both stand there: {types}")
        reload(server, file, 12, lines)
    with report.case("an update of a name of the file that is a CNAME is passed over, and its deletion makes room"):
        update(server, "add alias.day.test 300 A 198.51.100.4")
        expect_held(server, "alias", "CNAME", "www.day.test.")
        update(server, "delete alias.day.test CNAME", "add alias.day.test 300 A 198.51.100.4")
        reload(server, file, 13, [*lines, "another A 192.0.2.10"])
        expect_held(server, "alias", "A", "198.51.100.4")
        restart(server)
        expect_held(server, "alias", "A", "198.51.100.4")
    with report.case("the serial never goes back, whatever the file says, and the zone validates"):
        before = shown(server)["serial"]
        reload(server, file, 1, lines)
        require(shown(server)["serial"] >= before, "the serial went back")
        path = server.folder / "export"
        path.write_text(server.run("zone", "export", ZONE).stdout)
        run_tool("dnssec-verify", "-q", "-o", ZONE, path)
    with report.case("zone reload of a file that is broken changes nothing"):
        before = zone_wire.fetch(LOOPBACK, server.port, ZONE)
        write_file(file, 20, [*lines, "broken A not-an-address"])
        require(server.run("zone", "reload", ZONE, check=False).returncode == 1, "not refused")
        require(zone_wire.fetch(LOOPBACK, server.port, ZONE).records == before.records, "the zone is another")
        write_file(file, 20, lines)


def make_secondary(*ports):
    options = {"primaries": [{"address": f"{LOOPBACK}@{port}", "key": KEY[0]} for port in ports], "allow-update": [{"key": KEY[0]}],
               "allow-transfer": ["127.0.0.0/8"]}
    return peers.Ours([servers.Zone(ZONE, "/dev/null", options=options)], addresses=[LOOPBACK], options=KEYS)


def forwarding(report, kind, folder):
    file = folder / f"{kind}.zone"
    write_file(file, 1, ["www A 192.0.2.1"])
    with servers.start(kind, [servers.Zone(ZONE, file)], addresses=[LOOPBACK], update_key=KEY) as primary, \
         make_secondary(primary.port) as secondary:
        with report.case(f"{kind}: an update sent to our secondary is done by the primary"):
            update(secondary, "add sent.day.test 300 A 198.51.100.1")
            expect_held(primary, "sent", "A", "198.51.100.1")
        with report.case(f"{kind}: the answer of the primary comes back, and signed with the client's key"):
            update(secondary, "prereq yxdomain nobody.day.test", "add no.day.test 300 A 198.51.100.1", rcode="NXDOMAIN")
            update(secondary, "add www.elsewhere.test 300 A 198.51.100.1", rcode="NOTZONE")
            expect_held(primary, "no", "A")
        with report.case(f"{kind}: an update without a signature is refused by the secondary itself"):
            message = dns.message.from_wire(update_octets())
            reply = dns.query.tcp(message, LOOPBACK, port=secondary.port, timeout=3)
            require(reply.rcode() == dns.rcode.REFUSED, dns.rcode.to_text(reply.rcode()))
        with report.case(f"{kind}: of a primary that is gone the client is told SERVFAIL, with the reason"):
            primary.kill()
            began = time.monotonic()
            query = dns.message.from_wire(update_octets())
            query.use_edns(0)
            query.use_tsig({dns.name.from_text(KEY[0]): dns.tsig.Key(KEY[0], KEY[1], "hmac-sha256")})
            reply = dns.query.tcp(query, LOOPBACK, port=secondary.port, timeout=15)
            require(reply.rcode() == dns.rcode.SERVFAIL, dns.rcode.to_text(reply.rcode()))
            require(any(int(option.otype) == 15 for option in reply.options), "no extended error (RFC 8914)")
            require(time.monotonic() - began < 11, "it took longer than the limit")
        with report.case(f"{kind}: the secondary still serves"):
            expect_held(secondary, "www", "A", "192.0.2.1")
        with report.case(f"{kind}: a primary that takes the connection and says nothing is given up"):
            with socket.socket() as silent:
                silent.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                silent.bind((LOOPBACK, primary.port))
                silent.listen()
                reply = dns.query.tcp(query, LOOPBACK, port=secondary.port, timeout=15)
                require(reply.rcode() == dns.rcode.SERVFAIL, dns.rcode.to_text(reply.rcode()))
        if report.failed:
            print(secondary.log_tail(15), primary.log_tail(10), sep="\n")


class Pretender:
    """Takes connections where a primary was, and answers each with what `answer` makes of the query."""

    def __init__(self, port, answer):
        self.listener = socket.create_server((LOOPBACK, port))
        self.answer, self.asked = answer, 0
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                with connection, contextlib.suppress(OSError, zone_wire.TransferError):
                    query = zone_wire.receive_exactly(connection, struct.unpack("!H", zone_wire.receive_exactly(connection, 2))[0])
                    self.asked += 1
                    connection.sendall(self.answer(query))

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


def framed(message):
    return struct.pack("!H", len(message)) + message


NONSENSE = {
    "octets at random": lambda query: framed(os.urandom(300)),
    "the query itself": framed,
    "another ID": lambda query: framed(bytes([query[0] ^ 1, query[1], 0xA8, 0]) + query[4:]),
    "a reply without a signature": lambda query: framed(query[:2] + b"\xA8\0" + b"\0\1" + bytes(6) + query[12:query.index(b"\0\6\0\1") + 4]),
    "less than it says": lambda query: b"\xff\xff" + query,
    "counts that do not hold": lambda query: framed(query[:2] + b"\xA8\0" + b"\xff" * 8 + query[12:]),
    "nothing": lambda query: b"",
}


def several_primaries(report, folder):
    files = [folder / f"several{number}.zone" for number in range(2)]
    for file in files:
        write_file(file, 1, ["www A 192.0.2.1"])
    first, second = (peers.Ours([servers.Zone(ZONE, file)], addresses=[LOOPBACK], update_key=KEY).start() for file in files)
    with first, second, make_secondary(first.port, second.port) as secondary:
        with report.case("an update goes to the first of two primaries"):
            update(secondary, "add one.day.test 300 A 198.51.100.1")
            expect_held(first, "one", "A", "198.51.100.1")
            expect_held(second, "one", "A")
        with report.case("an update that the first primary cannot be asked about is handed to the next primary [RFC 2136 §6]"):
            first.kill()
            update(secondary, "add two.day.test 300 A 198.51.100.2")
            expect_held(second, "two", "A", "198.51.100.2")
        for what, answer in NONSENSE.items():
            with report.case(f"a primary that answers nonsense is as good as none, and is not asked twice ({what}) [CVE-2026-33610]"):
                pretender = Pretender(first.port, answer)
                try:
                    began = time.monotonic()
                    update(secondary, "add three.day.test 300 A 198.51.100.3", rcode="SERVFAIL")
                    require(pretender.asked == 1, f"asked {pretender.asked} times")
                    require(time.monotonic() - began < 9, "it took until the time limit")
                finally:
                    pretender.close()
        with report.case("the secondary still serves, and hands on"):
            expect_held(secondary, "www", "A", "192.0.2.1")
            update(secondary, "add four.day.test 300 A 198.51.100.4")
            expect_held(second, "four", "A", "198.51.100.4")
            expect_held(second, "three", "A")
        if report.failed:
            print(secondary.log_tail(15))


def update_octets():
    zone = zone_wire.wire_name(ZONE)
    owner = b"\4late" + zone
    return (struct.pack("!HHHHHH", 77, 5 << 11, 1, 0, 1, 0) + zone + struct.pack("!HH", 6, 1)
            + owner + struct.pack("!HHIH", 1, 1, 300, 4) + b"\xc6\x33\x64\x09")


def main():
    report = Report("updates")
    if not pathlib.Path(peers.our_program()).exists():
        sys.exit(f"{peers.our_program()} is not built")
    with tempfile.TemporaryDirectory(prefix="steward-updates-") as name:
        folder = pathlib.Path(name)
        for denial in ("nsec", "nsec3"):
            file = folder / f"{denial}.zone"
            write_file(file, 1, ["www A 192.0.2.1", "www A 192.0.2.2", "old A 192.0.2.3", "alias CNAME www",
                                 "plain A 192.0.2.4"])
            with peers.Ours([servers.Zone(ZONE, file, dnssec={"nsec3": denial == "nsec3"})], addresses=[LOOPBACK],
                            options={"zone-files": {"watch": False}}, update_key=KEY) as server:
                file_and_updates(report, server, file)
                if report.failed:
                    print(server.log_tail(20))
        for kind in ("ours", "bind", "knot"):
            forwarding(report, kind, folder)
        several_primaries(report, folder)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
