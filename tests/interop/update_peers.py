#!/usr/bin/python3
"""Sends the same UPDATEs to several servers and explains every difference.

    update_peers.py [--servers knot,bind] [--server ours] [--only NAME]

Each script of update_scripts.py has a zone of its own at each server and goes there with TSIG, by nsupdate, or octet for octet
where nsupdate would not send it. Compared are the response codes, the zone afterwards (by AXFR, without what a signer
makes) and whether the serial moved. The first server is compared with each other one; a difference is explained by
a rule of RULES, named and counted, or fails the run.
"""

import argparse
import collections
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]

import dns.name
import dns.query
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rdtypes.ANY.TSIG
import dns.tsig
import dns.zone

import report
import servers
from update_scripts import SCRIPTS, ZONE

KEY = ("update.", "c3Rld2FyZC1zdGV3YXJkLXN0ZXdhcmQtc3Rld2FyZCE=")
SIGNERS = {"RRSIG", "NSEC", "NSEC3", "NSEC3PARAM", "DNSKEY", "CDS", "CDNSKEY", "TYPE65534"}
TIMEOUT = 30


@dataclass(frozen=True)
class Outcome:
    rcodes: tuple
    content: tuple
    moved: bool


@dataclass(frozen=True)
class Rule:
    """A habit of one server: in these scripts it differs in these fields of an Outcome."""

    name: str
    server: str
    scripts: tuple
    fields: tuple = ("rcodes",)


ALL = ("rcodes", "content", "moved")
RULES = [
    # RFC 2136 §3.4.2.2 has the record "replaced", with its TTL.
    Rule("the TTL of a record that is there stays", "knot", ("add-new-ttl",), ("content", "moved")),
    Rule("3.2 ends when a DNAME is to be replaced (RFC 6672 §5.2)", "knot", ("dname-replaced",), ALL),
    Rule("a name below a DNAME is refused (RFC 6672 §5.2 takes and hides it)", "knot", ("below-dname",), ALL),
    Rule("WKS are not replaced by address and protocol (RFC 2136 §3.4.2.2)", "knot", ("wks-replaced",), ("content",)),
    Rule("MAILA may be deleted (RFC 2136 §3.4.1.2 has FORMERR)", "knot", ("update-type-maila",)),
    Rule("the TTL of a deletion is not looked at (RFC 2136 §3.4.1.2)", "knot", ("update-ttl-any",), ALL),
    Rule("two zone records are not answered (RFC 2136 §3.1.1)", "knot", ("two-zones",)),
    Rule("the deletion of NSEC and RRSIG is taken, and does nothing", "knot", ("signed-nsec", "signed-rrsig")),
    Rule("DNAME and NS beside each other are taken (RFC 6672 §2.3)", "bind", ("dname-beside-ns",), ALL),
    Rule("a name server of the zone needs an address in it", "bind", ("replace-last-ns",), ALL),
    Rule("a type ANY prerequisite of the zone's class is one by value", "bind", ("prerequisite-type-any",)),
    Rule("records that the signer makes are refused", "ours", ("signed-dnskey", "signed-cds", "signed-nsec3param")),
]


def zone_name(script):
    return f"{script.name}.test."


def parts_of(text):
    return [part for part in re.split(r"\n\n+", text) if part.strip()]


def by_nsupdate(server, script):
    """The response code of each part of the script."""
    rcodes = []
    for part in parts_of(script.text):
        lines = [f"server {server.address} {server.port}", f"zone {zone_name(script)}"]
        lines += [line for line in part.format(z=zone_name(script)).splitlines() if not line.startswith("zone ")]
        done = subprocess.run([servers.find_program("nsupdate"), "-t", str(TIMEOUT), "-y", f"hmac-sha256:{KEY[0]}:{KEY[1]}"],
                              input="\n".join(lines + ["send", ""]), capture_output=True, text=True, timeout=60, check=False)
        failed = re.search(r"update failed: (\w+)", done.stderr)
        if done.returncode != 0 and not failed:
            raise report.Failed(f"{server.kind}: {script.name}: nsupdate: {done.stderr.strip()}\n{server.log_tail(5)}")
        rcodes.append(failed.group(1) if failed else "NOERROR")
    return tuple(rcodes)


def by_hand(server, script):
    """The same for octets that are sent as they are, with a TSIG behind."""
    wire = script.raw(zone_name(script))
    key = dns.tsig.Key(KEY[0], KEY[1], dns.tsig.HMAC_SHA256)
    reply = exchange(server, signed_wire(wire, key))
    return (dns.rcode.to_text(reply[3] & 15),) if len(reply) > 3 else ("NONE",)


def signed_wire(wire, key):
    """`wire` with a TSIG record behind (RFC 8945 §5.3)."""
    template = dns.rdtypes.ANY.TSIG.TSIG(dns.rdataclass.ANY, dns.rdatatype.TSIG, key.algorithm, int(time.time()), 300, b"",
                                         int.from_bytes(wire[:2], "big"), 0, b"")
    rdata, _ = dns.tsig.sign(wire, key, template, int(time.time()), b"", None, False)
    data = rdata.to_wire()
    record = key.name.to_wire() + bytes([0, 250, 0, 255, 0, 0, 0, 0]) + len(data).to_bytes(2, "big") + data
    count = int.from_bytes(wire[10:12], "big") + 1
    return wire[:10] + count.to_bytes(2, "big") + wire[12:] + record


def exchange(server, wire):
    """The reply over UDP, nothing where there is none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(TIMEOUT)
        client.sendto(wire, (server.address, server.port))
        try:
            return client.recv(65535)
        except TimeoutError:
            return b""


def content_of(server, name):
    """(records as sorted lines, the SOA's without its serial, and the serial)."""
    zone = dns.zone.Zone(dns.name.from_text(name), relativize=False)
    dns.query.inbound_xfr(server.address, zone, port=server.port, timeout=TIMEOUT)
    lines, serial = [], None
    for owner, ttl, rdata in zone.iterate_rdatas():
        rdtype = dns.rdatatype.to_text(rdata.rdtype)
        if rdtype in SIGNERS:
            continue
        if rdtype == "SOA":
            serial, rdata = rdata.serial, rdata.replace(serial=0)
        lines.append(f"{owner} {ttl} {rdtype} {rdata.to_text()}".lower())
    return tuple(sorted(lines)), serial


def run_script(server, script):
    before = content_of(server, zone_name(script))[1]
    try:
        rcodes = by_nsupdate(server, script) if script.raw is None else by_hand(server, script)
    except report.Failed:
        try:
            server.process.wait(2)
        except subprocess.TimeoutExpired as still_there:
            raise report.Failed(f"{server.kind}: {script.name}: no answer") from still_there
        server.kill()
        server.start()
        return Outcome(("DIED",), (), False)
    # A server that signs may answer before its signed copy of the zone is there.
    content, serial = content_of(server, zone_name(script))
    return Outcome(rcodes, () if script.signed else content, script.signed or serial != before)


def differences(one, other):
    return {field for field in ("rcodes", "content", "moved") if getattr(one, field) != getattr(other, field)}


def explain(script, first, second, fields):
    """The names of the rules that explain `fields`; None where some are left."""
    used = []
    left = set(fields)
    for rule in RULES:
        if rule.server in (first, second) and script.name in rule.scripts and left & set(rule.fields):
            left -= set(rule.fields)
            used.append(f"{rule.server}: {rule.name}")
    return None if left else used


def shown(one, other, first, second):
    lines = [f"rcodes: {first} {one.rcodes}, {second} {other.rcodes}; serial moved: {first} {one.moved}, {second} {other.moved}"]
    lines += [f"only {first}: {line}" for line in one.content if line not in other.content]
    lines += [f"only {second}: {line}" for line in other.content if line not in one.content]
    return "\n        ".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--servers", default="knot,bind", help="the first is compared with each other one (default %(default)s)")
    parser.add_argument("--server", help="one more, put first")
    parser.add_argument("--only", help="the one script to run")
    arguments = parser.parse_args()
    kinds = ([arguments.server] if arguments.server else []) + arguments.servers.split(",")
    scripts = [script for script in SCRIPTS if arguments.only in (None, script.name)]
    result = report.Report("update_peers")
    counts = collections.Counter()
    with tempfile.TemporaryDirectory(prefix="steward-update-") as folder:
        file = pathlib.Path(folder) / "content.zone"
        file.write_text(ZONE)
        zones = [servers.Zone(zone_name(script), file, dnssec=script.signed) for script in scripts]
        outcomes = {}
        for kind in kinds:
            with servers.start(kind, zones, addresses=["127.0.0.1"], update_key=KEY) as server:
                outcomes[kind] = {script.name: run_script(server, script) for script in scripts}
    for script in scripts:
        for kind in kinds[1:]:
            with result.case(f"{script.name} [{script.section}]: {kinds[0]} and {kind}"):
                one, other = outcomes[kinds[0]][script.name], outcomes[kind][script.name]
                used = explain(script, kinds[0], kind, differences(one, other))
                report.require(used is not None, shown(one, other, kinds[0], kind))
                counts.update(used)
    for name, count in sorted(counts.items()):
        print(f"explained {count:3} by {name}")
    return result.finish()


if __name__ == "__main__":
    sys.exit(main())
