#!/usr/bin/python3
"""Tests zones/: the committed sample zone is what its generator writes, and every statement in it verifies."""

import hashlib
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))

import dns.name

from report import Report, require
from servers import ROOT
from statement import problems_of, strings_of, values_of
from zone_text import read_zone

ORIGIN = "vibe-agency.com.steward-registry.org."
ZONE_FILE = ROOT / "zones" / (ORIGIN + "zone")
AGENTS = ["vibe-agency-orchestrator", "vibe-agency-coder", "vibe-agency-deployer"]


def rdata_of(zone, owner, rdtype):
    """The canonical RDATA of an RRset, as a list."""
    rdataset = zone.get_rdataset(owner, rdtype)
    return [rdata.to_digestable() for rdata in rdataset or []]


def digest_of(octets):
    return "sha256:" + hashlib.sha256(octets).hexdigest()


def verify_agent(zone, agent):
    owner = dns.name.from_text(f"{agent}.{ORIGIN}")
    txt = rdata_of(zone, owner, "TXT")
    require(len(txt) == 1, f"{len(txt)} TXT records, not one")
    rows = [(number, rdata) for number, rdtype in ((33, "SRV"), (64, "SVCB"))
            for rdata in rdata_of(zone, owner, rdtype)]
    problems = problems_of(owner, txt[0], rdata_of(zone, owner, "TYPE25"), rows)
    require(not problems, "; ".join(problems))
    return values_of(strings_of(txt[0]))


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
    with report.case("SOA and its MINIMUM are at most 60 seconds, so that a new agent is seen soon"):
        soa = zone.get_rdataset(ORIGIN, "SOA")
        require(soa.ttl <= 60 and soa[0].minimum <= 60, f"TTL {soa.ttl}, MINIMUM {soa[0].minimum}")
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
