"""bench update: UPDATEs a second, one record a message, into a signed zone; and how soon a secondary has what was updated.

Rates: update-flood over UDP with messages made beforehand, allowed by address. One client waits for each answer; then 32 are in flight. Servers are
measured in turn, so that whatever drifts on the machine drifts for all. At --agents and at a tenth of it.
"""

import contextlib
import json
import os
import subprocess

from . import exchange, machine, wire, zones
from .machine import BenchError
from .report import Bar

FLIGHT = 32
PAIRS = [("steward", "steward"), ("steward", "bind"), ("steward", "knot"), ("steward", "nsd"),
         ("bind", "bind"), ("knot", "knot"), ("bind", "nsd"), ("bind", "knot"), ("knot", "nsd"), ("knot", "bind")]
BEST = {"bind": 170, "knot": 154, "nsd": 51}  # ms, the best pairs that were measured with tuned settings


def _size(agents):
    return "%dM" % (agents // 1_000_000) if agents % 1_000_000 == 0 else (
        "%dk" % (agents // 1000) if agents % 1000 == 0 else str(agents))


def _rate(clients, agents):
    return "updates a second, %s, %s" % ("one client" if clients == 1 else "%d in flight" % clients, _size(agents))


def _interval(clients, agents):
    return "ms an update, %s, %s" % ("one client" if clients == 1 else "%d in flight" % clients, _size(agents))


def _propagation(primary, secondary, what):
    return "ms from NOERROR until answered, %s to %s, %s" % (primary, secondary, what)


def sizes(agents):
    return sorted({max(1000, agents // 10), agents})


def bars(agents):
    small, big = sizes(agents)[0], agents
    rows = []
    for size in sizes(agents):
        rows += [Bar(_interval(1, size), 1.0, "bind"), Bar(_interval(FLIGHT, size), 0.2, "bind"),
                 Bar(_interval(1, size), None, "knot")]
    if small != big:
        rows.append(Bar("ms an update, one client, large zone / small", 1 / 0.9))
        rows.append(Bar("ms an update, %d in flight, large zone / small" % FLIGHT, 1 / 0.9))
    rows += [Bar(_propagation("steward", "steward", "median"), 20, None, None, " ms"),
             Bar(_propagation("steward", "steward", "p99"), 100, None, None, " ms")]
    rows += [Bar(_propagation("steward", to, "median"), limit, None, None, " ms") for to, limit in BEST.items()]
    return rows


def run(options, classes, report, note):
    keys = [one.key for one in classes]
    all_zones = []
    for agents in sizes(options.agents):
        all_zones.append(zones.generate(options, agents))
        zones.sign_once(all_zones[-1], note)
    _rates(options, [key for key in keys if key != "nsd"], report, all_zones, note)
    _growth(options, report)
    if options.propagation:
        zone = zones.generate(options, min(options.agents, 10_000))
        zones.sign_once(zone, note)
        _propagations(options, keys, report, zone, note)


def _flood(options, server, zone, clients, seconds, number):
    command = [zones.tool(options, "update-flood"), "--port", str(server.port), "--zone", zones.ORIGIN, "--names", zone.names,
               "--count", str(200 if options.smoke else min(zones.queries_for(zone.agents), 200_000)), "--seconds", str(seconds), "--clients",
               str(clients), "--run", str(number)]
    command = _first_in_line(options, command, server)
    before = machine.cpu(server.pid)
    done = subprocess.run(command, capture_output=True, text=True, timeout=120 + seconds)
    after = machine.cpu(server.pid)
    if done.returncode != 0:
        raise BenchError("update-flood against %s: %s\n%s" % (server.label, done.stderr + done.stdout, server.log_tail()))
    said = json.loads(done.stdout)
    if said["refused"] or said["lost"]:
        raise BenchError("%s under update-flood: %s\n%s" % (server.label, done.stdout.strip(), server.log_tail()))
    said["cpu_ms"] = 1000 * (after.total - before.total) / said["done"]
    return said


def _first_in_line(options, command, *processes):
    if not options.realtime:
        return command
    for server in processes:
        machine.first_in_line(server.pid)
    return ["chrt", "-f", "5", *command]


def _rates(options, keys, report, all_zones, note):
    """All servers and both sizes at once, idle while another one is measured, so that what drifts drifts for all ratios."""
    with contextlib.ExitStack() as stack:
        running = []
        for zone in all_zones:
            for key in keys:
                role = exchange.Role(updates=True, keys=exchange.keys_of(zone))
                folder = os.path.join(options.work, str(zone.agents))
                server = exchange.CLASSES[key](folder, exchange.file_for(key, zone, True), role, agents=zone.agents)
                stack.callback(server.kill)
                note("starting %s with %d agents" % (server.label, zone.agents))
                wire.until_answer(server, server.start(), zone.last_name, "TXT", options.limit, signed=True)
                running.append((server, zone))
        for number in range(options.rounds):
            for clients in (1, FLIGHT):
                note("round %d of %d, %d in flight" % (number + 1, options.rounds, clients))
                for server, zone in running:
                    _one_rate(options, report, server, zone, clients, number)


def _one_rate(options, report, server, zone, clients, number):
    said = _flood(options, server, zone, clients, options.seconds, 10 * number + clients)
    report.add(_rate(clients, zone.agents), server.key, said["rate"], "1/s")
    report.add(_interval(clients, zone.agents), server.key, 1000 / said["rate"], "ms")
    report.add("  CPU " + _interval(clients, zone.agents), server.key, said["cpu_ms"], "ms")
    report.add("  median time of an answer, %d in flight, %s" % (clients, _size(zone.agents)), server.key, said["median_ms"], "ms")


def _growth(options, report):
    small, big = sizes(options.agents)[0], options.agents
    if small == big:
        return
    for clients, what in ((1, "one client"), (FLIGHT, "%d in flight" % FLIGHT)):
        for key in report.labels:
            one, other = report.median(_interval(clients, small), key), report.median(_interval(clients, big), key)
            if one and other:
                report.add("ms an update, %s, large zone / small" % what, key, other / one, "")


def _propagations(options, keys, report, zone, note):
    for primary, secondary in PAIRS:
        if primary not in keys or secondary not in keys:
            continue
        note("from %s to %s" % (primary, secondary))
        for what, value in _propagate(options, zone, primary, secondary).items():
            report.add(_propagation(primary, secondary, what), "steward", value, "ms")


def _propagate(options, zone, primary, secondary):
    # Ports are needed on both sides before either starts: the secondary is made first, for a port that the primary takes over.
    with contextlib.ExitStack() as stack:
        port = exchange.servers.free_port()
        second = exchange.CLASSES[secondary](options.work + "/secondary", "", exchange.Role(primary=port), agents=zone.agents)
        first = None
        role = exchange.Role(updates=True, keys=exchange.keys_of(zone), notify=[second.port])
        first = exchange.CLASSES[primary](options.work + "/primary", exchange.file_for(primary, zone, True), role, agents=zone.agents)
        first.port = port
        with open(first.config, "w", encoding="ascii") as file:
            file.write(first.configuration())
        for server in (first, second):
            stack.callback(server.kill)
            wire.until_answer(server, server.start(), zone.last_name, "TXT", options.limit, signed=True)
        command = [zones.tool(options, "update-flood"), "--port", str(first.port), "--zone", zones.ORIGIN, "--names", zone.names, "--count",
                   "5" if options.smoke else "100" if primary == "steward" else "20", "--watch", str(second.port), "--pause-ms", "50"]
        command = _first_in_line(options, command, first, second)
        done = subprocess.run(command, capture_output=True, text=True, timeout=1200)
        if done.returncode != 0:
            raise BenchError("update-flood from %s to %s: %s\n%s\n%s" % (first.label, second.label, done.stderr + done.stdout, first.log_tail(),
                                                                 second.log_tail()))
        said = json.loads(done.stdout)
        if said["refused"] or said["lost"]:
            raise BenchError("from %s to %s: %s" % (first.label, second.label, done.stdout.strip()))
        return {"median": said["median_ms"], "p99": said["p99_ms"]}
