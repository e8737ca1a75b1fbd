#!/usr/bin/python3
"""A federation at work: what is published at a leaf is found at its parent and at the root, in a search that climbs and in one that asks
everybody; parents that are away lose nothing, and what is withdrawn is gone everywhere.

    federation_day.py [--registries N]

--registries has that many registries in all: the seven of the quickstart and others below com and org, which publish an agent each.
"""

import argparse
import json
import pathlib
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "support")]

import namespaces
from federation import APEX, Federation, address_of, zone_of
from publisher import Publisher, steward_manifest
from registry import eventually
from report import Report, require

SEVEN = {"": None, "com": "", "org": "", "github": "", "vibe-agency.com": "com", "acme-corp.com": "com", "openai.org": "org"}
LEAF = "vibe-agency.com"


def tree(registries):
    """The seven, and others below com and org."""
    more = [f"member-{number}.{('com', 'org')[number % 2]}" for number in range(registries - len(SEVEN))]
    return {**SEVEN, **{namespace: namespace.rsplit(".", 1)[1] for namespace in more}}


class Day:
    def __init__(self, folder, federation):
        self.folder = pathlib.Path(folder)
        self.federation = federation
        self.publishers = {}
        self.anchor = self.folder / "anchor.ds"
        self.anchor.write_text(federation.anchor())

    def publisher(self, namespace):
        if namespace not in self.publishers:
            publisher = Publisher(self.folder / f"publisher-{namespace}", self.federation[namespace].at, namespace)
            publisher.done("keygen")
            self.publishers[namespace] = publisher
        return self.publishers[namespace]

    def publish(self, namespace, label, *capabilities, version="1.0.0"):
        """The agent's full name, once its registry has answered."""
        publisher = self.publisher(namespace)
        manifest = steward_manifest(label, version)
        manifest["credentials"]["mandate"] = [{"capability": name, "scope": "read"} for name in capabilities]
        manifest["capabilities"]["operations"] = [{"name": name, "description": f"Does {name}"} for name in capabilities]
        publisher.done("publish", publisher.write(f"{label}.json", manifest))
        return f"{label}.{zone_of(namespace)}"

    def discover(self, term, namespace, *words, status=0):
        """The rows of `steward discover`, asked of the root and believed from its keys down."""
        client = self.publisher(namespace)
        done = client.run("discover", term, "--namespace", namespace, "--registry", self.federation[""].at, "--trust-anchor", self.anchor,
                          "--json", *words)
        require(done.returncode == status, f"discover {term} ended with {done.returncode}: {done.stdout}{done.stderr}")
        return json.loads(done.stdout) if done.stdout else {"agents": []}

    def names(self, term, namespace, *words, status=0):
        return sorted(row["agent"].rstrip(".") + "." for row in self.discover(term, namespace, *words, status=status)["agents"])


def pushes(report, day):
    com, root = day.federation["com"], day.federation[""]
    with report.case("a publish at a leaf is found at its parent and at the root, by NOTIFY and IXFR alone"):
        agent = day.publish(LEAF, "orchestrator", "orchestrate_sdlc", "plan")
        for registry in (com, root):
            registry.wait_found("orchestrate_sdlc", [agent])
            facts = registry.reference(agent)
            require(facts.get("version") == "1.0.0" and facts.get("v"), f"{registry.zone}: {facts}")
    with report.case("an update at the leaf reaches what the root says of it"):
        day.publish(LEAF, "orchestrator", "orchestrate_sdlc", "plan", version="1.1.0")
        eventually(lambda: f"version 1.1.0 at the root: {root.reference(agent)}", lambda: root.reference(agent).get("version") == "1.1.0")
    with report.case("what is withdrawn is on no page above any more"):
        day.publisher(LEAF).done("withdraw", agent)
        for registry in (com, root):
            registry.wait_found("orchestrate_sdlc", [])


def climbs(report, day):
    two = [day.publish("acme-corp.com", "polyglot", "translate"), day.publish("acme-corp.com", "interpreter", "translate")]
    more = [day.publish("openai.org", f"translator-{number}", "translate") for number in (1, 2, 3)]
    day.federation["com"].wait_found("translate", two)
    day.federation[""].wait_found("translate", two + more)
    with report.case("discovery at three levels: none at the local registry, two at its parent"):
        require(day.federation[LEAF].found("translate") == set(), "the leaf knows some")
        require(day.names("translate", LEAF) == sorted(two), day.names("translate", LEAF))
    with report.case("discovery at three levels: five at the root with --all"):
        require(day.names("translate", LEAF, "--all") == sorted(two + more), day.names("translate", LEAF, "--all"))
    with report.case("a term that nobody knows has no result, and says so"):
        require(day.names("paint_houses", LEAF, status=1) == [], "something was found")
    with report.case("local, parent, root and siblings at once find the same five, validated"):
        found = day.discover("translate", LEAF, "--federated")
        require(sorted(row["agent"].rstrip(".") + "." for row in found["agents"]) == sorted(two + more), found)


def duplicates(report, day):
    with report.case("one label in two namespaces: both stand, and both are listed"):
        both = [day.publish(LEAF, "planner", "plan_trips"), day.publish("openai.org", "planner", "plan_trips")]
        day.federation[""].wait_found("plan_trips", both)
        require(day.names("plan_trips", LEAF, "--all") == sorted(both), "not both")


def outages(report, day):
    com, root = day.federation["com"], day.federation[""]
    with report.case("a parent that was away for a while has all once it is back"):
        com.stop()
        agents = [day.publish("acme-corp.com", f"night-{number}", "work_at_night") for number in range(5)]
        com.start()
        for registry in (com, root):
            registry.wait_found("work_at_night", agents)
    with report.case("kill -9 of the parent while agents are published: nothing is lost on the way up"):
        for number in range(5, 15):
            agents.append(day.publish("acme-corp.com", f"night-{number}", "work_at_night"))
            if number in (7, 11):
                com.kill()
                com.start()
        for registry in (com, root):
            registry.wait_found("work_at_night", agents)
    with report.case("while a leaf is down, the root still tells all facts of its agents"):
        day.federation["acme-corp.com"].stop()
        require(root.reference(agents[0]).get("version") == "1.0.0", root.reference(agents[0]))
        require(len(day.names("work_at_night", LEAF, "--limit", "0")) == len(agents), "not all are found")
        day.federation["acme-corp.com"].start()


STORM = 200


def restarts(report, day):
    """{after so many publishes: what happens to whom}: com is away, both are, com is back before the root, and goes once more as the root catches up."""
    com, root = day.federation["com"], day.federation[""]
    events = {40: com.kill, 70: com.start, 90: root.kill, 100: com.kill, 130: com.start, 150: root.start, 160: com.kill, 161: com.start}
    with report.case(f"{STORM} agents in a row at a leaf, com and root killed with -9 in between: each is found at the root once, with its facts"):
        agents = []
        for number in range(STORM):
            agents.append(day.publish(LEAF, f"storm-{number}", "weather_storms"))
            events.get(number, lambda: None)()
        for registry in (com, root):
            registry.wait_found("weather_storms", agents)
            require(sorted(registry.places("weather_storms")) == sorted(agents), f"{registry.zone}: some stand twice")
            without = [agent for agent in agents if registry.reference(agent).get("version") != "1.0.0"]
            require(not without, f"{registry.zone}: no _ref of {without}")
    with report.case("and nothing of it was refused, or is in conflict"):
        for registry in (com, root):
            peers = json.loads(registry.run("peers", "--json").stdout)["children"]
            require(all(row["refused"] == row["conflicts"] == 0 for row in peers), peers)
    with report.case("nor is the root ill of it"):
        health = json.loads(root.run("health", "--json").stdout)
        require(health["healthy"], health)


def crowd(report, day):
    members = [namespace for namespace in day.federation.members if namespace.startswith("member-")]
    if not members:
        return
    with report.case(f"an agent of each of {len(members)} more registries is found at the root"):
        agents = [day.publish(namespace, "worker", "work_along") for namespace in members]
        day.federation[""].wait_found("work_along", agents)


def run(report, registries):
    with tempfile.TemporaryDirectory(prefix="steward-federation-") as folder, Federation(folder, tree(registries)) as federation:
        day = Day(folder, federation)
        for part in (pushes, climbs, duplicates, outages, restarts, crowd):
            with report.case(f"{part.__name__}: to the end"):
                part(report, day)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--registries", type=int, default=len(SEVEN), metavar="N", help="7 or more")
    arguments = parser.parse_args()
    report = Report("federation_day")
    return namespaces.at_port_53(report, address_of(0), "a federation", lambda: run(report, arguments.registries))


if __name__ == "__main__":
    sys.exit(main())
