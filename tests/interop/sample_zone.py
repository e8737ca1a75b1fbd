#!/usr/bin/python3
"""Tests zones/: the committed sample zone is what its generator writes, and every statement in it verifies."""

import hashlib
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))

import dns.name
import dns.zone

from report import Report, require
from servers import ROOT
from statement import problems_of, rotation_problems, strings_of, values_of
from zone_text import read_zone, zone_of_text

ORIGIN = "vibe-agency.com.steward-registry.org."
ZONE_FILE = ROOT / "zones" / (ORIGIN + "zone")
AGENTS = ["vibe-agency-orchestrator", "vibe-agency-coder", "vibe-agency-deployer"]


def rdata_of(zone, owner, rdtype):
    """The canonical RDATA of an RRset, as a list."""
    rdataset = zone.get_rdataset(owner, rdtype)
    return [rdata.to_digestable() for rdata in rdataset or []]


def digest_of(octets):
    return "sha256:" + hashlib.sha256(octets).hexdigest()


def endpoint_rows(zone, owner):
    return [(number, rdata) for number, rdtype in ((33, "SRV"), (64, "SVCB")) for rdata in rdata_of(zone, owner, rdtype)]


def verify_agent(zone, agent):
    owner = dns.name.from_text(f"{agent}.{ORIGIN}")
    txt = rdata_of(zone, owner, "TXT")
    require(len(txt) == 1, f"{len(txt)} TXT records, not one")
    rows = endpoint_rows(zone, owner)
    problems = problems_of(owner, txt[0], rdata_of(zone, owner, "TYPE25"), rows)
    require(not problems, "; ".join(problems))
    return values_of(strings_of(txt[0]))


def vectors_of(page):
    """The records of a rotation and a tombstone that stand in the manual page, as a zone."""
    block = re.search(r"^(\$ORIGIN \S+\n_keys\..*?)\n\.Ed$", page, re.MULTILINE | re.DOTALL)
    require(block, "no records of a rotation in the page")
    return block.group(1), zone_of_text(f"$ORIGIN {ORIGIN}\n@ 60 SOA ns h 1 1 1 1 60\n@ 60 NS ns\n{block.group(1)}\n", ORIGIN)


def is_sound(check):
    """False too where the octets are no record at all."""
    try:
        return not check()
    except (ValueError, IndexError):
        return False


def flipped(octets, at):
    return octets[:at] + bytes([octets[at] ^ 1]) + octets[at + 1:]


def main():
    report = Report("sample zone")
    with report.case("the committed zone is what tools/make_sample_zone.py writes"):
        done = subprocess.run([ROOT / "tools" / "make_sample_zone.py", "--check"], capture_output=True, text=True,
                              check=False)
        require(done.returncode == 0, done.stdout + done.stderr)
    zone = read_zone(ZONE_FILE, ORIGIN)
    for agent in AGENTS:
        with report.case(f"the statement of {agent} verifies, and the digest of its manifest"):
            values = verify_agent(zone, agent)
            manifest = b"".join(strings_of(rdata_of(zone, f"_manifest.{agent}.{ORIGIN}", "TXT")[0]))
            require(values["digest"].decode() == digest_of(manifest), "digest= does not match _manifest")
    with report.case("a changed octet in a statement does not verify"):
        owner = dns.name.from_text(f"{AGENTS[0]}.{ORIGIN}")
        changed = rdata_of(zone, owner, "TXT")[0].replace(b"version=1.4.2", b"version=1.4.3")
        rows = [(33, rdata) for rdata in rdata_of(zone, owner, "SRV")]
        problems = problems_of(owner, changed, rdata_of(zone, owner, "TYPE25"), rows)
        require(len(problems) == 2, f"expected a wrong signature and a wrong ep, got {problems}")
    with report.case("the test vectors of steward-records(7) are those of the zone"):
        page = (ROOT / "man" / "steward-records.7").read_text(encoding="utf-8")
        values = verify_agent(zone, AGENTS[0])
        for key in ("fp", "ep", "sig", "version", "modified", "capabilities", "desc"):
            require(values[key].decode() in page, f"{key}= of {AGENTS[0]} is not in the man page")
    with report.case("the rotation and the tombstone of steward-records(7) are what the generator writes, and verify"):
        text, vectors = vectors_of(page)
        printed = subprocess.run([ROOT / "tools" / "make_sample_zone.py", "--vectors"], capture_output=True, text=True,
                                 check=True).stdout
        require(text == printed.strip(), "the page's records are others")
        owner = dns.name.from_text(f"{AGENTS[0]}.{ORIGIN}")
        values = verify_agent(vectors, AGENTS[0])
        require(values["status"] == b"revoked", "the tombstone is not revoked")
        keys = rdata_of(zone, owner, "TYPE25") + rdata_of(vectors, owner, "TYPE25")
        rotation = rdata_of(vectors, f"_keys.{AGENTS[0]}.{ORIGIN}", "TXT")[0]
        problems = rotation_problems(owner, rotation, keys)
        require(not problems, "; ".join(problems))
        links = values_of(strings_of(rotation))
        require(links["old"] == verify_agent(zone, AGENTS[0])["fp"] and links["new"] == values["fp"],
                "the rotation does not lead from the zone's key to the tombstone's")
    with report.case("no changed octet of a statement, a row or a rotation verifies"):
        for records, known in ((zone, []), (vectors, rdata_of(zone, owner, "TYPE25"))):
            txt, keys = rdata_of(records, owner, "TXT")[0], rdata_of(records, owner, "TYPE25")
            rows = endpoint_rows(records, owner)
            for at in range(len(txt)):
                require(not is_sound(lambda: problems_of(owner, flipped(txt, at), keys, rows)), f"octet {at} changed")
            for number, (rdtype, rdata) in enumerate(rows):
                for at in range(len(rdata)):
                    changed = [*rows[:number], (rdtype, flipped(rdata, at)), *rows[number + 1:]]
                    require(problems_of(owner, txt, keys, changed), f"octet {at} of row {number} changed")
        for at in range(len(rotation)):
            require(not is_sound(lambda: rotation_problems(owner, flipped(rotation, at), keys + known)),
                    f"octet {at} of the rotation changed")
    with report.case("SOA and its MINIMUM are at most 60 seconds, so that a new agent is seen soon"):
        soa = zone.get_rdataset(ORIGIN, "SOA")
        require(soa.ttl <= 60 and soa[0].minimum <= 60, f"TTL {soa.ttl}, MINIMUM {soa[0].minimum}")
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
