#!/usr/bin/python3
"""Has validators of others judge what our server signs: delv, Unbound, ldns-verify-zone, dnssec-verify and dnsviz.

    validate.py [--server ours|knot] [--only WORD]

One server signs a zone with each policy (NSEC, NSEC3, opt-out, CSK, Ed25519, RSASHA256) and the sample agents' zone.
Each is validated over the wire with its DS as the only trust anchor, and once as a whole from an export. Nothing leaves
the machine.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]

import dns.dnssec
import dns.flags
import dns.message
import dns.query
import dns.rcode

import peers
import servers
from report import Report, require
from signing import run_tool

SAMPLE = "vibe-agency.com.steward-registry.org."
POLICIES = {
    "nsec.valid.test.": True,
    "nsec3.valid.test.": {"nsec3": True},
    "opt-out.valid.test.": {"nsec3": {"opt-out": True}},
    "csk.valid.test.": {"csk": True},
    "ed25519.valid.test.": {"algorithm": "ed25519"},
    "rsasha256.valid.test.": {"algorithm": "rsasha256", "nsec3": True},
    SAMPLE: True,
}
# What is asked in the zone of tests/conformance/zones/signed.zone: (relative name, type, rcode, secure)
QUESTIONS = [("a", "TXT", "NOERROR", True), ("a", "MX", "NOERROR", True), ("", "DNSKEY", "NOERROR", True),
             ("", "SOA", "NOERROR", True),
             ("missing", "A", "NXDOMAIN", True), ("x.y.missing", "A", "NXDOMAIN", True), ("q.w", "MX", "NOERROR", True),
             ("q.r.w", "AAAA", "NOERROR", True), ("ent", "A", "NOERROR", True), ("q.wc", "A", "NOERROR", True),
             ("alias", "A", "NOERROR", True), ("dangling", "A", "NXDOMAIN", True), ("x.dn", "A", "NXDOMAIN", True),
             ("secure", "DS", "NOERROR", True), ("insecure", "DS", "NOERROR", True)]
AGENT = "vibe-agency-orchestrator"
SAMPLE_QUESTIONS = [(AGENT, "TXT", "NOERROR", True), (AGENT, "SRV", "NOERROR", True), (AGENT, "SVCB", "NOERROR", True),
                    (AGENT, "KEY", "NOERROR", True), (AGENT, "A", "NOERROR", True), ("_agents", "TXT", "NOERROR", True),
                    ("no-such-agent", "TXT", "NXDOMAIN", True), ("_index._agents", "TXT", "NOERROR", True)]


def questions_of(zone):
    questions = SAMPLE_QUESTIONS if zone == SAMPLE else QUESTIONS
    for relative, rdtype, rcode, secure in questions:
        # RFC 5155 §12.1.1: with opt-out a missing name or DS in an opt-out span is insecure, not bogus
        in_span = zone.startswith("opt-out") and (rcode == "NXDOMAIN"
                                                  or relative in ("insecure", "q.w", "q.r.w", "q.wc"))
        yield (f"{relative}.{zone}" if relative else zone), rdtype, rcode, secure and not in_span


def ds_lines(server, zone):
    """The DS records of the zone's secure entry points, from its DNSKEY RRset."""
    reply = dns.query.tcp(dns.message.make_query(zone, "DNSKEY"), server.address, port=server.port, timeout=5)
    keys = next(rrset for rrset in reply.answer if rrset.rdtype == 48)
    return [f"{zone} 3600 IN DS {dns.dnssec.make_ds(zone, key, 'SHA256')}" for key in keys if key.flags & 1]


def dnskey_lines(server, zone):
    reply = dns.query.tcp(dns.message.make_query(zone, "DNSKEY"), server.address, port=server.port, timeout=5)
    keys = next(rrset for rrset in reply.answer if rrset.rdtype == 48)
    return [f"{zone} 3600 IN DNSKEY {key.to_text()}" for key in keys if key.flags & 1]


def export_zone(server, zone, path):
    """The whole zone as a file: `zone export` of ours, a transfer from others."""
    if server.kind == "ours":
        path.write_text(server.run("zone", "export", zone).stdout)
    else:
        path.write_text(run_tool("dig", f"@{server.address}", "-p", server.port, "+onesoa", "+nocomments", "+nocmd",
                                 "+nostats",
                                 zone, "AXFR"))
    require(path.stat().st_size > 1000, f"the export has {path.stat().st_size} octets only")
    return path


def check_delv(server, zone, folder):
    anchors = folder / f"{zone}delv"
    fields = [line.split() for line in ds_lines(server, zone)]
    anchors.write_text("".join(f'trust-anchors {{ "{zone}" static-ds {f[4]} {f[5]} {f[6]} "{f[7]}"; }};\n'
                               for f in fields))
    for name, rdtype, rcode, secure in questions_of(zone):
        done = subprocess.run([servers.find_program("delv"), f"@{server.address}", "-p", str(server.port), "-a",
                               anchors,
                               f"+root={zone}", name, rdtype], capture_output=True, text=True, check=False, timeout=30)
        if secure:
            require("fully validated" in done.stdout,
                    f"{name} {rdtype}: {done.stdout.strip()[:200]}{done.stderr.strip()[:200]}")


def check_unbound(unbound, zone):
    for name, rdtype, rcode, secure in questions_of(zone):
        query = dns.message.make_query(name, rdtype, want_dnssec=True)
        query.flags |= dns.flags.AD
        reply = dns.query.tcp(query, unbound.address, port=unbound.port, timeout=10)
        got = dns.rcode.to_text(reply.rcode())
        require(got == rcode, f"{name} {rdtype}: {got}, not {rcode}: {unbound.log_tail(6)}")
        require(bool(reply.flags & dns.flags.AD) or not secure,
                f"{name} {rdtype}: not validated: {unbound.log_tail(6)}")


def check_dnsviz(server, zone, folder):
    anchors = folder / f"{zone}dnsviz"
    anchors.write_text("\n".join(dnskey_lines(server, zone)) + "\n")
    probe = run_tool("dnsviz", "probe", "-4", "-A", "-x",
                     f"{zone.rstrip('.')}+:ns1.{zone.rstrip('.')}={server.address}:{server.port}",
                     zone)
    errors = run_tool("dnsviz", "grok", "-l", "error", text_input=probe)
    require('"errors"' not in errors, errors[:1500])
    shown = run_tool("dnsviz", "print", "-t", anchors, text_input=probe)
    require("[.]" in shown and "[!]" not in shown and "[?]" not in shown, shown[:1500])


def check_whole_zone(server, zone, folder):
    path = export_zone(server, zone, folder / f"{zone}export")
    run_tool("ldns-verify-zone", "-V", "1", path)
    run_tool("dnssec-verify", "-q", *(["-z"] if zone.startswith("csk") else []), "-o", zone, path)


def check_ds_command(server, zone):
    """`zone keys` names the DS that the zone's DNSKEY has."""
    reply = json.loads(server.run("zone", "keys", zone, "--json").stdout)
    named = {" ".join(line.split()[-4:]).upper() for key in reply["keys"] for line in key["ds"]}
    for line in ds_lines(server, zone):
        require(" ".join(line.split()[-4:]).upper() in named, f"{line} is not among {named}")


def check_wrong_anchor(server, zone):
    """The proof that the validator looks: with another DS the zone is bogus."""
    wrong = [line[:-8] + ("0" * 8 if line[-8:] != "0" * 8 else "1" * 8) for line in ds_lines(server, zone)]
    with peers.Unbound({zone: f"{server.address}@{server.port}"}, wrong, addresses=["127.0.0.1"]) as unbound:
        reply = dns.query.tcp(dns.message.make_query(zone, "SOA", want_dnssec=True), unbound.address,
                              port=unbound.port, timeout=10)
        require(reply.rcode() == dns.rcode.SERVFAIL, f"{dns.rcode.to_text(reply.rcode())} with a wrong trust anchor")


def validate(report, server, folder, names):
    anchors = [line for zone in names for line in ds_lines(server, zone)]
    stubs = {zone: f"{server.address}@{server.port}" for zone in names}
    with peers.Unbound(stubs, anchors, addresses=["127.0.0.1"]) as unbound:
        for zone in names:
            with report.case(f"Unbound validates {zone}"):
                check_unbound(unbound, zone)
    with report.case("Unbound refuses a zone whose DS is another"):
        check_wrong_anchor(server, names[0])
    for zone in names:
        with report.case(f"delv validates {zone}"):
            check_delv(server, zone, folder)
        with report.case(f"dnsviz finds no error in {zone}"):
            check_dnsviz(server, zone, folder)
        with report.case(f"ldns-verify-zone and dnssec-verify accept an export of {zone}"):
            check_whole_zone(server, zone, folder)
        if server.kind == "ours":
            with report.case(f"zone keys names the DS of {zone}"):
                check_ds_command(server, zone)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", choices=["ours", "knot"], default="ours")
    parser.add_argument("--only", default="", help="the policies whose zone's name holds this word")
    arguments = parser.parse_args()
    source = HERE.parent / "conformance" / "zones" / "signed.zone"
    sample = servers.ROOT / "zones" / (SAMPLE + "zone")
    report = Report("validate")
    with tempfile.TemporaryDirectory(prefix="steward-validate-") as name:
        folder = pathlib.Path(name)
        zones = [servers.Zone(zone, sample if zone == SAMPLE else source, dnssec=policy)
                 for zone, policy in POLICIES.items() if arguments.only in zone]
        with servers.start(arguments.server, zones, addresses=["127.0.0.1"]) as server:
            validate(report, server, folder, [zone.name for zone in zones])
            if report.failed:
                print(server.log_tail(15))
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
