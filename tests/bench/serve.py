"""bench serve: what an answer costs, what a server keeps in memory, and how soon it answers after a restart.

Every server has the same signed zone (ECDSAP256SHA256, NSEC), one worker, and a core that nothing else uses; the load
has the other core. All of them run at once, idle while another one is measured, and rounds go through them in turn, so
that whatever drifts on the machine drifts for all.
"""

import contextlib

from . import machine, probes, wire, zones
from .report import Bar

SMALL = 1000
BIG = 1_000_000

HIT, MISS, BETWEEN = "existing", "NXDOMAIN", "NXDOMAIN, scattered"


def bars(agents):
    """The limits, and after them ratios that have none: under dnsperf most of the cost is the kernel's waking up."""
    big, small = _size(agents), _size(min(SMALL, agents))
    rows = [Bar(_cpu("saturated", HIT, big), 0.75, "knot", BIG)] if agents > SMALL else []
    rows.append(Bar(_cpu("saturated", MISS, big), 0.60, "knot", BIG))
    rows.append(Bar(_cpu("saturated", HIT, small), 0.90, "knot"))
    rows.append(Bar("instructions an answer, " + small, 1.00, "nsd"))
    rows.append(Bar("first answer after kill and restart", 0.5, None, BIG, " s"))
    rows.append(Bar("private memory", 0.30, "knot", BIG))
    rows += [Bar(_cpu("saturated", BETWEEN, big), None, "knot")]
    rows += [Bar(_cpu("dnsperf", what, big), None, "knot") for what in (HIT, MISS)]
    rows += [Bar(_cpu("saturated", what, big), None, "nsd") for what in (HIT, MISS, BETWEEN)]
    return rows


def _size(agents):
    return "%dM" % (agents // 1_000_000) if agents % 1_000_000 == 0 else (
        "%dk" % (agents // 1000) if agents % 1000 == 0 else str(agents))


def _cpu(load, what, size):
    return "CPU an answer, %s, %s, %s" % (load, what, size)


def run(options, classes, report, note):
    sizes = sorted({min(SMALL, options.agents), options.agents})
    for agents in sizes:
        zone = zones.generate(options, agents)
        zones.sign_once(zone, note)
        _measure_size(options, classes, report, zone, last=agents == sizes[-1], note=note)
    if options.instructions:
        _instructions(options, classes, report, zones.generate(options, sizes[0]), note)


def _instructions(options, classes, report, zone, note):
    for one in classes:
        note("counting instructions of %s" % one.label)
        count = probes.instructions(options, lambda one=one: one(options.work, zone.signed), zone)
        report.add("instructions an answer, " + _size(zone.agents), one.key, count, "instr")


def _measure_size(options, classes, report, zone, last, note):
    with contextlib.ExitStack() as stack:
        servers = []
        for one in classes:
            server = one(options.work, zone.signed)
            stack.callback(server.stop)
            note("starting %s with %d agents" % (server.label, zone.agents))
            wire.until_answer(server, server.start(), zone.first_name, "TXT", options.limit, signed=True)
            if probes.two_cores():
                machine.pin(server.pid, probes.SERVER_CORE)
            servers.append(server)
        for server in servers:  # every page touched once, before anything counts
            probes.saturate(options, server, zone.names, "NOERROR", count=zones.queries_for(zone.agents))
        for number in range(options.rounds):
            note("round %d of %d, %d agents" % (number + 1, options.rounds, zone.agents))
            _one_round(options, servers, report, zone, number)
        if last:
            _memory(servers, report)
            _restarts(options, servers, report, zone, note)


def _one_round(options, servers, report, zone, number):
    size = _size(zone.agents)
    for what, queries, rcode in ((HIT, zone.names, "NOERROR"), (MISS, zone.miss, "NXDOMAIN"),
                                 (BETWEEN, zone.between, "NXDOMAIN")):
        for server in servers:
            result = probes.saturate(options, server, queries, rcode, seed=number + 2)
            _add(report, _cpu("saturated", what, size), server, result)
            if what == HIT:
                report.add("answers a second, saturated, %s, %s" % (what, size), server.key, result["rate"], "1/s")
                report.add("octets an answer, %s, %s" % (what, size), server.key, result["octets"], "octets")
    for what, queries in ((HIT, zone.names), (MISS, zone.miss)):
        for server in servers:
            _add(report, _cpu("dnsperf", what, size), server, probes.dnsperf(options, server, queries))


def _add(report, figure, server, result):
    report.add(figure, server.key, result["us"], "us")
    report.add(figure + " (user)", server.key, result["user_us"], "us")
    report.add(figure + " (system)", server.key, result["system_us"], "us")


def _memory(servers, report):
    for server in servers:
        used = machine.memory(server.pid)
        report.add("private memory", server.key, used["private"], "MiB")
        report.add("  of it anonymous (the rest is mapped files)", server.key, used["anonymous"], "MiB")
        report.add("resident memory", server.key, used["rss"], "MiB")


def _restarts(options, servers, report, zone, note):
    """kill -9, start on both cores, ask every 2 ms. Once for a zone that takes long, three times otherwise."""
    for server in servers:
        for _ in range(1 if zone.agents > 100_000 or options.smoke else 3):
            note("restarting %s" % server.label)
            server.kill()
            took = wire.until_answer(server, server.start(), zone.first_name, "TXT", options.limit, signed=True)
            report.add("first answer after kill and restart", server.key, took, "s")
