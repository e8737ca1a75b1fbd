#!/usr/bin/python3
"""From a folder to a federation on one data directory: zone files and manifests that are merely served, then a registry without a parent, then the
same one below a parent. Every record is compared from phase to phase, and nothing is lost or written anew.

    phases_day.py

A root, com and vibe-agency.com, each at port 53 of an address of its own: as root, or in a user and network namespace.
"""

import json
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "support")]

import dns.message
import dns.query
import dns.rdatatype
import dns.zone

import namespaces
import peers
import publishing
import servers
from publisher import Publisher, a2a_card, steward_manifest
from registry import eventually
from report import require

APEX = "steward-registry.org."
NET = "127.53.66."
TLS_PORT = 8530
SPACE = "vibe-agency.com"
ZONE = f"{SPACE}.{APEX}"
OTHER = "vibe-agency.test."
ROWS = ["SRV 0 0 443 agents.vibe-agency.com.", 'SVCB 1 agents.vibe-agency.com. alpn="a2a,h2" port=443 key65402="a2a"']
HAND_MADE = """www 300 A 192.0.2.1
www 300 AAAA 2001:db8::1
@ 3600 MX 10 mail
mail 300 A 192.0.2.2
*.preview 120 CNAME www
_dmarc 300 TXT "v=DMARC1; p=reject"
@ 300 CAA 0 issue "ca.example"
a\\.dotted 300 TXT "with \\"quotes\\", \\000 octets and; semicolons"
"""
WITH_IDENTITY = {f"_registry._agents.{ZONE}", f"_schema._agents.{ZONE}", f"*._dsync.{ZONE}"}  # what a registry says of itself once it has an identity
# What is the server's own and made anew, or follows from everything else.
DERIVED = {"SOA", "RRSIG", "NSEC", "NSEC3", "NSEC3PARAM", "DNSKEY", "CDS", "CDNSKEY"}


class Node(peers.Ours):
    """A registry at port 53 of its own address. It has an identity once it is told so."""

    def __init__(self, folder, space, number):
        self.space, self.zone = space, f"{space}.{APEX}" if space else APEX
        self.repository = pathlib.Path(folder) / (space or "root")
        self.repository.mkdir()
        file = self.repository / "zone"
        super().__init__([servers.Zone(self.zone, file, False, {"allow-transfer": ["127.0.0.0/8"]})], addresses=[f"{NET}{number}"])
        self.port = 53
        self.write_zone()

    def write_zone(self, serial=1, more=""):
        self.zones[0].file.write_text(f"$ORIGIN {self.zone}\n@ 60 SOA ns hostmaster {serial} 3600 600 604800 60\n@ 300 NS ns\n"
                                      f"ns 300 A {self.address}\n{more}")

    def become_registry(self, **facts):
        self.zones[0].dnssec = True
        self.options["outgoing"] = [self.address]
        self.options["registry"] = {"namespace": self.space or ".", "open": True, "custody-key": "custody.pem",
                                    "feed": {"allow-transfer": ["127.0.0.0/8"]}, **facts}

    def identify(self):
        words = ["keygen", "--algorithm", "ed25519", "--out", str(self.repository), "--json"]
        self.key = json.loads(subprocess.run([self.program, *words], capture_output=True, text=True, check=True).stdout)
        self.options["registry"]["identity"] = self.key["private_key"]
        self.options["tls"] = {"listen": [f"{self.address}@{TLS_PORT}"]}

    def below(self, parent, root):
        self.options["registry"] |= {"parent": parent.zone.rstrip("."), "root-ca": f"{root.key['private_key']}.ca"}

    def restart(self):
        self.stop()
        self.start()
        eventually("ready", lambda: self.json("status")["ready"])

    def json(self, *words):
        return json.loads(self.run(*words, "--json").stdout)

    def ds(self):
        return [line for key in self.json("zone", "keys", self.zone)["keys"] for line in key["ds"]]

    def axfr(self, name):
        zone = dns.zone.Zone(name, relativize=False)
        dns.query.inbound_xfr(self.address, zone, port=53, timeout=20)
        return {f"{owner} {rdataset.ttl} {dns.rdatatype.to_text(rdataset.rdtype)} {rdata.to_text()}"
                for owner, rdataset in zone.iterate_rdatasets() for rdata in rdataset}

    def rdatas(self, name, rdtype):
        reply = dns.query.tcp(dns.message.make_query(name, rdtype), self.address, port=53, timeout=5)
        return sorted(rdata.to_wire() for rrset in reply.answer if rrset.rdtype == reply.question[0].rdtype for rdata in rrset)

    def found(self, term):
        reply = dns.query.tcp(dns.message.make_query(f"{term}._find._agents.{self.zone}", "PTR"), self.address, port=53, timeout=5)
        return {rdata.target.to_text() for rrset in reply.answer for rdata in rrset}


def plain(records):
    """Without what is derived."""
    return {record for record in records if record.split(" ", 3)[2] not in DERIVED}


def of_types(records, *types):
    return {record for record in records if record.split(" ", 3)[2] in types}


class Path:
    def __init__(self, folder, node):
        self.folder, self.node = pathlib.Path(folder), node
        self.agent = f"librarian.{ZONE}"
        self.key = publishing.Key(self.folder / "keys", self.agent)
        self.publisher = Publisher(self.folder / "home", f"{node.address}@53", SPACE)

    def repository(self):
        """What the organisation keeps in git: two zone files, one with an agent that was signed by hand, and manifests."""
        node = self.node
        parts = publishing.make_statement(self.agent, self.key, "1.0.0", ROWS)
        self.lines = HAND_MADE + "".join(f"librarian 300 {row}\n" for row in (publishing.text_of(parts), self.key.record, *ROWS))
        node.write_zone(1, self.lines)
        other = node.repository / "other.zone"
        other.write_text(f"$ORIGIN {OTHER}\n@ 60 SOA ns hostmaster 7 3600 600 604800 60\n@ 300 NS ns\nns 300 A 192.0.2.3\n{HAND_MADE}")
        node.zones.append(servers.Zone(OTHER, other, False, {"allow-transfer": ["127.0.0.0/8"]}))
        manifests = node.repository / "manifests"
        manifests.mkdir()
        for name, manifest in (("planner", steward_manifest("planner")), ("translator", a2a_card("translator")), ("scout", a2a_card("scout"))):
            (manifests / f"{name}.json").write_text(json.dumps(manifest))
        self.manifests = manifests

    def look(self):
        """All that the registry holds: its zone, its feed, its book."""
        node = self.node
        feed = f"{node.json('status')['replica']}._feed.{ZONE}"
        book = node.json("agent", "list")["agents"]
        return {"zone": node.axfr(ZONE), "other": node.axfr(OTHER), "feed": node.axfr(feed), "feed's name": feed, "ds": node.ds(),
                "book": {row["agent"]: node.json("agent", "show", row["agent"]) for row in book}}


def difference(before, after):
    return f"lost: {sorted(before - after)[:5]}; new: {sorted(after - before)[:5]}"


def serves_a_folder(report, path):
    node = path.node
    path.repository()
    node.start()
    path.first, path.first_other = node.axfr(ZONE), node.axfr(OTHER)
    with report.case("phase 1: a folder of zone files is served as it stands"):
        reply = dns.query.tcp(dns.message.make_query("x.preview." + ZONE, "A"), node.address, port=53, timeout=5)
        require(len(reply.answer) == 2, reply.to_text())
        require(len(path.first) == 15, path.first)


def becomes_a_registry(report, path):
    node = path.node
    node.become_registry()
    node.restart()
    # The zone is answered at once; its agents are taken into the book after that.
    eventually("the book has the zone file's agent", lambda: node.run("agent", "show", path.agent, check=False).returncode == 0)
    with report.case("phase 2: every record of the folder is there as it was, and the other zone to the last octet"):
        after = node.axfr(ZONE)
        require(plain(path.first) <= plain(after), difference(plain(path.first), plain(after)))
        require(node.axfr(OTHER) == path.first_other, difference(path.first_other, node.axfr(OTHER)))
    with report.case("phase 2: the agent that was signed by hand is an agent of the registry, unchanged; what is new is derived from it"):
        entry = node.json("agent", "show", path.agent)
        require(entry["version"] == "1.0.0" and entry["status"] == "active" and entry["key"] == path.key.fingerprint, entry)
        new = {record.split(" ")[0] for record in plain(after) - plain(path.first)}
        strays = [owner for owner in new if not any(label.startswith("_") for label in owner.split("."))]
        require(not strays, strays)
    with report.case("phase 2: the folder's manifests are imported, once"):
        done = node.run("import", str(path.manifests), "--json", check=False)
        require(done.returncode == 0 and '"imported":3' in done.stdout.replace(" ", ""), done.stdout + done.stderr)
        before = node.axfr(ZONE)
        node.run("import", str(path.manifests))
        require(node.axfr(ZONE) == before, difference(before, node.axfr(ZONE)))
    with report.case("phase 2: publishers publish, update and withdraw beside them"):
        publisher = path.publisher
        publisher.done("keygen")
        for label, version in (("orchestrator", "1.0.0"), ("orchestrator", "1.1.0"), ("passing", "1.0.0")):
            publisher.done("publish", publisher.write(f"{label}.json", steward_manifest(label, version)))
        publisher.done("withdraw", f"passing.{ZONE}")
    with report.case("phase 2: over kill -9 and a restart all of it is as it was"):
        before = path.look()
        node.kill()
        node.start()
        unchanged(before, path.look())


def unchanged(before, after, but=frozenset()):
    for part in ("other", "feed", "feed's name", "ds", "book"):
        require(before[part] == after[part], f"{part}: {difference(set(before[part]), set(after[part]))}")
    one, other = plain(before["zone"]), plain(after["zone"])
    require(one <= other, difference(one, other))
    new = {record.split(" ")[0] for record in other - one}
    require(new <= but, new)
    require(of_types(before["zone"], "DNSKEY", "CDS") == of_types(after["zone"], "DNSKEY", "CDS"), "DNSKEY")


def joins_a_federation(report, path, com, root):
    node = path.node
    before = path.look()
    with report.case("phase 3: told of its parent, it restarts with all that it had"):
        node.identify()
        node.below(com, root)
        node.options["registry"]["feed"]["notify"] = [f"{com.address}@53"]
        node.restart()
        unchanged(before, path.look(), WITH_IDENTITY)
    with report.case("phase 3: it registers, and is delegated to with the keys that it had"):
        token = com.json("invite", "--namespace", SPACE)["token"]
        done = node.run("register", "--parent", com.zone, "--namespace", SPACE, "--pubkey", node.key["public_key"], "--at",
                        f"{com.address}@{TLS_PORT}", "--token", token, "--wait", check=False, timeout=120)
        require(done.returncode == 0 and "delegates to our servers" in done.stdout, done.stdout + done.stderr)
        unchanged(before, path.look(), WITH_IDENTITY)
    with report.case("phase 3: its parent and the root list every agent with the very statement that was signed in phase 1 or 2"):
        com.options["registry"]["children"] = [{"namespace": SPACE, "replica": node.json("status")["replica"], "primaries": [f"{node.address}@53"]}]
        com.write_config()
        com.run("reload")
        live = [agent for agent, entry in before["book"].items() if entry["status"] == "active"]
        require(len(live) == 5, before["book"])
        for agent in live:
            label = agent.split(".")[0]
            for above in (com, root):
                eventually(lambda: f"{agent} at {above.zone}\n{com.log_tail(10)}", lambda: agent in above.found(label))
                name = agent.removesuffix(f".{above.zone}") + f"._ref._agents.{above.zone}"
                require(set(node.rdatas(agent, "TXT")) <= set(above.rdatas(name, "TXT")), f"{name}: another statement")
                for rdtype in ("KEY", "SRV", "SVCB"):
                    require(node.rdatas(agent, rdtype) == above.rdatas(name, rdtype), f"{name} {rdtype}")
        unchanged(before, path.look(), WITH_IDENTITY)


def lives_on(report, path, com, root):
    node = path.node
    with report.case("phase 3: the publisher of phase 2 goes on with his key, and the root hears of it"):
        path.publisher.done("publish", path.publisher.write("orchestrator.json", steward_manifest("orchestrator", "1.2.0")))
        reference = f"orchestrator.{SPACE}._ref._agents.{APEX}"
        eventually("1.2.0 at the root", lambda: any(b"version=1.2.0" in rdata for rdata in root.rdatas(reference, "TXT")))
    with report.case("phase 3: the zone file is the operator's as it was in phase 1, the agent in it too"):
        parts = publishing.make_statement(path.agent, path.key, "1.1.0", ROWS)
        statement, key, *rows = publishing.text_of(parts), path.key.record, *ROWS
        node.write_zone(2, HAND_MADE.replace("192.0.2.1", "192.0.2.9") + "".join(f"librarian 300 {row}\n" for row in (statement, key, *rows)))
        node.run("zone", "reload", ZONE)
        eventually("www", lambda: node.rdatas(f"www.{ZONE}", "A") == [bytes([192, 0, 2, 9])])
        eventually("1.1.0 at com", lambda: any(b"version=1.1.0" in rdata for rdata in com.rdatas(f"librarian.vibe-agency._ref._agents.{com.zone}", "TXT")))
    with report.case("phase 3: a client with the root's keys alone resolves and discovers down to the folder's first agent"):
        anchor = path.folder / "anchor.ds"
        anchor.write_text("\n".join(root.ds()) + "\n")
        words = ("--registry", f"{root.address}@53", "--trust-anchor", anchor)
        found = path.publisher.done("discover", "plan", "--all", *words)
        names = {row["agent"].rstrip(".") + "." for row in found["agents"]}
        require({path.agent, f"planner.{ZONE}", f"orchestrator.{ZONE}"} <= names, found)
        said = path.publisher.run("verify", path.agent, *words)
        require(said.returncode == 0, said.stdout + said.stderr)


def goes_back(report, path):
    """A registry that leaves a federation is what it was."""
    node = path.node
    with report.case("back to phase 2: without its parent it has all of its own agents"):
        before = path.look()
        for key in ("parent", "root-ca"):
            del node.options["registry"][key]
        node.restart()
        after = path.look()
        for part in ("other", "feed", "ds", "book"):
            require(before[part] == after[part], f"{part}: {difference(set(before[part]), set(after[part]))}")
    with report.case("the store holds together"):
        node.run("store", "verify")


def run(report, folder, started):
    def up(node):
        started.append(node)
        return node

    path = Path(folder, up(Node(folder, SPACE, 3)))
    serves_a_folder(report, path)
    becomes_a_registry(report, path)
    root, com = up(Node(folder, "", 1)), up(Node(folder, "com", 2))
    for node in (root, com):
        node.become_registry()
        node.identify()
    com.below(root, root)
    com.options["registry"]["feed"]["notify"] = [f"{root.address}@53"]
    root.start()
    com.start()
    token = root.json("invite", "--namespace", "com")["token"]
    com.run("register", "--parent", root.zone, "--namespace", "com", "--pubkey", com.key["public_key"], "--at", f"{root.address}@{TLS_PORT}",
            "--token", token, "--wait", timeout=120)
    root.options["registry"]["children"] = [{"namespace": "com", "replica": com.json("status")["replica"], "primaries": [f"{com.address}@53"]}]
    root.write_config()
    root.run("reload")
    joins_a_federation(report, path, com, root)
    lives_on(report, path, com, root)
    goes_back(report, path)


def main():
    return namespaces.report_at_port_53("phases_day", f"{NET}1", "steward-phases-", "from a folder to a federation", run)


if __name__ == "__main__":
    sys.exit(main())
