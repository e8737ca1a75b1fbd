"""bench transfer: AXFR of a signed zone to a sink that throws it away, what it does to answers meanwhile, and a secondary that keeps it.

The sink (xfr-sink) reads as fast as it can over TCP and, where a server has TLS, over TLS 1.3. Servers are measured in turn.
"""

import contextlib
import json
import os
import subprocess
import threading
import time

from . import exchange, machine, wire, zones
from .machine import BenchError
from .report import Bar

TCP, TLS = "AXFR over TCP", "AXFR over TLS"
P99 = "p99 of answers during AXFR / without"
KEEP = "secondary: from its start until it answers"
STREAM_CPU = {"tcp": "CPU an answer over TCP, persistent", "dot": "CPU an answer over TLS, persistent"}


def bars(_agents):
    return [Bar(TCP, 1.0, "knot", 1_000_000), Bar(TCP, None, "nsd"), Bar(TCP, None, "bind"),
            Bar("AXFR, time over TLS / over TCP", 1 / 0.7, None, 1_000_000), Bar(TLS, None, "bind"),
            Bar(P99, 2.0, None, 1_000_000), Bar(KEEP, 1.0, "knot", 1_000_000),
            Bar(STREAM_CPU["tcp"], 0.7, "knot"), Bar(STREAM_CPU["dot"], 0.7, "bind")]


def run(options, classes, report, note):
    zone = zones.generate(options, options.agents)
    zones.sign_once(zone, note)
    options.certificate = exchange.make_certificate(os.path.join(options.work, "certificate"))
    for key in [one.key for one in classes]:
        _out(options, report, zone, key, note)
    for number in range(1 if options.smoke else max(1, options.rounds // 2)):
        for key in [one.key for one in classes]:
            if key in ("steward", "knot"):
                note("round %d: %s as secondary" % (number + 1, key))
                _keep(options, report, zone, key)


def _start(options, zone, key, workers=None):
    role = exchange.Role(tls=options.certificate if key in ("steward", "bind", "nsd") else None)
    server = exchange.CLASSES[key](options.work, zone.signed, role, workers=workers, agents=zone.agents)
    wire.until_answer(server, server.start(), zone.last_name, "TXT", options.limit, signed=True)
    return server


def _sink(options, server, tls=False):
    command = [zones.tool(options, "xfr-sink"), "--port", str(server.tls_port if tls else server.port), "--zone", zones.ORIGIN]
    before = machine.cpu(server.pid)
    done = subprocess.run(command + (["--tls"] if tls else []), capture_output=True, text=True, timeout=600)
    after = machine.cpu(server.pid)
    if done.returncode != 0:
        raise BenchError("xfr-sink from %s: %s\n%s" % (server.label, done.stderr, server.log_tail()))
    said = json.loads(done.stdout)
    said["cpu"] = after.total - before.total
    return said


def _times(options, server, zone, seconds):
    command = [zones.tool(options, "answer-times"), "--port", str(server.port), "--queries", zone.names, "--rate", "2000", "--seconds",
               str(seconds)]
    if options.realtime:
        machine.first_in_line(server.pid)
        command = ["chrt", "-f", "5", *command]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    if done.returncode != 0:
        raise BenchError("answer-times from %s: %s" % (server.label, done.stderr))
    return json.loads(done.stdout)


def _out(options, report, zone, key, note):
    """All that one server is asked, with no other one in memory: four of a million agents would not leave the page cache room."""
    with contextlib.ExitStack() as stack:
        note("starting %s with %d agents" % (key, zone.agents))
        server = _start(options, zone, key)
        stack.callback(server.kill)
        _sink(options, server)  # every page touched once
        for _ in range(options.rounds):
            plain = _sink(options, server)
            report.add(TCP, key, plain["seconds"], "s")
            report.add("  CPU of the server", key, plain["cpu"], "s")
            report.add("  until the first octets", key, 1000 * plain["first"], "ms")
            report.add("  MB", key, plain["octets"] / 1e6, "MB")
            report.add("  messages", key, plain["messages"], "")
            if not server.tls_port:
                continue
            crypted = _sink(options, server, tls=True)
            report.add(TLS, key, crypted["seconds"], "s")
            report.add("  CPU of the server over TLS", key, crypted["cpu"], "s")
            report.add("AXFR, time over TLS / over TCP", key, crypted["seconds"] / plain["seconds"], "")
        _beside(options, report, zone, server)
        _streams(options, report, zone, server)


def _beside(options, report, zone, server):
    """p99 of answers at 2000 a second, alone and while transfers follow one another."""
    for _ in range(options.rounds):
        alone = _times(options, server, zone, 2)
        stop = threading.Event()

        def transfer():
            while not stop.is_set():
                _sink(options, server)
        thread = threading.Thread(target=transfer)
        thread.start()
        time.sleep(0.3)
        try:
            during = _times(options, server, zone, 2)
        finally:
            stop.set()
            thread.join()
        for what, said in (("alone", alone), ("during AXFR", during)):
            report.add("p50 of answers, " + what, server.key, said["median_us"], "us")
            report.add("p99 of answers, " + what, server.key, said["p99_us"], "us")
        report.add(P99, server.key, during["p99_us"] / alone["p99_us"], "")


def _streams(options, report, zone, server):
    """CPU of an answer over connections that stay: dnsperf at a rate that none of them is filled by."""
    for mode, figure in STREAM_CPU.items():
        port = server.port if mode == "tcp" else server.tls_port
        if not port:
            continue
        for _ in range(options.rounds):
            command = ["dnsperf", "-m", mode, "-s", "127.0.0.1", "-p", str(port), "-d", zone.names, "-D", "-T", "1", "-c", "8", "-q", "200",
                       "-l", str(options.seconds)]
            before = machine.cpu(server.pid)
            done = subprocess.run(command, capture_output=True, text=True, timeout=120)
            after = machine.cpu(server.pid)
            found = [line.split()[-2] for line in done.stdout.splitlines() if line.strip().startswith("Queries completed:")]
            if done.returncode != 0 or not found or int(found[0]) == 0:
                raise BenchError("dnsperf -m %s against %s: %s" % (mode, server.label, (done.stdout + done.stderr)[-1000:]))
            report.add(figure, server.key, 1e6 * (after.total - before.total) / int(found[0]), "us")
            report.add("  answers a second, " + mode, server.key, int(found[0]) / options.seconds, "1/s")


def _keep(options, report, zone, key):
    """A secondary of `key` from a Knot primary, from its exec until it answers; then its size."""
    primary = exchange.Knot(options.work + "/primary", zone.signed, exchange.Role(), agents=zone.agents)
    second = None
    try:
        wire.until_answer(primary, primary.start(), zone.last_name, "TXT", options.limit, signed=True)
        second = exchange.CLASSES[key](options.work + "/secondary", "", exchange.Role(primary=primary.port), agents=zone.agents)
        os.sync()
        began = second.start()
        report.add(KEEP, key, wire.until_answer(second, began, zone.last_name, "TXT", options.limit, signed=True), "s")
        report.add("  CPU of the secondary", key, machine.cpu(second.pid).total, "s")
        report.add("  its peak resident memory", key, machine.peak_rss(second.pid), "MiB")
        report.add("  its anonymous memory", key, machine.memory(second.pid)["anonymous"], "MiB")
    finally:
        for server in (second, primary):
            if server is not None:
                server.kill()
