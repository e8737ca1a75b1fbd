#!/usr/bin/python3
"""Two replicas of a registry took a write of the same agent while neither knew of the other. The parent keeps both, lists the winner, tells its operator
and its own parent; a later write that knew of both ends it.

    conflicts_day.py

The child is a server of ours that serves its feed as a zone file.
"""

import json
import pathlib
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "support")]

import dns.query

from following import PARENT, World, followed, rdatas
from registry import eventually
from report import Report, require

AGENT = "orchestrator.vibe-agency"


class Split(World):
    """The world of following.py, with a feed of the parent's own that may be had."""

    def __init__(self, folder):
        super().__init__(folder)
        self.parent.options["registry"]["feed"] = {"allow-transfer": ["127.0.0.0/8"]}

    def split(self):
        """One write of eu, one of us, which is the later."""
        now = int(time.time())
        europe = self.feed.publish("orchestrator", self.key, "1.1.0", "plan", clock="eu-4f2a:1", replica="eu-4f2a", stamp=now)
        america = self.feed.publish("orchestrator", self.key, "1.2.0", "plan", shift=1, clock="us-91c0:1", replica="us-91c0", stamp=now + 1)
        self.feed.beside["orchestrator"] = [europe]
        self.publish()
        return europe, america

    def join(self):
        """The next write of eu, which knows of both."""
        self.feed.publish("orchestrator", self.key, "1.3.0", "plan", shift=2, clock="eu-4f2a:2,us-91c0:1", replica="eu-4f2a",
                          stamp=int(time.time()) + 2)
        del self.feed.beside["orchestrator"]
        self.publish()

    def operator(self, *words, check=True):
        return self.parent.run("conflicts", *words, check=check)

    def health(self, check):
        checks = json.loads(self.parent.run("health", "--json", check=False).stdout)["checks"]
        return next(row for row in checks if row["check"] == check)

    def listed(self):
        lines = self.operator("list", "--json").stdout.splitlines()
        return {row["agent"]: row for line in lines for row in json.loads(line).get("conflicts", [])}

    def told(self):
        """What `_conflict` says, by `write`."""
        values = [dict(text.decode().split("=", 1) for text in rdata.strings)
                  for rdata in rdatas(self.parent, f"_conflict.{AGENT}._ref._agents.{PARENT}", "TXT")]
        return {said["write"]: said for said in values}

    def handed_on(self):
        """Labels of losers in the parent's own feed, and the versions of all writes there."""
        feed = f"{json.loads(self.parent.run('status', '--json').stdout)['replica']}._feed.{PARENT}"
        text = [line for message in dns.query.xfr("127.0.0.1", feed, port=self.parent.port, relativize=False, timeout=10)
                for rrset in message.answer for line in rrset.to_text().splitlines()]
        labels = {line.split(".")[0] for line in text if line.startswith("_w")}
        return labels, {line.split("version=")[1].split('"')[0] for line in text if '"v=steward1"' in line}


def is_seen(report, world):
    with report.case("both writes stand: the later one is listed, the other one is told of, with dig too"):
        world.split()
        eventually(lambda: f"{world.listed()}\n{world.parent.log_tail(12)}", lambda: len(world.listed()) == 1)
        row = next(iter(world.listed().values()))
        require((row["number"], row["seen"], row["child"]) == (2, False, world.feed.zone), row)
        require([(write["version"], write["replica"], write["vc"]) for write in row["writes"]] ==
                [("1.2.0", "us-91c0", "us-91c0:1"), ("1.1.0", "eu-4f2a", "eu-4f2a:1")], row["writes"])
        require(world.ref_values("orchestrator")["version"] == "1.2.0", world.ref_values("orchestrator"))
        told = world.told()
        require(len(told) == 2 and told["winner"]["version"] == "1.2.0", told)
        require(world.peer()["conflicts"] == 1 and "feed.conflict" in world.parent.log_text(), world.parent.log_tail(10))
    with report.case("show tells each write, by the short name; a table for people"):
        row = json.loads(world.operator("show", AGENT, "--json").stdout.splitlines()[0])
        require(row["number"] == 2, row)
        text = world.operator("show", AGENT).stdout
        require("us-91c0:1" in text and "eu-4f2a:1" in text, text)
        require("1.2.0" in world.operator("list", "--namespace", "vibe-agency.com").stdout, "list --namespace")
    with report.case("health notes a conflict that nobody has seen, with the child; it is no illness"):
        row = world.health("conflicts")
        require(row["ok"] and row["note"] and row["detail"].startswith("1 of ") and world.feed.zone in row["detail"], row)
    with report.case("the registry's own feed hands on both, so that its parent sees the conflict too"):
        labels, versions = world.handed_on()
        require(len(labels) == 1 and versions == {"1.1.0", "1.2.0"}, (labels, versions))


def is_resolved(report, world):
    with report.case("resolve: above the agent's home nothing can be decided, and the home is named; exit status 1"):
        done = world.operator("resolve", AGENT, check=False)
        require(done.returncode == 1 and world.feed.zone in done.stderr, done.stderr)
        for words in (("show", "nobody.vibe-agency"), ("resolve", "nobody.vibe-agency", "--seen"), ("list", "--namespace", "nobody.com")):
            require(world.operator(*words, check=False).returncode == 1, words)
    with report.case("resolve --seen takes the records away, also over kill -9; the writes stay"):
        world.operator("resolve", AGENT, "--seen")
        require(not world.told(), world.told())
        require(not world.health("conflicts")["note"], world.health("conflicts"))
        world.parent.kill()
        world.parent.start()
        row = next(iter(world.listed().values()))
        require(row["seen"] and row["number"] == 2 and not world.told(), row)
        require(world.handed_on()[1] == {"1.1.0", "1.2.0"}, world.handed_on())
    with report.case("a write that knew of both ends the conflict, everywhere"):
        world.join()
        eventually(lambda: f"{world.listed()}", lambda: not world.listed())
        eventually("1.3.0 at _ref", lambda: world.ref_values("orchestrator").get("version") == "1.3.0")
        require(not world.told() and world.peer()["conflicts"] == 0 and world.operator("list").stdout == "no conflicts\n", world.told())
        require(world.handed_on() == (set(), {"1.3.0"}), world.handed_on())


def main():
    report = Report("conflicts_day")

    def run(world):
        is_seen(report, world)
        is_resolved(report, world)

    return followed(report, "steward-conflicts-", Split, run)


if __name__ == "__main__":
    sys.exit(main())
