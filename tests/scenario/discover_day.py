#!/usr/bin/python3
"""Agents found with `steward discover`: at the local registry, by a climb to the parent and the root, across a federation of
which a part is dead; what registries lie about; and the choice between namesakes on a terminal.

    discover_day.py
"""

import os
import pathlib
import pty
import select
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "support")]

import find_zones
import servers
from client_world import APEX
from publisher import Publisher, steward_manifest
from report import Report, Skipped, require
from steward import Client, client_program

CROWD = 40
PUBLISHED = 30
EVIL = "\x1b[2J\u202eevil"
BAR_COLD = 0.25  # s; the bench has the tight one
BAR_DEAD = 3.0
ADDRESSES = ("127.53.0.71", "127.53.0.72")


def federation():
    """Root, com, org, and an organisation below each of these; what each knows."""
    root, com, org, vibe, acme = (find_zones.FindZone(name) for name in ("", "com", "org", "vibe-agency.com", "acme.org"))
    orchestrator = vibe.publish("orchestrator", "0.94", "orchestrate_sdlc", "plan", desc=EVIL)
    namesake = acme.publish("orchestrator", "0.87", "plan")
    planner = acme.publish("gpt-planner", "0.82", "orchestrate_sdlc", "plan")
    for zone, home, facts, trust in ((com, vibe, orchestrator, "0.93"), (root, vibe, orchestrator, "0.92"),
                                     (org, acme, namesake, "0.87"), (root, acme, namesake, "0.86"),
                                     (org, acme, planner, "0.82"), (root, acme, planner, "0.70")):
        zone.refer(home, facts, trust, facts["name"], *facts["name"].split("-"), *facts["capabilities"])
    for number in range(CROWD):
        vibe.publish(f"crowd-{number:02}", f"0.{30 + number}", terms=["crowd"])
    vibe.publish("liar", "0.99", "lie", terms=["lie", "orchestrate_sdlc"])
    vibe.list(acme.full("orchestrator"), ["lie"])
    vibe.list(vibe.full("nobody"), ["lie"])
    return [vibe, acme, com, org, root]


def names(found):
    return [(agent["label"], agent["namespace"]) for agent in found["agents"]]


def climbs(report, client, empty):
    with report.case("the local registry's agents are found, and nobody else is asked"):
        found = client.ask("discover", "orchestrate_sdlc", "--namespace", "vibe-agency.com")
        require(names(found) == [("orchestrator", "vibe-agency.com")], str(found))
        require([row["registry"] for row in found["registries"]] == [f"vibe-agency.com.{APEX}".rstrip(".")], str(found["registries"]))
        agent = found["agents"][0]
        require(agent["trust"] == 0.94 and agent["self_stated"] and agent["reversed"] == "com.vibe-agency.orchestrator", str(agent))
    with report.case("where the local registry has nothing its parent is asked, then the root; a cold climb is quick"):
        began = time.monotonic()
        found = client.ask("discover", "gpt", "--namespace", "vibe-agency.com")
        took = time.monotonic() - began
        require(names(found) == [("gpt-planner", "acme.org")] and len(found["registries"]) == 3, str(found))
        require(found["agents"][0]["trust"] == 0.7 and not found["agents"][0]["self_stated"], str(found["agents"]))
        print(f"        {took * 1000:.0f} ms")
        require(took < BAR_COLD * (4 if os.getloadavg()[0] > 2 * (os.cpu_count() or 1) else 1), f"{took:.3f} s")
    with report.case("a namespace without a registry of its own is searched at the one above it"):
        require(names(client.ask("discover", "orchestrate_sdlc", "--namespace", empty)) == [("orchestrator", "vibe-agency.com")], "climb")
    with report.case("without a namespace the root is asked"):
        require(len(client.ask("discover", "orchestrate_sdlc")["agents"]) == 2, "root")
    with report.case("what nobody has is said, with exit status 1; a term is checked, and its capitals folded with a note"):
        require(client.ask("discover", "unheard_of", "--namespace", "vibe-agency.com", status=1)["agents"] == [], "none")
        require(client.run("discover", "un heard").returncode == 2, "wrong term")
        done = client.run("discover", "GPT")
        require(done.returncode == 0 and "'GPT' is searched as 'gpt'" in done.stderr, done.stderr)


def pages(report, client):
    with report.case("pages are followed to their end, and cut at the limit with the best first"):
        found = client.ask("discover", "crowd", "--namespace", "vibe-agency.com", "--limit", "0")
        require(len(found["agents"]) == CROWD and found["complete"], str(len(found["agents"])))
        trusts = [agent["trust"] for agent in found["agents"]]
        require(trusts == sorted(trusts, reverse=True), str(trusts))
        few = client.ask("discover", "crowd", "--namespace", "vibe-agency.com", "--limit", "5")
        require(len(few["agents"]) == 5 and few["about"] == CROWD and not few["complete"], str(few["about"]))
        by_name = client.ask("discover", "crowd", "--namespace", "vibe-agency.com", "--sort", "name", "--limit", "0")
        labels = [agent["label"] for agent in by_name["agents"]]
        require(labels == sorted(labels), str(labels))


def federates(report, client):
    with report.case("all goes to the root; the trust is the lowest that is stated on the path"):
        found = client.ask("discover", "plan", "--namespace", "vibe-agency.com", "--all")
        require([(agent["label"], agent["trust"]) for agent in found["agents"]] == [("orchestrator", 0.92), ("orchestrator", 0.86), ("gpt-planner", 0.7)], str(found))
        require(len(found["registries"]) == 3, str(found["registries"]))
    with report.case("federated asks the siblings too, and shows a table"):
        found = client.ask("discover", "plan", "--namespace", "vibe-agency.com", "--federated")
        require({row["role"] for row in found["registries"]} == {"local", "parent", "root", "sibling"} and len(found["registries"]) == 5, str(found["registries"]))
        require(all(row["answered"] for row in found["registries"]) and not found["warnings"], str(found["warnings"]))
        shown = client.run("discover", "plan", "--namespace", "vibe-agency.com", "--federated")
        lines = shown.stdout.splitlines()
        require(lines[0] == "Found 3 agents across 5 registries:" and lines[1].split() == ["agent", "registry", "trust", "latency"], shown.stdout)
        require(lines[2].split()[:4] == ["orchestrator", "vibe-agency.com", "0.92", "★★★"] and "(local)" in lines[2], shown.stdout)
        require(not shown.stderr, f"progress in a pipe: {shown.stderr}")


def distrusts(report, client):
    with report.case("what a registry lists wrongly is left out and told: another term, another registry's agent, nobody"):
        found = client.ask("discover", "lie", "--namespace", "vibe-agency.com")
        require(names(found) == [("liar", "vibe-agency.com")], str(found))
        told = "\n".join(row["what"] for row in found["warnings"])
        require("orchestrator.acme.org" in told and "not below it" in told and "nobody.vibe-agency.com" in told, told)
        found = client.ask("discover", "orchestrate_sdlc", "--namespace", "vibe-agency.com")
        require("does not say 'orchestrate_sdlc'" in found["warnings"][0]["what"], str(found["warnings"]))
    with report.case("what is on the wire moves no cursor"):
        for words in ((), ("--json",)):
            done = client.run("discover", "orchestrator", "--namespace", "vibe-agency.com", *words)
            require("\x1b" not in done.stdout + done.stderr and "\u202e" not in done.stdout + done.stderr, repr(done.stdout))


def loses(report, client):
    with report.case("a dead registry costs its rows and a warning that names it, and little time"):
        began = time.monotonic()
        found = client.ask("discover", "plan", "--namespace", "dead.com", "--federated")
        took = time.monotonic() - began
        require(names(found)[:1] == [("orchestrator", "vibe-agency.com")] and not found["complete"], str(found))
        require([row["registry"] for row in found["warnings"]] == [f"dead.com.{APEX}".rstrip(".")], str(found["warnings"]))
        require([row["answered"] for row in found["registries"] if row["registry"].startswith("dead.")] == [False], str(found["registries"]))
        print(f"        {took:.2f} s")
        require(took < BAR_DEAD, f"{took:.2f} s")
    with report.case("with another trust anchor nothing is shown, not even that there is nobody"):
        with tempfile.TemporaryDirectory() as folder:
            other = pathlib.Path(folder) / "other.ds"
            other.write_text(f"{APEX} DS 1 13 2 {'00' * 32}\n")
            found = client.ask("discover", "plan", "--namespace", "vibe-agency.com", "--trust-anchor", other, status=1)
        require(not found["agents"] and all("DNSSEC: bogus" in row["what"] for row in found["warnings"]) and found["warnings"], str(found))


def on_terminal(client, words, typed):
    """What `steward` shows on a terminal, with this typed at its prompt; and its exit status."""
    master, slave = pty.openpty()
    process = subprocess.Popen([client_program(), *words], stdin=slave, stdout=slave, stderr=slave, close_fds=True,
                               env={**os.environ, "XDG_CONFIG_HOME": str(client.folder), "NO_COLOR": "1"})
    os.close(slave)
    shown, sent, end = b"", False, time.monotonic() + 60
    while time.monotonic() < end:
        if not select.select([master], [], [], 1)[0]:
            continue
        try:
            octets = os.read(master, 65536)
        except OSError:
            break
        shown += octets
        if not sent and b"Select agent" in shown:
            os.write(master, typed)
            sent = True
    os.close(master)
    return shown.decode(errors="replace").replace("\r\n", "\n"), process.wait(10)


def chooses(report, client):
    words = ("discover", "orchestrator", "--federated", "--namespace", "vibe-agency.com")
    with report.case("on a terminal who is waited for is told, and one of two namesakes is chosen at a prompt"):
        shown, status = on_terminal(client, words, b"3\n2\n")
        require("Local (vibe-agency.com): 1 result" in shown and "Parent (com): 1 result" in shown, shown)
        require("1. com.vibe-agency.orchestrator (0.92 ★★★)" in shown and "2. org.acme.orchestrator (0.86 ★★)" in shown, shown)
        require(shown.count("Select agent [1/2]: ") == 2 and status == 0, shown)
        require(shown.rstrip().splitlines()[-1].strip().startswith("mcp") or "orchestrator.acme.org" in shown.split("Select agent")[-1], shown)
    with report.case("nothing typed chooses nothing; in a pipe nobody is asked"):
        shown, status = on_terminal(client, words, b"\n")
        require(status == 0 and "endpoints" not in shown, shown)
        done = client.run(*words)
        require(done.returncode == 0 and "Select" not in done.stdout + done.stderr, done.stdout + done.stderr)


def finds_published(report, folder):
    """Agents that were published, so that their pages are the registry's own."""
    zone = find_zones.FindZone("acme-corp.com")
    with find_zones.serve(folder, [zone], options={"registry": {"namespace": zone.namespace}}) as server:
        server.restart()  # a registry is one from the start on
        server.wait_ready()
        publisher = Publisher(folder / "publisher", f"127.0.0.1@{server.port}")
        client = Client(folder / "client", server.port, server.ds[zone.name])
        with report.case(f"{PUBLISHED} agents that were published are found over all pages of their term, and each by its name"):
            server.run("publisher", "allow", publisher.done("keygen")["fingerprint"], "--note", "bots")
            for number in range(PUBLISHED):
                publisher.done("publish", publisher.write("bot.json", steward_manifest(f"bot-{number:02}")))
            found = client.ask("discover", "bot", "--namespace", zone.namespace, "--limit", "0")
            require({label for label, _ in names(found)} == {f"bot-{number:02}" for number in range(PUBLISHED)} and found["complete"], str(found))
            require(names(client.ask("discover", "bot-07", "--namespace", zone.namespace)) == [("bot-07", zone.namespace)], "by name")
            require(all(agent["self_stated"] and agent["trust"] is not None for agent in found["agents"]), str(found["agents"][0]))
        with report.case("an agent that is withdrawn is found no more"):
            publisher.done("withdraw", "bot-07")
            found = client.ask("discover", "bot", "--namespace", zone.namespace, "--limit", "0")
            require(len(found["agents"]) == PUBLISHED - 1 and not found["warnings"], str(found["warnings"]))


def follows_referrals(report, folder):
    """Two servers at port 53, as stock resolvers need it."""
    with report.case("a climb over referrals, from an organisation's server to its parent's; the dead server is named"):
        if not all(servers.can_serve(address, 53) for address in ADDRESSES):
            raise Skipped(f"port 53 of {' and '.join(ADDRESSES)} is not to be had")
        vibe, acme, com, org, root = federation()
        with find_zones.serve(folder, [vibe], address=ADDRESSES[1], port=53) as lower:
            row = (vibe.name, ADDRESSES[1], lower.ds[vibe.name])
            with find_zones.serve(folder, [acme, com, org, root], {com.name: [row]}, ADDRESSES[0], 53) as upper:
                client = Client(folder / "client", None, upper.ds[root.name])
                asked = ("--registry", f"{ADDRESSES[0]}@53", "--namespace", "vibe-agency.com")
                require(names(client.ask("discover", "orchestrate_sdlc", *asked)) == [("orchestrator", "vibe-agency.com")], "local")
                require(names(client.ask("discover", "gpt", *asked)) == [("gpt-planner", "acme.org")], "root")
                lower.stop()
                found = client.ask("discover", "orchestrate_sdlc", *asked, "--federated")
                require(("orchestrator", "vibe-agency.com") in names(found), str(found))
                require(f"vibe-agency.com.{APEX}".rstrip(".") in [warning["registry"] for warning in found["warnings"]], str(found["warnings"]))


def main():
    report = Report("discovery")
    with tempfile.TemporaryDirectory(prefix="steward-discover-") as name:
        folder = pathlib.Path(name)
        zones = federation()
        dead = {f"com.{APEX}": [(f"dead.com.{APEX}", "127.0.0.1", f"dead.com.{APEX} DS 1 13 2 {'00' * 32}")]}
        with find_zones.serve(folder, zones, dead) as server:
            client = Client(folder / "client", server.port, server.ds[APEX])
            climbs(report, client, "nothing-here.com")
            pages(report, client)
            federates(report, client)
            distrusts(report, client)
            loses(report, client)
            chooses(report, client)
        for place, run in (("published", finds_published), ("referrals", follows_referrals)):
            (folder / place).mkdir()
            run(report, folder / place)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
