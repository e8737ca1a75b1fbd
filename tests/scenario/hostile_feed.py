#!/usr/bin/python3
"""A registry below spoils its feed without end, so that its parent would check signatures all day: it waits once its budget is spent, its parent's operator
is told, what was listed of it stays, and the registry beside it is followed at once.

    hostile_feed.py
"""

import json
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "support")]

import publishing
from feeds import Feed
from following import World, followed
from registry import eventually
from report import Report, require

LABELS, WRITES, ROTATIONS = 4, 60, 126  # of one version of the feed: 4 * 60 * 2 * 126 signatures, were they checked
BUDGET = 100_000


class Hostile(World):
    """The world of following.py, with an honest child beside the other."""

    def __init__(self, folder):
        super().__init__(folder)
        self.honest = Feed("acme-corp.com", "main-7b1d")
        self.honest_key = publishing.Key(folder / "honest", self.honest.agent("planner"))
        self.honest_server = self.child_of(self.honest)

    def children(self):
        return [self.child, self.honest_server]

    def follow(self, *arguments, **facts):
        super().follow(*arguments, **facts)
        self.parent.options["registry"]["children"].append({"namespace": "acme-corp.com", "replica": self.honest.replica,
                                                            "primaries": [f"127.0.0.1@{self.honest_server.port}"]})

    def peers(self):
        return {row["child"]: row for row in json.loads(self.parent.run("peers", "--json").stdout)["children"]}

    def spoil(self, version):
        """Rotations that nobody signed, other ones in each version."""
        rotations = [[b"v=steward-rotate1", f"n={number}".encode(), f"round={version}".encode()] for number in range(1, ROTATIONS + 1)]
        for label in (f"burden-{number}" for number in range(LABELS)):
            self.feed.publish(label, self.key, f"1.{version}.0", rotations=rotations)
            beside = [self.feed.publish(label, self.key, f"1.{version}.{number}", rotations=rotations, clock=f"r{number}-0001:1",
                                        replica=f"r{number}-0001") for number in range(1, WRITES)]
            self.feed.beside[label] = beside
        self.publish()


def run(report, world):
    with report.case("both are followed"):
        world.feed.publish("orchestrator", world.key, capabilities="plan")
        world.publish()
        world.wait_found("orchestrator")
    with report.case("a feed that costs too much is told in the log and by peers, and has to wait"):
        for version in range(1, 7):
            world.spoil(version)
            if world.peers()[world.feed.zone]["checks"] > BUDGET:
                break
            eventually(lambda: f"{world.peers()}\n{world.parent.log_tail(8)}",
                       lambda: world.is_judged() or world.peers()[world.feed.zone]["checks"] > BUDGET, 60)
        eventually(lambda: f"{world.peers()}\n{world.parent.log_tail(8)}", lambda: "feed.budget" in world.parent.log_text(), 60)
        row = world.peers()[world.feed.zone]
        require(row["checks"] > BUDGET and "too many signature checks" in row["error"], row)
        require("signature checks" in world.parent.run("peers").stdout, "the table does not say it")
    with report.case("the registry beside it is followed at once, and has cost next to nothing"):
        world.honest.publish("planner", world.honest_key, capabilities="make_plan")
        world.honest.write(world.honest_server.feed_path)
        eventually(lambda: f"{world.found('make_plan')}", lambda: world.honest.agent("planner") in world.found("make_plan"))
        row = world.peers()[world.honest.zone]
        require(0 < row["checks"] < 10 and not row["error"], row)
    with report.case("what was listed of it stays, and it is followed again once it has waited"):
        require(world.feed.agent("orchestrator") in world.found("plan"), world.found("plan"))
        for label in list(world.feed.beside):
            world.feed.remove(label)
        world.feed.beside.clear()
        world.feed.publish("late", world.key, capabilities="come_late")
        world.publish()
        eventually(lambda: f"{world.peers()}\n{world.parent.log_tail(8)}", lambda: world.feed.agent("late") in world.found("come_late"), 240)
        require(not world.peers()[world.feed.zone]["error"], world.peers())


def main():
    report = Report("hostile_feed")
    return followed(report, "steward-hostile-", Hostile, lambda world: run(report, world))


if __name__ == "__main__":
    sys.exit(main())
