#!/usr/bin/python3
"""The way from a folder of manifests to a federation, on one data folder: a name server with zone files and manifests beside them, then one registry
without a parent, then a registry below a parent. No step loses or rewrites a record: all of them are compared before and after.

    phases_day.py
"""

import json
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "support")]

import namespaces
import servers
from federation import APEX, Member, can_bind
from publisher import Publisher, a2a_card, steward_manifest
from registry import eventually
from report import Report, Skipped, require

SPACE = "acme-corp"
ZONE = f"{SPACE}.{APEX}"
SIDE = "acme-corp.test."
IMPORTED = ["planner", "translator", "archivist"]
TLS_PORT = 8530
FRESH = {"SOA", "RRSIG SOA", "NSEC", "RRSIG NSEC"}


def manifests(folder):
    """What lies in the git repository of phase 1, beside the zone files."""
    folder.mkdir()
    (folder / "planner.json").write_text(json.dumps(steward_manifest("planner")))
    (folder / "cards").mkdir()
    (folder / "cards" / "translator.json").write_text(json.dumps(a2a_card("translator")))
    (folder / "archivist.json").write_text(json.dumps(steward_manifest("archivist", "2.3.1")))
    return folder


class Phases:
    """One server and its data folder, which is configured anew for each phase."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.manifests = manifests(self.folder / "manifests")
        self.server = Member(self.folder, SPACE, 2)
        self.other = self.folder / "other"
        self.other.mkdir()
        self.hand_written = self.server.zones[0].file
        self.hand_written.write_text(
            f"$ORIGIN {ZONE}\n$TTL 300\n@ 60 SOA ns1 hostmaster 7 3600 600 604800 60\n@ NS ns1\nns1 A {self.server.address}\n"
            '_schema._agents TXT "v=steward1"\nhost A 192.0.2.1\nhost AAAA 2001:db8::1\n*.wild TXT "any of them"\nalias CNAME host\n'
            '_sip._tcp.host SRV 0 5 5060 host\nodd TYPE65280 \\# 4 0A000001\ntext TXT "quoted \\"text\\"" "\\195\\164"\n')
        side = self.folder / "side.zone"
        side.write_text("$TTL 300\n@ SOA ns hostmaster 3 3600 600 604800 60\n@ NS ns\nns A 192.0.2.53\nwww A 192.0.2.80\n")
        self.server.zones.append(servers.Zone(SIDE, side, True))
        self.registry = self.server.options.pop("registry")

    def records(self, zone=ZONE):
        """{(owner, type, RDATA, TTL)} of all that the zone holds, as it is exported."""
        lines = self.server.run("zone", "export", zone).stdout.splitlines()
        usual = next(line.split()[1] for line in lines if line.startswith("$TTL"))
        held = set()
        for owner, rest in (line.split(None, 1) for line in lines if line and line[0] not in ";$"):
            ttl, _, rest = rest.partition("IN ")
            rdtype, rdata = rest.split(None, 1)
            full = zone if owner == "@" else f"{owner}.{zone}"
            held.add((full, f"RRSIG {rdata.split()[0]}" if rdtype == "RRSIG" else rdtype, rdata, int(ttl or usual)))
        return held

    def restart(self):
        self.server.stop()
        self.server.start()

    def files(self):
        """What the operator wrote himself."""
        return {path: path.read_bytes() for path in sorted(self.folder.glob("*.zone")) + sorted(self.manifests.rglob("*.json"))
                if "root" not in path.name}

    def agents(self):
        """What the registry keeps of each of its agents, with its history."""
        rows = [row for line in self.server.run("agent", "list", "--json").stdout.splitlines() for row in json.loads(line)["agents"]]
        shown = {row["agent"]: self.server.run("agent", "show", row["agent"], "--json").stdout for row in rows}
        return shown, self.server.run("zone", "log", ZONE, "--json").stdout


def lost(before, after):
    """What is not there any more, besides what a changed zone always has anew: SOA, denial of what now exists, and their signatures."""
    return sorted(record for record in before - after if record[1] not in FRESH)


def zone_files(report, phases):
    with report.case("phase 1: zone files and a folder of manifests; a plain name server answers and signs them"):
        phases.server.start()
        eventually("keys", phases.server.ds)
        held = phases.records()
        for owner, rdtype, rdata in ((f"host.{ZONE}", "A", "192.0.2.1"), (f"alias.{ZONE}", "CNAME", f"host.{ZONE}"),
                                     (f"odd.{ZONE}", "TYPE65280", "\\# 4 0A000001")):
            require((owner, rdtype, rdata, 300) in held, f"{owner} {rdtype}: {sorted(row for row in held if row[0] == owner)}")
        require(any(row[1] == "RRSIG A" for row in held), "nothing is signed")


def single_registry(report, phases):
    plain, side, keys, files = phases.records(), phases.records(SIDE), phases.server.ds(), phases.files()
    with report.case("phase 2: the same data folder as one registry without parent: nothing is lost, no signature is made again"):
        phases.server.options["registry"] = phases.registry
        phases.restart()
        require(not lost(plain, phases.records()), lost(plain, phases.records())[:5])
        require(phases.records(SIDE) == side, "the zone beside it changed")
        require(phases.server.ds() == keys, "other keys")
    with report.case("phase 2: the folder of manifests is imported, and what was written by hand stands beside the agents"):
        done = phases.server.run("import", str(phases.manifests), "--json")
        require(json.loads(done.stdout.splitlines()[-1])["counts"]["imported"] == len(IMPORTED), done.stdout)
        held = phases.records()
        require(not lost(plain, held), lost(plain, held)[:5])
        for agent in IMPORTED:
            require(any(row[0] == f"{agent}.{ZONE}" and row[1] == "TXT" for row in held), f"{agent} has no statement")
    with report.case("phase 2: a publisher adds an agent with a key of its own, and an update of the file keeps all of them"):
        publisher = Publisher(phases.folder / "publisher", phases.server.at, SPACE)
        publisher.done("keygen")
        publisher.done("publish", publisher.write("own.json", steward_manifest("own-work")))
        before = phases.records()
        phases.hand_written.write_text(phases.hand_written.read_text().replace("hostmaster 7", "hostmaster 8") + "host2 A 192.0.2.2\n")
        phases.server.run("zone", "reload", ZONE)
        eventually("host2", lambda: phases.server.rdatas(f"host2.{ZONE}", "A"))
        require(not lost(before, phases.records()), lost(before, phases.records())[:5])
    with report.case("phase 2: the operator's files are as the operator left them"):
        changed = [path for path, octets in phases.files().items() if files.get(path) != octets and path != phases.hand_written]
        require(not changed, changed)


def below_parent(report, phases, started):
    before, side, agents, keys, files = phases.records(), phases.records(SIDE), phases.agents(), phases.server.ds(), phases.files()
    replica = phases.server.replica()
    with report.case("phase 3: under a parent: no record is lost, each agent and its history are what they were"):
        parent = Member(phases.folder, "", 0)
        parent.children.append(phases.server)
        parent.write_zone()
        parent.follow_children()
        started.append(parent)
        parent.start()
        phases.registry["parent"] = APEX.rstrip(".")
        phases.registry["feed"]["notify"] = [parent.at]
        phases.restart()
        require(phases.records() == before, sorted(phases.records() ^ before)[:5])
        require(phases.records(SIDE) == side, "the zone beside it changed")
        require(phases.agents() == agents, "an agent is another one")
        require((phases.server.ds(), phases.server.replica()) == (keys, replica), "other keys, or another replica")
        require(phases.files() == files, "an operator's file was written")
    with report.case("phase 3: every agent is found at the parent, as its home states it"):
        names = [f"{agent}.{ZONE}" for agent in (*IMPORTED, "own-work")]
        parent.wait_found("make_plan", [name for name in names if not name.startswith("translator")])
        for name in names:
            eventually(lambda name=name: f"{name}: {parent.reference(name)}", lambda name=name: parent.reference(name).get("v"))
            home = {bytes(text) for rdata in phases.server.rdatas(name, "TXT") for text in rdata.strings}
            there = {bytes(text) for rdata in parent.rdatas(f"{name.removesuffix('.' + APEX)}._ref._agents.{APEX}", "TXT") for text in rdata.strings}
            require(home <= there, f"{name}: the parent has another statement: {home - there}")
    with report.case("phase 3: kill -9 and a restart: still the very same records"):
        after = phases.records()
        phases.server.kill()
        phases.server.start()
        require(phases.records() == after, sorted(phases.records() ^ after)[:5])
    with report.case("back to phase 2: without the parent again, the registry has what it had"):
        del phases.registry["parent"], phases.registry["feed"]["notify"]
        phases.restart()
        require((phases.records(), phases.agents()) == (before, agents), "something has changed")
        parent.stop()


def with_identity(server, registration=None):
    """What it needs to register, or to let in."""
    keygen = subprocess.run([server.program, "keygen", "--algorithm", "ed25519", "--out", str(server.zones[0].file) + ".keys", "--json"],
                            capture_output=True, text=True, check=True)
    key = json.loads(keygen.stdout)
    server.registry["identity"] = key["private_key"]
    server.registry["registration"] = registration or {}
    server.options["tls"] = {"listen": [f"{server.address}@{TLS_PORT}"]}
    return key


def registered(report, phases, started):
    before, side, agents, keys = phases.records(), phases.records(SIDE), phases.agents(), phases.server.ds()
    with report.case("phase 3 by registration: it joins a parent that was not told of it, and is delegated"):
        parent = Member(phases.other, "", 0)
        root = with_identity(parent)
        parent.write_zone()
        started.append(parent)
        parent.start()
        own = with_identity(phases.server)
        phases.registry |= {"parent": APEX.rstrip("."), "root-ca": f"{root['private_key']}.ca"}
        phases.restart()
        token = json.loads(parent.run("invite", "--namespace", SPACE, "--json").stdout)["token"]
        phases.server.run("register", "--parent", APEX, "--namespace", SPACE, "--pubkey", own["public_key"], "--at", f"{parent.address}@{TLS_PORT}",
                          "--token", token, "--wait", timeout=120)
        require(parent.rdatas(ZONE, "DS"), "no DS at the parent")
    with report.case("phase 3 by registration: all that was there is there, and what is new says who the registry is"):
        eventually("the registry names its parent", lambda: any("parent=" in row[2] for row in phases.records()))
        after = phases.records()
        require(not lost(before, after), lost(before, after)[:5])
        added = {row[0] for row in after - before if row[1] not in FRESH}
        require(added == {f"_registry._agents.{ZONE}"}, f"records that nobody wrote: {sorted(added)[:5]}")
        require(phases.records(SIDE) == side, "the zone beside it changed")
        require((phases.agents(), phases.server.ds()) == (agents, keys), "an agent or a key is another one")


def run(report):
    with tempfile.TemporaryDirectory(prefix="steward-phases-") as folder:
        phases = Phases(folder)
        started = [phases.server]
        try:
            zone_files(report, phases)
            single_registry(report, phases)
            below_parent(report, phases, started)
            registered(report, phases, started)
        finally:
            for server in started:
                server.__exit__()


def main():
    report = Report("phases_day")
    if not can_bind():
        namespaces.enter()
    if can_bind():
        run(report)
    else:
        with report.case("the way to a federation"):
            raise Skipped("port 53 of 127.53.64.1 is not to be had, nor a network namespace")
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
