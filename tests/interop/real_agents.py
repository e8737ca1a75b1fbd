#!/usr/bin/python3
"""Serves and resolves real agents: manifests that others wrote, made into agent records, signed, and verified from the
answers.

The manifests are read from $STEWARD_DATA/manifests/steward, or ../shared/data/manifests/steward beside the repository;
without them the test says that it was skipped. `real_agents.py --server knot` runs it against another server.
"""

import argparse
import importlib.util
import json
import os
import pathlib
import re
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]

import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode

import peers
import servers
import validate
from report import Report, Skipped, require
from statement import problems_of, strings_of, values_of

LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")  # steward-records(7): an agent's label
VERSION = re.compile(r"\d+\.\d+\.\d+\S*")


def load_generator():
    spec = importlib.util.spec_from_file_location("make_sample_zone", servers.ROOT / "tools" / "make_sample_zone.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def find_manifests():
    places = [os.environ.get("STEWARD_DATA", ""), servers.ROOT.parent / "shared" / "data"]
    for place in filter(None, map(str, places)):
        folder = pathlib.Path(place) / "manifests" / "steward"
        if folder.is_dir():
            return sorted(folder.glob("*.json"))
    return []


def read_agent(path):
    """An agent of the generator's form, from a manifest of either shape. Raises ValueError with why it is refused."""
    octets = path.read_bytes()
    manifest = json.loads(octets)
    old, identity = manifest.get("agent", {}), manifest.get("identity", {})
    name = str(identity.get("agent_id") or old.get("id", "")).lower()
    version = str(manifest.get("specs", {}).get("version") or old.get("version", ""))
    if not LABEL.fullmatch(name):
        raise ValueError(f"{name!r} cannot be an agent's label")
    if not VERSION.fullmatch(version):
        raise ValueError(f"{version!r} is no version")
    operations = [entry.get("name", "") for entry in manifest.get("capabilities", {}).get("operations", [])]
    mandate = [entry.get("capability", "") for entry in manifest.get("credentials", {}).get("mandate", [])]
    return {"name": name, "version": version, "trust": "0.50", "protocols": [], "capabilities": operations or mandate,
            "desc": str(manifest.get("specs", {}).get("description") or old.get("name", "")), "manifest": octets}


def ask(server, owner, rdtype):
    query = dns.message.make_query(owner, rdtype, want_dnssec=True)
    reply = dns.query.tcp(query, server.address, port=server.port, timeout=5)
    require(reply.rcode() == dns.rcode.NOERROR and reply.flags & dns.flags.AA,
            f"{owner} {rdtype}: {reply.to_text()[:200]}")
    wanted = query.question[0].rdtype
    return [rdata.to_digestable() for rrset in reply.answer if rrset.rdtype == wanted for rdata in rrset]


def check_agent(server, unbound, agent, zone):
    owner = dns.name.from_text(f"{agent['name']}.{zone}")
    txt = ask(server, owner, "TXT")
    require(len(txt) == 1, f"{len(txt)} TXT records")
    rows = [(33, rdata) for rdata in ask(server, owner, "SRV")] + [(64, rdata) for rdata in ask(server, owner, "SVCB")]
    problems = problems_of(owner, txt[0], ask(server, owner, "TYPE25"), rows)
    require(not problems, "; ".join(problems))
    manifest = b"".join(strings_of(ask(server, dns.name.from_text(f"_manifest.{agent['name']}.{zone}"), "TXT")[0]))
    require(manifest == agent["manifest"], "the manifest is not octet for octet what was read")
    require(values_of(strings_of(txt[0]))["version"].decode() == agent["version"], "another version")
    query = dns.message.make_query(owner, "TXT", want_dnssec=True)
    reply = dns.query.tcp(query, unbound.address, port=unbound.port, timeout=10)
    require(reply.flags & dns.flags.AD, "the resolver did not validate it")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", choices=["ours", "knot"], default="ours")
    arguments = parser.parse_args()
    report = Report("real agents")
    paths = find_manifests()
    if not paths:
        with report.case("manifests that others wrote are served and resolved"):
            raise Skipped("no $STEWARD_DATA and no ../shared/data here")
        return report.finish()
    generator = load_generator()
    agents = []
    for path in paths:
        try:
            agents.append(read_agent(path))
        except (ValueError, AttributeError) as why:
            print(f"refused {path.name}: {why}")
    with tempfile.TemporaryDirectory(prefix="steward-real-") as folder:
        file = pathlib.Path(folder) / "agents.zone"
        file.write_text(generator.zone_text(agents))
        zone = servers.Zone(generator.ZONE, file, dnssec=True)
        with servers.start(arguments.server, [zone], addresses=["127.0.0.1"]) as server:
            anchors = validate.ds_lines(server, zone.name)
            with peers.Unbound({zone.name: f"{server.address}@{server.port}"}, anchors,
                               addresses=["127.0.0.1"]) as unbound:
                for agent in agents:
                    with report.case(f"{agent['name']} is served, resolved and verified"):
                        check_agent(server, unbound, agent, zone.name)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
