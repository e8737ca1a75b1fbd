#!/usr/bin/python3
"""Digests of whole zones (ZONEMD, RFC 8976) at work: those that we make are right by others' rules, a transfer whose digest is wrong is refused.

dnspython, ldns-verify-zone and knotd look at what we serve; the primary of a tampered transfer is a few lines of Python.
"""

import pathlib
import socket
import struct
import subprocess
import sys
import tempfile
import threading

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))

import dns.flags
import dns.message
import dns.query
import dns.rdatatype
import dns.rrset
import dns.zone

import peers
from registry import Registry, eventually, outcome, wait_for
from report import Report, require
from servers import find_program, free_port

ZONE = "digest.test."
LOOPBACK = ["127.0.0.0/8"]
HASHES = {"sha384": 1, "sha512": 2}
DNSSEC = {"unsigned": False, "NSEC": True, "NSEC3": {"nsec3": True}}


CUT = "cut NS ns.cut\nns.cut A 192.0.2.9\n"


def text(serial, address="192.0.2.1", cut=CUT):
    return f"$TTL 60\n@ SOA ns Hostmaster {serial} 3600 600 86400 60\n@ NS ns\nns A {address}\n*.w TXT x\n{cut}"


def transfer(server):
    return dns.zone.from_xfr(dns.query.xfr("127.0.0.1", ZONE, port=server.port, relativize=False, lifetime=5), relativize=False)


def check(zone, path, number):
    """By two that are not us."""
    record = zone.get_rdataset(ZONE, "ZONEMD")
    require(record is not None and [row.hash_algorithm for row in record] == [number], str(record))
    zone.verify_digest()
    zone.to_file(str(path), relativize=False, sorted=True)
    words = [find_program("ldns-verify-zone"), "-ZZ", str(path)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    require("Could not validate zone digest" not in done.stdout + done.stderr, done.stdout + done.stderr)


def made_here(report, folder):
    for kind, dnssec in DNSSEC.items():
        for name, number in HASHES.items():
            path = folder / f"{kind}-{name}.zone"
            cut = "" if kind == "NSEC3" else CUT  # ldns-verify-zone 1.8.3 never ends with NSEC3 and a cut
            path.write_text(text(1, cut=cut))
            entry = {"name": ZONE, "file": str(path), "zonemd": name, "dnssec": dnssec, "allow-transfer": LOOPBACK}
            with Registry([entry]) as ours:
                with report.case(f"{kind}, {name}: dnspython and ldns believe the digest that we made"):
                    eventually(lambda: f"served\n{ours.log_tail()}", lambda: isinstance(outcome(ours, ZONE), int))
                    check(transfer(ours), folder / "transferred.zone", number)
                with report.case(f"{kind}, {name}: and the one after a change"):
                    before = outcome(ours, ZONE)
                    path.write_text(text(2 if dnssec is False else 100, "192.0.2.77", cut))
                    ours.run("zone", "reload", ZONE)
                    require(outcome(ours, ZONE) > before, "the serial did not move")
                    check(transfer(ours), folder / "transferred.zone", number)


class VerifyingKnot(peers.Knot):
    """knotd that takes the zone from us only with a digest that is right."""

    def __init__(self, primary):
        super().__init__([], addresses=["127.0.0.1"])
        self.primary = primary

    def write_config(self):
        super().write_config()
        path = self.folder / "knot.conf"
        before, zones = path.read_text().split("\nzone:")
        head, tail = before.split("\ntemplate:\n")
        remote = f"remote:\n  - id: primary\n    address: 127.0.0.1@{self.primary.port}\n"
        zone = f"  - domain: {ZONE}\n    master: primary\n    zonemd-verify: on\n"
        path.write_text(f"{head}\n{remote}template:\n{tail}\nzone:{zones}\n{zone}")


def knot_verifies(report, folder):
    path = folder / "knot.zone"
    path.write_text(text(5))
    with Registry([{"name": ZONE, "file": str(path), "zonemd": "sha384", "dnssec": True, "allow-transfer": LOOPBACK}]) as ours:
        with report.case("knotd takes a zone with our digest, and wants one"):
            eventually(lambda: f"served by us\n{ours.log_tail()}", lambda: isinstance(outcome(ours, ZONE), int))
            with VerifyingKnot(ours) as knot:
                eventually(lambda: f"served by knotd\n{knot.log_tail()}", lambda: outcome(knot, ZONE) == outcome(ours, ZONE) != "REFUSED")


class Primary:
    """Serves one zone's SOA and AXFR, whatever is in it."""

    def __init__(self):
        self.port = free_port(["127.0.0.1"])
        self.records = []
        self.datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.listener = socket.create_server(("127.0.0.1", self.port))
        self.datagrams.bind(("127.0.0.1", self.port))
        threading.Thread(target=self.serve_udp, daemon=True).start()
        threading.Thread(target=self.serve_tcp, daemon=True).start()

    def load(self, zone):
        """A dnspython zone: from now on it is this one."""
        soa = zone.get_rdataset(ZONE, "SOA")
        rows = [dns.rrset.from_rdata_list(ZONE, soa.ttl, list(soa))]
        for name, rdataset in zone.iterate_rdatasets():
            if rdataset.rdtype != dns.rdatatype.SOA:
                rows.append(dns.rrset.from_rdata_list(name, rdataset.ttl, list(rdataset)))
        self.records = [*rows, rows[0]]

    def reply_to(self, wire):
        query = dns.message.from_wire(wire)
        reply = dns.message.make_response(query)
        reply.flags |= dns.flags.AA
        whole = query.question[0].rdtype in (dns.rdatatype.AXFR, dns.rdatatype.IXFR)
        reply.answer = self.records if whole else self.records[:1]
        # The same RRset twice is one for dnspython: the last record is written by hand.
        out = reply.to_wire(want_shuffle=False) if not whole else join(reply, self.records)
        return out

    def serve_udp(self):
        while True:
            wire, client = self.datagrams.recvfrom(4096)
            self.datagrams.sendto(self.reply_to(wire), client)

    def serve_tcp(self):
        while True:
            stream, _ = self.listener.accept()
            threading.Thread(target=self.serve_stream, args=(stream,), daemon=True).start()

    def serve_stream(self, stream):
        with stream:
            while head := stream.recv(2, socket.MSG_WAITALL):
                wire = self.reply_to(stream.recv(struct.unpack("!H", head)[0], socket.MSG_WAITALL))
                stream.sendall(struct.pack("!H", len(wire)) + wire)


def join(reply, rrsets):
    """A message of these RRsets in this order, without compression."""
    reply.answer = []
    wire = bytearray(reply.to_wire())
    require(not reply.opt, "an OPT record would stand behind the answer")
    count = 0
    for rrset in rrsets:
        for rdata in rrset:
            octets = rdata.to_wire()
            wire += rrset.name.to_wire() + struct.pack("!HHIH", rrset.rdtype, 1, rrset.ttl, len(octets)) + octets
            count += 1
    wire[6:8] = struct.pack("!H", count)
    return bytes(wire)


def with_digest(serial, address, tampered=False):
    zone = dns.zone.from_text(text(serial, address), ZONE, relativize=False)
    digest = zone.compute_digest(1)
    rdataset = zone.find_rdataset(ZONE, "ZONEMD", create=True)
    rdataset.add(digest, 60)
    if tampered:
        rows = zone.find_rdataset("ns." + ZONE, "A")
        rows.clear()
        rows.add(dns.rdata.from_text("IN", "A", "203.0.113.66"), 60)
    return zone


def taken_from_others(report, folder):
    primary = Primary()
    primary.load(with_digest(1, "192.0.2.1"))
    entry = {"name": ZONE, "primaries": [f"127.0.0.1@{primary.port}"]}
    with Registry([entry]) as ours:
        with report.case("a transfer with a digest that is right is served"):
            wait_for(ours, ZONE, 1)
        with report.case("one that was changed on its way is refused, and the zone before it kept"):
            primary.load(with_digest(2, "192.0.2.2", tampered=True))
            ours.run("zone", "reload", ZONE)
            eventually(lambda: f"refused\n{ours.log_tail()}", lambda: "outcome=refused" in ours.log_text())
            require(outcome(ours, ZONE) == 1 and outcome(ours, "ns." + ZONE, "A") == ["192.0.2.1"], "another zone is served")
            require("ZONEMD" in ours.log_text() or "digest" in ours.log_text(), ours.log_tail())
        with report.case("and the next one that is right is served"):
            primary.load(with_digest(3, "192.0.2.3"))
            ours.run("zone", "reload", ZONE)
            wait_for(ours, ZONE, 3)
        with report.case("required: a zone without a digest is refused"):
            ours.entries = [{**entry, "zonemd-verify": "required"}]
            ours.reload()
            primary.load(dns.zone.from_text(text(4), ZONE, relativize=False))
            refusals = ours.log_text().count("outcome=refused")
            ours.run("zone", "reload", ZONE)
            eventually(lambda: f"refused\n{ours.log_tail()}", lambda: ours.log_text().count("outcome=refused") > refusals)
            require(outcome(ours, ZONE) == 3, "another zone is served")


def main():
    report = Report("zone digests at work")
    with tempfile.TemporaryDirectory(prefix="steward-digests-") as name:
        for part in (made_here, knot_verifies, taken_from_others):
            part(report, pathlib.Path(name))
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
