#!/usr/bin/python3
"""A registry follows a registry below it: what the child publishes is found at the parent, validated through the parent's
DNSSEC, also while the child is down; what is forged is marked and never listed.

    follow_day.py [--agents N]

The child is a server of ours that serves its feed as a zone file.
"""

import argparse
import json
import os
import pathlib
import signal
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "support")]

import dns.message
import dns.query
import dns.rcode

import publishing
import servers
from feeds import Feed, forged
from following import NAMESPACE, PARENT, World, followed, rdatas
from registry import eventually, outcome
from report import Report, require


def validated(server, folder, name, rdtype):
    """What delv says of the answer with the parent's keys as its only anchor."""
    keys = json.loads(server.run("zone", "keys", PARENT, "--json").stdout)
    ds = next(line for key in keys["keys"] for line in key["ds"]).split()
    anchor = folder / "anchor"
    anchor.write_text(f'trust-anchors {{ "{PARENT}" static-ds {ds[-4]} {ds[-3]} {ds[-2]} "{ds[-1]}"; }};\n')
    done = subprocess.run([servers.find_program("delv"), "@127.0.0.1", "-p", str(server.port), "-a", str(anchor),
                           f"+root={PARENT}", name, rdtype], capture_output=True, text=True, timeout=30, check=False)
    return done.stdout + done.stderr


def is_found_by_notify(world):
    world.feed.publish("orchestrator", world.key, capabilities="orchestrate_sdlc,plan")
    world.publish()
    for term in ("orchestrator", "orchestrate_sdlc", "plan"):
        world.wait_found("orchestrator", term)
    values = world.ref_values("orchestrator")
    require(values["trust"] == "0.90" and values["registry"] == "com" and values["version"] == "1.0.0", values)
    for name, rdtype in ((world.ref("orchestrator"), "TXT"), (f"plan._find._agents.{PARENT}", "PTR")):
        said = validated(world.parent, world.folder, name, rdtype)
        require("; fully validated" in said, said)
    world.wait_judged()
    peer = world.peer()
    require(peer["agents"] == 1 and peer["refused"] == 0 and peer["lag"] == 0 and not peer["error"], peer)


def goes_by_difference(world):
    world.feed.publish("orchestrator", world.key, version="1.1.0", capabilities="plan", shift=1)
    world.publish()
    eventually("1.1.0 at _ref", lambda: world.ref_values("orchestrator").get("version") == "1.1.0")
    world.wait_found("orchestrator", "orchestrate_sdlc", there=False)
    log = world.parent.log_text()
    require("kind=difference" in log, world.parent.log_tail(30))


def keeps_the_feed_to_itself(world):
    name = f"orchestrator.{world.feed.name}"
    require(outcome(world.parent, name, "TXT") == "REFUSED", outcome(world.parent, name, "TXT"))
    reply = dns.query.tcp(dns.message.make_query(world.feed.name, "AXFR"), "127.0.0.1", port=world.parent.port, timeout=5)
    require(reply.rcode() == dns.rcode.REFUSED, dns.rcode.to_text(reply.rcode()))


def marks_what_is_forged(world):
    feed, key = world.feed, world.key
    feed.publish("honest", key)
    feed.publish("moved", key, signer_of="orchestrator")
    bad = feed.publish("spoiled", key)
    bad.statement[-1] = b"sig=" + forged(bad.statement[-1][4:])
    feed.publish("later", key, stamp=4_000_000_000)
    broken = feed.publish("chained", world.other_key, version="2.0.0")
    broken.keys.append(key.record)
    broken.rotations = [publishing.make_rotation(feed.agent("chained"), 1, world.other_key, key)]
    feed.publish("orchestrator", key, version="0.9.0", capabilities="downgraded", shift=2)
    world.publish()
    world.wait_found("honest")
    for label, rule in (("moved", "unsound"), ("spoiled", "unsound"), ("later", "stamp"), ("chained", "unsound"),
                        ("orchestrator", "version-floor")):
        world.wait_refused(label, rule)
    for label in ("moved", "spoiled", "later", "chained"):
        require(not world.found(label) and not rdatas(world.parent, world.ref(label), "TXT"), label)
    # What was admitted before stays.
    require(not world.found("downgraded"), "downgraded")
    require(world.ref_values("orchestrator")["version"] == "1.1.0", world.ref_values("orchestrator"))
    require(world.refused()[feed.agent("orchestrator")]["listed"], world.refused())
    require(world.peer()["refused"] == 5, world.peer())
    require("feed.refused" in world.parent.log_text(), world.parent.log_tail(30))
    table = world.parent.run("peers", "--refused", "--namespace", NAMESPACE).stdout
    require("no chain" in table or "_keys" in table, table)


def mends_what_was_marked(world):
    for label in ("moved", "spoiled", "later", "chained"):
        world.feed.remove(label)
    world.feed.publish("orchestrator", world.key, version="1.2.0", capabilities="plan", shift=3)
    world.publish()
    eventually(lambda: f"nothing refused: {world.refused()}", lambda: not world.refused())
    eventually("1.2.0", lambda: world.ref_values("orchestrator").get("version") == "1.2.0")


def takes_tombstones_off_the_lists(world):
    world.feed.publish("honest", world.key, version="1.0.0", status="withdrawn", shift=4)
    world.publish()
    world.wait_found("honest", there=False)
    require(world.ref_values("honest")["status"] == "withdrawn", world.ref_values("honest"))


def takes_many_at_once(world, count):
    for number in range(count):
        world.feed.publish(f"worker-{number:05}", world.key, capabilities="work_in_bulk")
    world.publish()
    eventually(lambda: f"{count} agents: {world.peer()}", lambda: world.peer()["agents"] == count + 1, 300)
    require(len(world.found("work_in_bulk")) == count, f"{len(world.found('work_in_bulk'))} on the pages")


def comes_by_ixfr(world):
    """Of a feed that is large enough for a difference to be shorter than the whole."""
    require("kind=ixfr" not in world.parent.log_text(), "a small feed came by IXFR")
    world.feed.publish("orchestrator", world.key, version="1.3.0", capabilities="plan", shift=6)
    world.publish()
    eventually("1.3.0 at _ref", lambda: world.ref_values("orchestrator").get("version") == "1.3.0")
    require("kind=ixfr" in world.parent.log_text(), world.parent.log_tail(30))


def loses_nothing_when_killed(world, count):
    """Killed as soon as some of it is committed, and again as it starts."""
    for number in range(count):
        world.feed.publish(f"worker-{number:05}", world.key, version="1.1.0", capabilities="work_in_bulk,second_round", shift=5)
    world.publish()
    eventually("some of it", lambda: world.found("second_round"), 120)
    for _ in range(2):
        os.killpg(world.parent.process.pid, signal.SIGKILL)
        world.parent.process.wait()
        world.parent.start()
        world.parent.wait_ready()
    eventually(lambda: f"{count} in the second round: {world.peer()}", lambda: len(world.found("second_round")) == count, 300)
    world.wait_judged()
    world.parent.run("store", "verify")


def catches_up_after_a_night(world):
    world.parent.stop()
    world.feed.publish("nightly", world.key)
    world.feed.remove("honest")
    world.publish()
    eventually("the child serves it", lambda: outcome(world.child, world.feed.name) == world.feed.serial)
    world.parent.start()
    world.parent.wait_ready()
    world.wait_found("nightly")
    eventually("honest is gone", lambda: not rdatas(world.parent, world.ref("honest"), "TXT"))


def is_found_while_the_child_is_down(world):
    world.child.stop()
    try:
        require("; fully validated" in validated(world.parent, world.folder, world.ref("nightly"), "TXT"), "_ref")
        keys = json.loads(world.parent.run("zone", "keys", PARENT, "--json").stdout)
        anchor = world.folder / "anchor.ds"
        anchor.write_text("\n".join(line for key in keys["keys"] for line in key["ds"]) + "\n")
        program = pathlib.Path(os.environ.get("STEWARD", pathlib.Path(world.parent.program).parent / "steward"))
        done = subprocess.run([program, "discover", "nightly", "--json", "--registry", f"127.0.0.1@{world.parent.port}", "--namespace", "com",
                               "--trust-anchor", anchor], capture_output=True, text=True, timeout=60, check=False)
        require(done.returncode == 0 and "nightly" in done.stdout, done.stdout + done.stderr)
    finally:
        world.child.start()
        world.child.wait_ready()


def keeps_its_agents_on_another_replica(world):
    """The same agents in another replica's feed: they stay on the pages all the while."""
    old, before = world.feed, len(world.found("plan"))
    world.feed = Feed(NAMESPACE, "second-91c0")
    world.feed.entries = old.entries
    second = world.child_of(world.feed)
    with second:
        second.wait_ready()
        world.follow(world.feed, second)
        world.parent.reload()
        seen = set()

        def is_there():
            seen.add(len(world.found("plan")))
            return world.is_judged()

        eventually(lambda: f"the other replica's feed: {world.peer()}", is_there, 120)
        require(seen == {before}, f"{before} agents before, and then {seen}")
    world.feed = old


def forgets_who_left(world):
    world.parent.options["registry"]["children"] = []
    world.parent.reload()
    eventually(lambda: f"nothing of it: {world.found('plan')}", lambda: not world.found("plan") and not world.found("work_in_bulk"), 300)
    eventually("_ref is empty", lambda: not rdatas(world.parent, world.ref("nightly"), "TXT"))
    eventually("feed.left in the log", lambda: "feed.left" in world.parent.log_text())
    world.parent.run("store", "verify")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--agents", type=int, default=3000, help="that come at once")
    count = parser.parse_args().agents
    report = Report("follow day")

    def run(world):
        for sentence, test in (
                ("a child's publish is found at the parent after NOTIFY, and validated", lambda: is_found_by_notify(world)),
                ("of the next one only what changed is judged", lambda: goes_by_difference(world)),
                ("the feed is answered to nobody", lambda: keeps_the_feed_to_itself(world)),
                ("forged entries are marked and never listed", lambda: marks_what_is_forged(world)),
                ("a mark goes with what it was for", lambda: mends_what_was_marked(world)),
                ("a tombstone leaves the lists and stays at _ref", lambda: takes_tombstones_off_the_lists(world)),
                (f"{count} agents at once", lambda: takes_many_at_once(world, count)),
                ("one more of many comes by IXFR", lambda: comes_by_ixfr(world)),
                ("kill -9 on the way loses nothing", lambda: loses_nothing_when_killed(world, count)),
                ("a parent that was down catches up by itself", lambda: catches_up_after_a_night(world)),
                ("steward discover finds a child's agent while the child is down", lambda: is_found_while_the_child_is_down(world)),
                ("a child on another replica keeps its agents", lambda: keeps_its_agents_on_another_replica(world)),
                ("a child that leaves takes its agents along", lambda: forgets_who_left(world))):
            with report.case(sentence):
                test()

    return followed(report, "steward-follow-", World, run)


if __name__ == "__main__":
    sys.exit(main())
