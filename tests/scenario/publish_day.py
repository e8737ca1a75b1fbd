#!/usr/bin/python3
"""A registry's day with publishers who have nothing but Debian's nsupdate: publish, update, rotate, withdraw, revoke, suspend, leases, and what is
refused and why; over kill -9, restarts, reloads of the zone file and a stock secondary.

    publish_day.py
"""

import pathlib
import struct
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "support")]

import dns.edns
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype

import peers
import publishing
import servers
import statement
import zone_wire
from agent_registry import HEAD, KEY, LOOPBACK, ROWS, ZONE, Registry, is_signed, rrset, served_statement
from report import Report, require
from signing import run_tool

UPDATE_LEASE = 2  # RFC 9664
PATIENCE = 15


class Secondary(peers.Knot):
    """knotd as a secondary of the registry, which is told of each change."""

    def __init__(self, primary_port, port, **arguments):
        super().__init__([servers.Zone(ZONE, "/dev/null")], addresses=[LOOPBACK], **arguments)
        self.primary_port, self.port = primary_port, port

    def write_config(self):
        lines = ["server:", f'    rundir: "{self.folder}"', f"    listen: {LOOPBACK}@{self.port}", "    udp-workers: 1", "    tcp-workers: 1",
                 "log:", "  - target: stderr", "    any: info", "database:", f'    storage: "{self.folder}"',
                 "remote:", "  - id: primary", f"    address: {LOOPBACK}@{self.primary_port}",
                 "acl:", "  - id: all", "    address: 127.0.0.0/8", "    action: [transfer, notify]",
                 "zone:", f'  - domain: "{ZONE}"', f'    storage: "{self.folder}"', "    master: primary", "    acl: all",
                 "    zonefile-sync: -1", "    zonefile-load: none", "    journal-content: all"]
        (self.folder / "knot.conf").write_text("\n".join(lines) + "\n")


def found_agents(server, term):
    """What the first page of a term lists, at a server of ours or another."""
    owner = f"{term}._find._agents.{ZONE}"
    reply = dns.query.udp(dns.message.make_query(owner, "PTR", want_dnssec=True, payload=1232), LOOPBACK, port=server.port, timeout=3)
    found = rrset(reply, owner, "PTR")
    require(found is None or is_signed(reply), f"{owner}: no RRSIG")
    return sorted(rdata.target.to_text() for rdata in found or [])


def values(parts):
    return {key: value.decode() for key, value in statement.values_of(parts).items()}


class Agent:
    """An agent and what its publisher knows of it."""

    def __init__(self, server, folder, label):
        self.server, self.folder = server, folder
        self.name = f"{label}.{ZONE}"
        self.key = publishing.Key(folder / label, self.name)
        self.present = None

    def send(self, version, rows=ROWS, status="active", key=None, extra=(), lease=None, before="as read", **fields):
        key = key or self.key
        parts = publishing.make_statement(self.name, key, version, rows, status=status, **fields)
        present = self.present if before == "as read" else before
        lines = publishing.publish_lines(self.name, parts, key, rows, before=present)
        outcome = publishing.nsupdate(self.server, ZONE, key, [*lines, *extra])
        if outcome[0] == "NOERROR":
            self.present = parts
        time.sleep(1.05)  # `modified` counts in seconds, and the next must be later
        return outcome

    def publish(self, version, **arguments):
        rcode, text = self.send(version, **arguments)
        require(rcode == "NOERROR", f"{self.name} {version}: {rcode} {text}\n{self.server.log_tail(5)}")

    def refused(self, version, words, rcode="REFUSED", **arguments):
        found, text = self.send(version, **arguments)
        log = self.server.log_tail(3)
        require(found == rcode and (words in text or words in log), f"{found} {text}\nwanted {rcode} and '{words}'\n{log}")


def first_publishes(report, server, folder):
    agent = Agent(server, folder, "orchestrator")
    with report.case("a key that stands on no list is refused, and told which it is"):
        agent.refused("1.0.0", f"key {agent.key.fingerprint} may not publish in {ZONE}")
    with report.case("a client with EDNS is told the rule in an extended error [RFC 8914]"):
        parts = publishing.make_statement(agent.name, agent.key, "1.0.0", ROWS)
        reply = publishing.signed_update(server, ZONE, agent.name, agent.key, parts, ROWS, options=[])
        told = [option for option in reply.options if option.otype == dns.edns.EDE]
        require(reply.rcode() == dns.rcode.REFUSED and told and told[0].code == 18, reply.to_text())
        require("may not publish in" in told[0].text, told[0].text)
    with report.case("an operator allows the key, and the publish is answered, signed and verified within a second"):
        server.run("publisher", "allow", agent.key.fingerprint, "--note", "day")
        began = time.monotonic()
        agent.publish("1.0.0")
        took = time.monotonic() - began - 1.05
        require(took < 1, f"{took} s")
        reply = server.ask(agent.name, "TXT")
        require(is_signed(reply), "no RRSIG")
        keys = [rdata.to_digestable() for rdata in rrset(server.ask(agent.name, "KEY"), agent.name, "KEY")]
        rows = [(int(rdata.rdtype), rdata.to_digestable()) for rdtype in ("SRV", "SVCB")
                for rdata in rrset(server.ask(agent.name, rdtype), agent.name, rdtype)]
        txt = rrset(reply, agent.name, "TXT")[0].to_digestable()
        problems = statement.problems_of(dns.name.from_text(agent.name), txt, keys, rows)
        require(not problems, problems)
    with report.case("the registry's own statement stands below it, and the agent is listed"):
        require(rrset(server.ask("_registry." + agent.name, "TXT"), "_registry." + agent.name, "TXT") is not None, "no statement of the registry")
        listed = rrset(server.ask("_a2a._tcp." + ZONE, "PTR"), "_a2a._tcp." + ZONE, "PTR")
        require(listed is not None and any("orchestrator" in rdata.to_text() for rdata in listed), "not listed for DNS-SD")
    with report.case("it is found by its capability and by each word of its name, signed; empty names between are NODATA [RFC 8020]"):
        for term in ("plan", "orchestrator"):
            require(found_agents(server, term) == [agent.name], f"{term}: {found_agents(server, term)}")
        for owner in ("_agents", "_find._agents"):
            reply = server.ask(f"{owner}.{ZONE}", "PTR")
            require(reply.rcode() == dns.rcode.NOERROR and not reply.answer, f"{owner}: {reply.to_text()}")
        require(server.ask(f"nothing._find._agents.{ZONE}", "PTR").rcode() == dns.rcode.NXDOMAIN, "a term that nobody has is there")
    with report.case("delv validates what a capability leads to"):
        anchors = folder / "anchors"
        keys = run_tool("dig", f"@{LOOPBACK}", "-p", str(server.port), "+noall", "+answer", ZONE, "DNSKEY")
        lines = [line.split() for line in keys.splitlines() if line.split()[4:5] == ["257"]]
        anchors.write_text("trust-anchors {\n" + "".join(f'"{line[0]}" static-key {" ".join(line[4:7])} "{"".join(line[7:])}";\n'
                                                        for line in lines) + "};\n")
        said = run_tool("delv", f"@{LOOPBACK}", "-p", str(server.port), "-a", anchors, f"+root={ZONE}", f"plan._find._agents.{ZONE}", "PTR")
        require("fully validated" in said and agent.name in said, said)
    with report.case("a greater version takes the place of the one before"):
        agent.publish("1.1.0")
        require(values(served_statement(server, agent.name))["version"] == "1.1.0", "not served")
    with report.case("of two who read the same statement the second is told so (compare-and-swap)"):
        stale = agent.present
        agent.publish("1.2.0")
        agent.refused("1.3.0", "", rcode="NXRRSET", before=stale)
    with report.case("an old version is refused with the rule"):
        agent.refused("1.0.5", "version 1.0.5 is not above 1.2.0")
    with report.case("another's key is refused, allowed or not"):
        other = publishing.Key(folder / "other", agent.name)
        server.run("publisher", "allow", other.fingerprint)
        agent.refused("2.0.0", "the name is held by key", key=other)
    return agent


def turns(report, server, folder, agent):
    with report.case("a key is rotated, and the old one is refused from then on"):
        fresh = publishing.Key(folder / "rotated", agent.name)
        rotation = publishing.make_rotation(agent.name, 1, agent.key, fresh)
        add = [f"update add _keys.{agent.name} 300 {publishing.text_of(rotation)}"]
        agent.publish("1.4.0", key=fresh, extra=add)
        old, agent.key = agent.key, fresh
        agent.refused("1.5.0", "", key=old)
        agent.publish("1.5.0")
    with report.case("it is withdrawn, stands as a tombstone, and comes back by its owner"):
        agent.publish("1.5.0", rows=publishing.TOMBSTONE, status="withdrawn")
        require(rrset(server.ask(agent.name, "SVCB"), agent.name, "SVCB")[0].to_text().startswith("0 ."), "endpoints are served")
        require(rrset(server.ask("_a2a._tcp." + ZONE, "PTR"), "_a2a._tcp." + ZONE, "PTR") is None, "still listed")
        require(found_agents(server, "plan") == [], "still found")
        agent.publish("1.6.0")
        require(values(served_statement(server, agent.name))["status"] == "active", "not back")
    with report.case("the operator suspends it, which its publisher cannot undo, and restores it"):
        server.run("agent", "suspend", "orchestrator", "--reason", "case 42")
        text = rrset(server.ask("_registry." + agent.name, "TXT"), "_registry." + agent.name, "TXT").to_text()
        require("status=suspended" in text, text)
        agent.publish("1.7.0")
        require(server.entry("orchestrator")["suspended"] == "case 42", "a publish ended the suspension")
        require(rrset(server.ask("_a2a._tcp." + ZONE, "PTR"), "_a2a._tcp." + ZONE, "PTR") is None, "listed while suspended")
        require(found_agents(server, "plan") == [], "found while suspended")
        server.run("agent", "restore", "orchestrator")
        require(server.entry("orchestrator")["suspended"] is None, "not restored")
        require(found_agents(server, "plan") == [agent.name], "not found again")
    with report.case("an attested fact changes the registry's statement; the publisher's stays as it was"):
        before = served_statement(server, agent.name)
        server.run("agent", "attest", "orchestrator", "tests", "0.9")
        require(server.entry("orchestrator")["trust"] > 0, "no trust")
        require(served_statement(server, agent.name) == before, "the publisher's statement changed")
    with report.case("kill -9: all of it is there after the start, and the history holds together"):
        before = server.entry("orchestrator")
        server.crash()
        require(server.entry("orchestrator") == before, "the book is another")
        log = server.json("zone", "log", ZONE, "orchestrator")
        require(log["sound"], log)
        actions = [entry["action"] for entry in log["entries"]]
        for action in ("publish", "update", "rotate", "withdraw", "suspend", "restore"):
            require(action in actions, f"{action} is not in {actions}")
    with report.case("it is revoked for good, with the reason; its key never signs for the name again"):
        agent.publish("1.8.0", rows=publishing.TOMBSTONE, status="revoked", reason="stolen")
        agent.refused("1.9.0", "revoked")


def guards(report, server, folder):
    agent = Agent(server, folder, "planner")
    with report.case("a look-alike of another's name is refused and names the rule; a restart forgets nothing of it"):
        server.run("publisher", "allow", agent.key.fingerprint)
        agent.publish("1.0.0")
        like = Agent(server, folder, "planer")
        server.run("publisher", "allow", like.key.fingerprint)
        like.refused("1.0.0", "could be taken for planner")
        server.stop()
        server.start()
        like.refused("1.0.0", "could be taken for planner")
    with report.case("a quota of agents for each key holds over a restart"):
        server.registry["agents-per-key"] = 1
        server.write_config()
        server.run("reload")
        second = Agent(server, folder, "reviewer")
        second.key = publishing.rename(agent.key, folder / "again", second.name)
        second.refused("1.0.0", "agents-per-key")
        server.stop()
        server.start()
        second.refused("1.0.0", "agents-per-key")
        server.registry.pop("agents-per-key")
        server.write_config()
        server.run("reload")
    with report.case("an ordinary update leaves agents alone, and is done for other names"):
        for owner, wanted in ((agent.name, "REFUSED"), ("_manifest." + agent.name, "REFUSED"), ("_a2a._tcp." + ZONE, "REFUSED"),
                              ("plan._find._agents." + ZONE, "REFUSED"), ("_p1.plan._find._agents." + ZONE, "REFUSED"),
                              ("x.y._ref._agents." + ZONE, "REFUSED"), ("free." + ZONE, "NOERROR")):
            script = f"server {LOOPBACK} {server.port}\nzone {ZONE}\nupdate add {owner} 60 TXT \"x\"\nsend\n"
            done = subprocess.run(["nsupdate", "-y", f"hmac-sha256:{KEY[0]}:{KEY[1]}"], input=script, capture_output=True, text=True, check=False)
            rcode = "NOERROR" if done.returncode == 0 else done.stderr.strip().rsplit(" ", 1)[-1]
            require(rcode == wanted, f"{owner}: {rcode}")
    with report.case("a reload of the zone file leaves published agents alone"):
        file = pathlib.Path(server.zones[0].file)
        file.write_text(HEAD.format(zone=ZONE, serial=99) + "new A 192.0.2.9\n")
        server.run("zone", "reload", ZONE)
        require(rrset(server.ask("new." + ZONE, "A"), "new." + ZONE, "A") is not None, "the file was not read")
        require(served_statement(server, agent.name) == agent.present, "the agent is another")
    return agent


def file_agents(report, server, folder):
    agent = Agent(server, folder, "standing")
    with report.case("an agent that stands in the zone file is in the book, and only its key updates it"):
        parts = publishing.make_statement(agent.name, agent.key, "1.0.0", ROWS, modified=publishing.now_text(-60))
        lines = [f"standing {publishing.text_of(parts)}", f"standing {agent.key.record}", *(f"standing {row}" for row in ROWS)]
        file = pathlib.Path(server.zones[0].file)
        file.write_text(HEAD.format(zone=ZONE, serial=120) + "\n".join(lines) + "\n")
        server.run("zone", "reload", ZONE)
        agent.present = parts
        require(server.entry("standing")["key"] == agent.key.fingerprint, "not in the book")
        require(found_agents(server, "standing") == [agent.name], "not found")
        thief = publishing.Key(folder / "thief", agent.name)
        server.run("publisher", "allow", thief.fingerprint)
        agent.refused("1.1.0", "the name is held by key", key=thief)
        agent.publish("1.1.0")
        server.crash()
        server.run("zone", "reload", ZONE)
        require(values(served_statement(server, agent.name))["version"] == "1.1.0", "the file took it back")
    with report.case("one that the file has no longer is gone, and its name stays reserved"):
        other = Agent(server, folder, "leaving")
        parts = publishing.make_statement(other.name, other.key, "1.0.0", ROWS, modified=publishing.now_text(-60))
        file = pathlib.Path(server.zones[0].file)
        text = file.read_text()
        file.write_text(text.replace(" 120 ", " 121 ") + "\n".join([f"leaving {publishing.text_of(parts)}", f"leaving {other.key.record}",
                                                                  *(f"leaving {row}" for row in ROWS)]) + "\n")
        server.run("zone", "reload", ZONE)
        require(server.entry("leaving")["presence"] == "live", "not in the book")
        file.write_text(text.replace(" 120 ", " 122 "))
        server.run("zone", "reload", ZONE)
        require(server.entry("leaving")["presence"] == "gone", "still there")
        require(found_agents(server, "leaving") == [], "still found")


def leases(report, server, folder):
    """nsupdate has no option for a lease, so the message is nsupdate's own form with an OPT of ours."""
    agent = Agent(server, folder, "leased")
    server.run("publisher", "allow", agent.key.fingerprint)
    with report.case("a lease is granted in the answer, TTLs are a tenth of it at most, and it ends in time over a restart [RFC 9664]"):
        parts = publishing.make_statement(agent.name, agent.key, "1.0.0", ROWS)
        began = time.monotonic()
        reply = publishing.signed_update(server, ZONE, agent.name, agent.key, parts, ROWS, options=[dns.edns.GenericOption(UPDATE_LEASE, struct.pack("!II", 5, 60))])
        require(reply.rcode() == dns.rcode.NOERROR, reply.to_text() + server.log_tail(3))
        granted = [option for option in reply.options if option.otype == UPDATE_LEASE]
        require(granted and struct.unpack("!II", granted[0].to_wire()) == (30, 60), f"granted: {reply.options}")
        found = rrset(server.ask(agent.name, "SRV"), agent.name, "SRV")
        require(found.ttl <= 3, f"TTL {found.ttl}")
        server.crash()
        require(server.entry("leased")["lease_until"] is not None, "the lease is lost")
        deadline = began + 30 + PATIENCE
        while rrset(server.ask(agent.name, "TXT"), agent.name, "TXT") is not None:
            require(time.monotonic() < deadline, "it is still served")
            time.sleep(0.3)
        require(time.monotonic() - began > 28, "it was gone too early")
        require(server.entry("leased")["presence"] == "gone", "not gone in the book")
        require(found_agents(server, "leased") == [], "still found")


def secondary_has_all(report, server, secondary):
    with report.case("a stock secondary has all of it, by IXFR, and the zone verifies"):
        ours = zone_wire.fetch(LOOPBACK, server.port, ZONE)
        deadline = time.monotonic() + PATIENCE
        theirs = None
        while theirs is None or theirs.records != ours.records:
            require(time.monotonic() < deadline, "the secondary has another zone")
            time.sleep(0.2)
            theirs = zone_wire.fetch(LOOPBACK, secondary.port, ZONE)
        require(found_agents(secondary, "plan") == found_agents(server, "plan") != [], "the secondary finds others")
        require("IXFR, incoming" in secondary.log_tail(2000), "no IXFR came in")
        path = server.folder / "export"
        path.write_text(server.run("zone", "export", ZONE).stdout)
        run_tool("dnssec-verify", "-q", "-o", ZONE, path)


def figures(report, server, folder):
    with report.case("status tells of publishes, and a backup brings the book along"):
        counted = Agent(server, folder, "counted")
        counted.refused("1.0.0", "may not publish")
        server.run("publisher", "allow", counted.key.fingerprint)
        counted.publish("1.0.0")
        status = server.json("status")
        require(status["publishes"] == {"accepted": 1, "refused": 1, "by_rule": {"allow-list": 1}}, status["publishes"])
        require(status["agents"]["published"] > 1, status["agents"])
        listed = server.json("agent", "list")
        require(any(row["agent"].startswith("planner.") for row in listed["agents"]), listed)
        server.run("backup", str(server.folder / "backup"))
        server.stop()
        server.run("restore", str(server.folder / "backup"), "--replace")
        server.start()
        require(server.json("agent", "list") == listed, "the restored book is another")
        require(server.json("status")["replica"] != status["replica"], "the incarnation is the one before")


def main():
    report = Report("publish day")
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        file = folder / "acme.zone"
        file.write_text(HEAD.format(zone=ZONE, serial=1))
        port = servers.free_port([LOOPBACK])
        with Registry(file, secondary=port) as server:
            with Secondary(server.port, port) as secondary:
                agent = first_publishes(report, server, folder)
                turns(report, server, folder, agent)
                guards(report, server, folder)
                file_agents(report, server, folder)
                leases(report, server, folder)
                secondary_has_all(report, server, secondary)
                figures(report, server, folder)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
