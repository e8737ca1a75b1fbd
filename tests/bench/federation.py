"""bench federation: `steward discover` that climbs, that asks many registries at once of which some are dead, and the answers of `_discover`
that are signed as they are asked for.

All registries are zones of one server on loopback; a dead one is delegated to an address where nobody listens. Each question is asked by a new
process of `steward`, so that nothing is cached, and validated by it. bench/push.py has what comes from a leaf to the root.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import time

from . import push, zones
from .machine import BenchError
from .report import Bar

APEX = "steward-registry.org."

SIBLINGS, DEAD = 50, 2
NOBODY = "127.0.0.99"
CLIMB = "ms a cold climb over three levels, validated, median"
CLIMB_WORST = "  that climb, slowest"
FEDERATED = "ms a search of %d registries of which %d are dead, median" % (SIBLINGS, DEAD)
FEDERATED_WORST = "  that search, slowest"
ANSWER = "us CPU an answer of _discover, %s, signed anew"


def bars(_agents):
    return [Bar(CLIMB, 50, None, None, " ms"), Bar(FEDERATED, 1500, None, None, " ms"),
            Bar(push.PUSH, 200, None, None, " ms"), Bar(push.PUSH_WORST, 1000, None, None, " ms"),
            *(Bar(ANSWER % what, 100, None, None, " us") for what in ("NXNAME", "alias", "page"))]


def run(options, _classes, report, note):
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
    os.environ["STEWARD_REGISTRY"] = os.path.join(options.build, "steward-registry")
    os.environ["STEWARD"] = os.path.join(options.build, "steward")
    note("answers of _discover")
    for _ in range(options.rounds):
        _answers(options, report)
    note("%d registries" % (SIBLINGS + 3))
    _searches(options, report, note)
    push.run(options, report, note)


def _answers(options, report):
    done = subprocess.run([zones.tool(options, "answer-bench"), "discover"], capture_output=True, text=True, timeout=options.limit)
    rows = re.findall(r"^(\w+)\s+fresh\s+([0-9.]+) ns", done.stdout, re.MULTILINE)
    if done.returncode != 0 or not rows:
        raise BenchError("answer-bench discover: " + done.stderr + done.stdout)
    for what, nanoseconds in rows:
        report.add(ANSWER % what, "steward", float(nanoseconds) / 1000, "us")


def _federation():
    """(the zones, the lowest first; delegations that lead nowhere)"""
    import find_zones

    root, com, leaf = (find_zones.FindZone(name) for name in ("", "com", "vibe-agency.com"))
    leaf.publish("orchestrator", "0.94", "orchestrate_sdlc", "plan")
    siblings = [find_zones.FindZone("sibling-%02d.com" % number) for number in range(SIBLINGS)]
    for number, zone in enumerate(siblings):
        root.refer(zone, zone.publish("planner-%02d" % number, "0.%02d" % (40 + number), "plan"), "0.40", "plan")
    # At the root alone, so that a climb goes all the way.
    root.refer(siblings[-1], siblings[-1].publish("gpt-planner", "0.82", "translate", terms=["nowhere"]), "0.80", "translate")
    dead = [(zone.name, NOBODY, "%s DS 1 13 2 %s" % (zone.name, "00" * 32)) for zone in siblings[:DEAD]]
    return find_zones, [leaf, *siblings[DEAD:], com, root], {com.name: dead}


def _searches(options, report, note):
    from steward import Client

    find_zones, all_zones, dead = _federation()
    folder = pathlib.Path(options.work) / "federation"
    folder.mkdir()
    server = find_zones.serve(folder, all_zones, dead)
    try:
        client = Client(folder / "client", server.port, server.ds[APEX])
        times = 3 if options.smoke else 21
        note("climbs")
        _times(report, (CLIMB, CLIMB_WORST), times, client, 0, "discover", "translate", "--namespace", "vibe-agency.com")
        note("searches of all registries")
        found = _times(report, (FEDERATED, FEDERATED_WORST), 1 if options.smoke else 7, client, 0, "discover", "plan", "--namespace", "vibe-agency.com",
                       "--federated", "--limit", "0")
        told = {row["registry"] for row in found["warnings"]}
        if not all(name.rstrip(".") in told for name, _, _ in dead["com." + APEX]):
            raise BenchError("a dead registry is not named: %s" % json.dumps(found["warnings"]))
        if len(found["agents"]) != SIBLINGS + 1 or len(found["registries"]) != SIBLINGS + 3:
            raise BenchError("%d agents of %d registries" % (len(found["agents"]), len(found["registries"])))
    finally:
        server.__exit__(None, None, None)


def _times(report, figures, times, client, status, *words):
    took = []
    for _ in range(times):
        began = time.monotonic()
        found = client.ask(*words, status=status)
        took.append(1000 * (time.monotonic() - began))
        report.add(figures[0], "steward", took[-1], "ms")
    report.add(figures[1], "steward", max(took), "ms")
    if not found["agents"]:
        raise BenchError("%s found nobody: %s" % (" ".join(words), json.dumps(found)))
    return found
