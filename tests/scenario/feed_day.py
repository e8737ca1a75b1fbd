#!/usr/bin/python3
"""A registry's feed over a day: what is published, imported, suspended, withdrawn, revoked and written in the zone file is in it with the same commit,
for those who may transfer it and for nobody else; by AXFR, IXFR, NOTIFY and a stock secondary; over kill -9 in the middle of an import.

    feed_day.py [--kills 6]
"""

import argparse
import json
import pathlib
import random
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "support")]

import dns.edns
import dns.exception
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype
import dns.zone

import publishing
import servers
import statement
import zone_wire
from links import LinkedZone, Remote
from publisher import steward_manifest
from registry import Registry, eventually
from report import Report, require
from transfer_peers import OWN_ADDRESS, LinkedNsd

ZONE = "acme-corp.com.steward-registry.org."
LOOPBACK = "127.0.0.1"  # may transfer the feed, as OWN_ADDRESS["nsd"] may
STRANGER = "127.0.0.77"
ROWS = ["SRV 0 0 443 agents.acme-corp.com.", 'SVCB 1 agents.acme-corp.com. alpn="a2a,h2" port=443 key65402="a2a"']
HEAD = ("$TTL 300\n@ 60 SOA ns1 hostmaster {serial} 3600 600 604800 60\n@ NS ns1\nns1 A 127.0.0.1\n"
        '_schema._agents TXT "v=steward1"\n')
MANY = 1200  # agents of a zone file: more than one commit takes into the feed
BURST = 1500  # agents of an import that is killed
PARTS = ("_registry", "_keys", "_revoked")


def make_registry(folder, secondary):
    (folder / "zone").write_text(HEAD.format(serial=1))
    feed = {"allow-transfer": [LOOPBACK, OWN_ADDRESS["nsd"]], "notify": [f"{OWN_ADDRESS['nsd']}@{secondary}"]}
    options = {"registry": {"namespace": "acme-corp.com", "replica": "eu", "open": True, "agents-per-key": 0, "feed": feed,
                            "custody-key": str(folder / "custody.pem")}}
    return Registry([{"name": ZONE.rstrip("."), "file": str(folder / "zone"), "dnssec": True}], options=options)


class Feed:
    """What a reader makes of the feed of a server."""

    def __init__(self, server, name, address=LOOPBACK, port=None):
        self.server, self.name, self.address, self.fixed = server, name, address, port

    @property
    def port(self):
        return self.fixed or self.server.port

    def axfr(self):
        """By dnspython: {agent: {(part, type): sorted RDATA}}, and the serial."""
        zone = dns.zone.Zone(self.name, relativize=False)
        dns.query.inbound_xfr(self.address, zone, port=self.port, timeout=20)
        agents = {}
        for owner, node in zone.nodes.items():
            if owner == zone.origin:
                continue
            labels = list(owner.relativize(zone.origin).labels)
            part = labels.pop(0).decode() if labels[0].decode() in PARTS else ""
            agent = dns.name.Name(labels).derelativize(dns.name.from_text(ZONE)).to_text()
            for rdataset in node.rdatasets:
                agents.setdefault(agent, {})[part, dns.rdatatype.to_text(rdataset.rdtype)] = sorted(rdata.to_wire() for rdata in rdataset)
        require(zone.get_soa().minimum == 60, "SOA")
        return agents, zone.get_soa().serial

    def word(self, agents, agent):
        """The registry's statement of an agent."""
        [wire] = agents[agent]["_registry", "TXT"]
        return {key: value.decode() for key, value in statement.values_of(statement.strings_of(wire)).items()}

    def ask(self, owner, rdtype, source=LOOPBACK):
        query = dns.message.make_query(owner, rdtype, use_edns=0)
        return dns.query.udp(query, self.address, port=self.port, source=source, timeout=5)


def served(server, agent):
    """What the registry serves of it, in the same form."""
    found = {}
    for part, rdtype in (("", "TXT"), ("", "KEY"), ("", "SRV"), ("", "SVCB"), ("_keys", "TXT")):
        owner = f"{part}.{agent}" if part else agent
        reply = dns.query.tcp(dns.message.make_query(owner, rdtype), LOOPBACK, port=server.port, timeout=5)
        rdatas = [rdata.to_wire() for rrset in reply.answer if rrset.rdtype == dns.rdatatype.from_text(rdtype) for rdata in rrset]
        if rdatas:
            found[part, rdtype] = sorted(rdatas)
    return found


def known(server):
    """What the book says, by agent."""
    lines = [json.loads(line) for line in server.run("agent", "list", "--json").stdout.splitlines()]
    return {row["agent"]: row for line in lines for row in line["agents"]}


def check_equal(server, feed, look_at=None):
    """The feed has the registry's agents, each as it is served; how many that are."""
    agents, _ = feed.axfr()
    book = known(server)
    require(agents.keys() == book.keys(), f"differ in {sorted(agents.keys() ^ book.keys())[:5]}")
    sample = list(book) if look_at is None else random.sample(list(book), min(look_at, len(book)))
    for agent in book:
        word = feed.word(agents, agent)
        status = book[agent]["status"]
        require(word["status"] == status or (status == "suspended" and word["status"] == "suspended"), f"{agent}: {word} {book[agent]}")
        require(word["replica"] in word["vc"] and word["registry"] == "com.acme-corp", word)
    for agent in sample:
        held = {key: value for key, value in agents[agent].items() if key[0] not in ("_registry", "_revoked")}
        shown = served(server, agent)
        if not feed.word(agents, agent).get("presence"):
            shown_keys = set(shown.pop(("", "KEY"), []))
            require(shown_keys <= set(held.pop(("", "KEY"), [])), f"{agent}: KEY")
            require(held == shown, f"{agent}: {held.keys()} {shown.keys()}")
    return len(agents)


class Agent:
    def __init__(self, server, folder, label):
        self.server, self.name = server, f"{label}.{ZONE}"
        self.key, self.present = publishing.Key(folder / label, self.name), None

    def send(self, version, rows=ROWS, status="active", **fields):
        parts = publishing.make_statement(self.name, self.key, version, rows, status=status, **fields)
        outcome, said = publishing.nsupdate(self.server, ZONE, self.key,
                                            publishing.publish_lines(self.name, parts, self.key, rows, before=self.present))
        require(outcome == "NOERROR", f"{outcome} {said}")
        self.present = parts
        time.sleep(1.05)  # `modified` counts in seconds, and the next must be later

    def end(self, version, status, **fields):
        self.send(version, rows=publishing.TOMBSTONE, status=status, **fields)


def feed_name(server):
    [name] = [zone for zone in server.rows() if "._feed." in zone]
    return name if name.endswith(".") else name + "."


def access(report, server, feed):
    with report.case("feed: a zone of the server, named by the replica and its incarnation, empty with an empty registry"):
        label = feed.name.split(".", maxsplit=1)[0]
        require(label.startswith("eu-") and len(label) == 7 and feed.name == f"{label}._feed.{ZONE}", feed.name)
        require(feed.axfr()[0] == {}, "not empty")
    with report.case("feed: anybody may ask for its SOA; anything else is refused with the extended error 18, also the transfer"):
        reply = feed.ask(feed.name, "SOA", STRANGER)
        require(reply.rcode() == dns.rcode.NOERROR and reply.answer[0][0].serial and reply.answer[0].ttl == 60, reply)
        for owner, rdtype in ((feed.name, "NS"), (feed.name, "ANY"), ("bot." + feed.name, "TXT"), ("_registry.bot." + feed.name, "SOA")):
            reply = feed.ask(owner, rdtype, STRANGER)
            codes = [option.code for option in reply.options if isinstance(option, dns.edns.EDEOption)]
            require(reply.rcode() == dns.rcode.REFUSED and codes == [18] and not reply.answer, reply)
        reply = dns.query.tcp(dns.message.make_query(feed.name, "AXFR"), LOOPBACK, port=server.port, source=STRANGER, timeout=5)
        require(reply.rcode() == dns.rcode.REFUSED, reply)
    with report.case("feed: who may transfer it may look into it; the registry's own zone denies as before"):
        require(feed.ask(feed.name, "NS").rcode() == dns.rcode.NOERROR, "NS")
        require(feed.ask("nobody." + feed.name, "TXT").rcode() == dns.rcode.NXDOMAIN, "nobody")
        query = dns.message.make_query("_feed." + ZONE, "A", want_dnssec=True)
        reply = dns.query.tcp(query, LOOPBACK, port=server.port, source=STRANGER, timeout=5)
        require(reply.rcode() == dns.rcode.NXDOMAIN and any(rrset.rdtype == dns.rdatatype.NSEC for rrset in reply.authority), reply)


def publishes(report, server, feed, folder):
    bot, other, ended = (Agent(server, folder, label) for label in ("bot", "other", "ended"))
    with report.case("feed: what is published is in it, octet by octet as it is served"):
        for agent in (bot, other, ended):
            agent.send("1.0.0")
        require(check_equal(server, feed) == 3, "other agents")
    with report.case("feed: a change that is about no agent leaves its serial"):
        serial = feed.axfr()[1]
        (folder / "zone").write_text(HEAD.format(serial=2) + "host A 192.0.2.1\n")
        server.run("zone", "reload", ZONE)
        require(feed.axfr()[1] == serial, "the serial moved")
    with report.case("feed: a takedown and its end, a withdrawal and a revocation are writes, each above the one before"):
        stamps = []
        for act in (lambda: server.run("agent", "suspend", bot.name, "--reason", "asked to"), lambda: server.run("agent", "restore", bot.name),
                    lambda: other.end("1.0.0", "withdrawn"), lambda: ended.end("1.0.0", "revoked", reason="lost")):
            act()
            check_equal(server, feed)
            agents, serial = feed.axfr()
            stamps.append((serial, feed.word(agents, bot.name)["status"]))
        require([status for _, status in stamps] == ["suspended", "active", "active", "active"], stamps)
        require([serial for serial, _ in stamps] == sorted({serial for serial, _ in stamps}), stamps)
        agents, _ = feed.axfr()
        require(feed.word(agents, other.name)["status"] == "withdrawn" and feed.word(agents, ended.name)["status"] == "revoked", agents)
    return bot


def one_publish(report, server, feed, bot):
    with report.case("feed: one publish is one IXFR with just that agent's records"):
        before = zone_wire.fetch(LOOPBACK, server.port, feed.name)
        bot.send("1.1.0")
        after = zone_wire.fetch(LOOPBACK, server.port, feed.name, zone_wire.soa_of(before.records))
        require(after.differences is not None and len(after.differences) == 1, "no difference")
        owner = zone_wire.wire_name("bot." + feed.name)
        changed = {record[0] for record in after.differences[0].removed[1:] + after.differences[0].added[1:]}
        require(changed == {owner, b"\x09_registry" + owner}, changed)
        require(after.serial == before.serial + 1, "the serial")
        agents, _ = feed.axfr()
        require(feed.word(agents, bot.name)["vc"] == f"{feed.name.split('.')[0]}:4", feed.word(agents, bot.name))


def zone_file_agents(report, server, feed, folder):
    with report.case("feed: agents of the zone file are in it, and gone from it as the file has them no longer"):
        key = publishing.Key(folder / "keeper", "keeper." + ZONE)
        parts = publishing.make_statement("keeper." + ZONE, key, "1.0.0", ROWS)
        lines = [f"keeper {publishing.text_of(parts)}", f"keeper {key.record}", *(f"keeper {row}" for row in ROWS)]
        (folder / "zone").write_text(HEAD.format(serial=3) + "\n".join(lines) + "\n")
        server.run("zone", "reload", ZONE)
        check_equal(server, feed)
        agents, _ = feed.axfr()
        first = feed.word(agents, "keeper." + ZONE)
        (folder / "zone").write_text(HEAD.format(serial=4))
        server.run("zone", "reload", ZONE)
        agents, _ = feed.axfr()
        gone = feed.word(agents, "keeper." + ZONE)
        require(gone["presence"] == "gone" and gone["version"] == "1.0.0" and ("", "TXT") not in agents["keeper." + ZONE], gone)
        require(int(gone["stamp"]) > int(first["stamp"]) and gone["vc"].endswith(":2"), gone)


def many_in_the_file(report, server, feed, folder):
    with report.case(f"feed: {MANY} agents that a zone file brings at once follow by themselves"):
        lines = []
        key = publishing.Key(folder / "many", "many." + ZONE)
        for index in range(MANY):
            parts = publishing.make_statement(f"many-{index}.{ZONE}", key, "1.0.0", [])
            lines += [f"many-{index} {publishing.text_of(parts)}", f"many-{index} {key.record}"]
        (folder / "zone").write_text(HEAD.format(serial=5) + "\n".join(lines) + "\n")
        server.run("zone", "reload", ZONE)
        eventually("the feed has them", lambda: feed.axfr()[0].keys() == known(server).keys())
        require(check_equal(server, feed, look_at=40) > MANY, "too few")


def manifests(folder, number, version):
    path = folder / f"list-{version}.json"
    path.write_text(json.dumps([steward_manifest(f"burst-{index}", version) for index in range(number)]))
    return path


def imports(report, server, feed, folder):
    with report.case("feed: an import of many is in it, no stamp ahead of the time"):
        server.run("import", str(manifests(folder, BURST, "1.0.0")), timeout=300)
        require(check_equal(server, feed, look_at=40) > BURST, "too few")
        agents, _ = feed.axfr()
        latest = max(int(feed.word(agents, agent)["stamp"]) for agent in agents)
        require(latest <= time.time() + 1, f"{latest} at {time.time()}")


def kills(report, server, feed, folder, count):
    with report.case(f"feed: killed {count} times in an import, registry and feed have the same agents in the same versions"):
        halves = 0
        for number in range(count):
            version = f"1.{number + 1}.0"
            command = [server.program, "import", str(manifests(folder, BURST, version)), "--config", str(server.config_path)]
            with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
                serial = feed.ask(feed.name, "SOA").answer[0][0].serial
                eventually("the import begins", lambda at=serial: feed.ask(feed.name, "SOA").answer[0][0].serial > at or run.poll() is not None)
                time.sleep(random.uniform(0, 0.15))
                server.kill()
                run.wait(timeout=60)
            server.start()
            check_equal(server, feed, look_at=20)
            agents, _ = feed.axfr()
            versions = {}
            for agent, row in known(server).items():
                if agent.startswith("burst-"):
                    said = statement.values_of(statement.strings_of(agents[agent]["", "TXT"][0]))["version"].decode()
                    require(said == row["version"], f"{agent}: the feed has {said}, the registry {row['version']}")
                    versions[said] = versions.get(said, 0) + 1
            halves += len(versions) > 1
        print(f"        {halves} times in the middle")
    with report.case("feed: the database is right after that"):
        server.kill()
        done = server.run("store", "verify", check=False)
        require(done.returncode == 0, done.stdout + done.stderr)
        server.start()


def stock_secondary(report, server, feed, secondary):
    there = Feed(secondary, feed.name, OWN_ADDRESS["nsd"], secondary.port)
    with report.case("feed: NSD takes it as a secondary, is told of a change, and has what the registry has"):
        def same():
            try:
                return there.ask(feed.name, "SOA").answer[0][0].serial == feed.axfr()[1]
            except (OSError, IndexError, dns.exception.DNSException):
                return False
        eventually(lambda: secondary.log_tail(), same)
        require(there.axfr() == feed.axfr(), "they differ")
        server.run("agent", "suspend", f"bot.{ZONE}", "--reason", "again")
        eventually(lambda: secondary.log_tail(), same)
        require(there.word(there.axfr()[0], f"bot.{ZONE}")["status"] == "suspended", "not there")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=6)
    arguments = parser.parse_args()
    report = Report("feed")
    with tempfile.TemporaryDirectory(prefix="steward-feed-") as name:
        folder = pathlib.Path(name)
        nsd = LinkedNsd() if servers.find_program("nsd") else None
        with make_registry(folder, nsd.port if nsd else 1) as server:
            server.wait_ready()
            feed = Feed(server, feed_name(server))
            access(report, server, feed)
            bot = publishes(report, server, feed, folder)
            zone_file_agents(report, server, feed, folder)
            many_in_the_file(report, server, feed, folder)
            imports(report, server, feed, folder)
            one_publish(report, server, feed, bot)
            kills(report, server, feed, folder, arguments.kills)
            if nsd:
                nsd.zones = [LinkedZone(feed.name, folder / "unused", primaries=[Remote(LOOPBACK, server.port)])]
                with nsd as secondary:
                    stock_secondary(report, server, feed, secondary)
            if report.failed:
                print(*server.log_text().splitlines()[-30:], sep="\n")
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
