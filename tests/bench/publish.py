"""bench publish: agents that are published and imported, beside the signatures and verifications that were really made for them.

One connection of libsteward, from the manifest's file to NOERROR on disk; 64 connections with UPDATEs signed beforehand; an import of --agents
manifests from files, by itself with --import-only; and a parent's first pull of what was imported (bench/pull.py), with the import alone by --pull-only. The floor is what `openssl speed` does on all cores with the counts that the server keeps of its own
work. On a machine that is not idle the CPU figures are what to compare: of all threads, and of the writer's alone, which no other can help.
"""

import json
import os
import re
import subprocess
import tempfile
import time

from . import machine, pull, servers, wire, zones
from .machine import BenchError
from .report import Bar

NAMESPACE = "bench.example"
ZONE = NAMESPACE + ".steward-registry.org"
PUBLISHERS = 64
SPEEDS = {"ED25519": ("ed25519", r"\(Ed25519\)"), "ECDSAP256SHA256": ("ecdsap256", r"\(nistp256\)")}
ONE, MANY, IMPORT = "one connection", "%d publishers" % PUBLISHERS, "import"


SAMPLE_SECONDS = 0.25  # between two looks at an import


def bars(_agents):
    rows = [Bar("ms from the manifest to NOERROR, one connection, median", 20, None, None, " ms")]
    for what, limit in ((MANY, 1.0), (IMPORT, 0.4)):
        rows += [Bar("ms an agent, " + what, limit, None, None, " ms"), Bar("crypto floor / rate, " + what, 2.0)]
    return [*rows, Bar("crypto floor / rate, " + pull.PULL, 2.0), Bar(pull.MEMORY, 500, None, None, " MiB")]


class RegistryServer(servers.Steward):
    """A registry that takes any key."""

    def configuration(self):
        return ("data: data\nlisten: [127.0.0.1@%d]\ncontrol: control.sock\nrate-limit: 0\nmap-size: 16G\nlog: {level: warning}\n"
                "registry:\n  namespace: %s\n  open: true\n  custody-key: custody.pem\n  feed: {allow-transfer: [127.0.0.0/8]}\nzones:\n  - name: %s\n    file: %s\n    dnssec: true\n"
                % (self.port, NAMESPACE, ZONE, self.zone_file))

    def status(self):
        done = subprocess.run([self.path(), "status", "--config", self.config, "--json"], capture_output=True, text=True, timeout=60)
        if done.returncode != 0:
            raise BenchError("status: %s" % done.stderr)
        return json.loads(done.stdout)


def run(options, _classes, report, note):
    speeds = _speeds(options, note)
    for algorithm, (made, checked) in speeds[0].items():
        report.add("openssl speed, all cores, %s" % algorithm, "steward", made, "sign/s")
        report.add("openssl speed, all cores, %s, verify" % algorithm, "steward", checked, "verify/s")
    for number in range(options.rounds):
        _round(options, report, speeds, number, note)


def _speeds(options, note):
    """Signatures and verifications a second on all cores, and in a second of CPU of one core."""
    note("openssl speed")
    seconds = "1" if options.smoke else "3"
    return _openssl_speed("-seconds", seconds, "-multi", str(os.cpu_count() or 1)), _openssl_speed("-seconds", seconds)


def _openssl_speed(*arguments):
    names = [name for name, _ in SPEEDS.values()]
    done = subprocess.run(["openssl", "speed", *arguments, *names], capture_output=True, text=True, timeout=300)
    speeds = {}
    for algorithm, (_, pattern) in SPEEDS.items():
        lines = [line for line in done.stdout.splitlines() if re.search(pattern, line)]
        if not lines:
            raise BenchError("openssl speed says nothing of %s: %s" % (algorithm, done.stderr[-300:]))
        speeds[algorithm] = tuple(float(word) for word in lines[-1].split()[-2:])
    return speeds


def _floor(speeds, before, after):
    """Seconds that it takes at these speeds what was signed and checked between two readings."""
    seconds = 0.0
    for algorithm, counts in after.items():
        earlier = before.get(algorithm, {"made": 0, "checked": 0})
        made, checked = counts["made"] - earlier["made"], counts["checked"] - earlier["checked"]
        if made + checked and algorithm not in speeds:
            raise BenchError("no speed for %s" % algorithm)
        if made + checked:
            seconds += made / speeds[algorithm][0] + checked / speeds[algorithm][1]
    return seconds


def _operations(before, after):
    """(made, checked) of all algorithms."""
    sums = [sum(counts[what] for counts in after.values()) - sum(counts[what] for counts in before.values()) for what in ("made", "checked")]
    return tuple(sums)


def _round(options, report, speeds, number, note):
    folder = os.path.join(options.work, str(number))
    os.makedirs(folder)
    zone = os.path.join(folder, "zone")
    with open(zone, "w", encoding="ascii") as file:
        file.write('$TTL 300\n@ SOA ns1 hostmaster 1 3600 600 604800 60\n@ NS ns1\nns1 A 127.0.0.1\n_schema._agents TXT "v=steward1"\n')
    server = RegistryServer(folder, zone, workers=None)
    keys = _make_key(options, folder)
    try:
        wire.until_answer(server, server.start(), "_schema._agents." + ZONE, "TXT", options.limit, signed=True)
        if not (options.import_only or options.pull_only):
            note("round %d of %d: one connection" % (number + 1, options.rounds))
            said = _flood(options, server, "latency", "one", 20 if options.smoke else 300, folder, "--namespace", NAMESPACE, "--keys", keys)
            report.add("ms from the manifest to NOERROR, one connection, median", "steward", said["median_ms"], "ms")
            report.add("  the same, p99", "steward", said["p99_ms"], "ms")
            note("round %d of %d: %d publishers" % (number + 1, options.rounds, PUBLISHERS))
            _many(options, report, speeds, server, folder, keys)
        note("round %d of %d: import of %d" % (number + 1, options.rounds, options.agents))
        _import(options, report, speeds, server, folder)
        if not options.import_only:
            note("round %d of %d: first pull" % (number + 1, options.rounds))
            _pull(options, report, server, folder, note)
    finally:
        server.kill()


def _make_key(options, folder):
    home = os.path.join(folder, "home")
    os.makedirs(home)
    steward = os.path.join(options.build, "steward")
    environment = {**os.environ, "HOME": home, "XDG_CONFIG_HOME": home}
    done = subprocess.run([steward, "keygen"], capture_output=True, text=True, timeout=60, env=environment)
    if done.returncode != 0:
        raise BenchError("steward keygen: " + done.stderr)
    return os.path.join(home, "steward", "keys")


def _flood(options, server, mode, word, count, folder, *more):
    command = [zones.tool(options, "publish-flood"), "--mode", mode, "--port", str(server.port), "--count", str(count), "--folder", folder, "--word", word,
               *more]
    done = subprocess.run(command, capture_output=True, text=True, timeout=options.limit)
    if done.returncode != 0:
        raise BenchError("publish-flood %s: %s\n%s" % (mode, done.stderr + done.stdout, server.log_tail()))
    return json.loads(done.stdout)


def _manifests(options):
    """A folder of --agents manifests, a file each; kept in the cache, as zones are."""
    manifests = os.path.join(options.cache, "manifests-%d" % options.agents)
    if os.path.isdir(manifests):
        return manifests
    half = tempfile.mkdtemp(prefix="manifests-", dir=options.work)
    done = subprocess.run([zones.tool(options, "publish-flood"), "--mode", "write", "--count", str(options.agents), "--folder", half, "--word", "import"],
                          capture_output=True, text=True, timeout=options.limit)
    if done.returncode != 0:
        raise BenchError("publish-flood write: " + done.stderr)
    os.rename(half, manifests)
    return manifests


class Reading:
    """What the server has signed, checked and spent until now; nothing, before it was started."""

    def __init__(self, server=None):
        self.signatures = server.status()["signatures"] if server else {}
        self.cpu = machine.cpu(server.pid).total if server else 0.0
        self.writer = machine.cpu_of_thread(server.pid, "writer") if server else 0.0


def _add_rate(report, what, speeds, before, after, agents, seconds):
    cpu, writer = after.cpu - before.cpu, after.writer - before.writer
    before, after = before.signatures, after.signatures
    floor = _floor(speeds[0], before, after)
    made, checked = _operations(before, after)
    report.add("agents a second, " + what, "steward", agents / seconds, "1/s")
    report.add("  crypto floor, agents a second, " + what, "steward", agents / floor, "1/s")
    report.add("  rate / crypto floor, " + what, "steward", floor / seconds, "")
    report.add("  signatures made an agent, " + what, "steward", made / agents, "")
    report.add("  signatures checked an agent, " + what, "steward", checked / agents, "")
    report.add("  CPU us of the server an agent, " + what, "steward", 1e6 * cpu / agents, "us")
    report.add("  CPU us of the writer's thread an agent, " + what, "steward", 1e6 * writer / agents, "us")
    report.add("  cores that the server had, " + what, "steward", cpu / seconds, "")
    report.add("  the signatures' part of it at one core's speed, " + what, "steward", _floor(speeds[1], before, after) / cpu, "")
    report.add("ms an agent, " + what, "steward", 1000 * seconds / agents, "ms")
    report.add("crypto floor / rate, " + what, "steward", seconds / floor, "")


def _many(options, report, speeds, server, folder, keys):
    count = 300 if options.smoke else 5_000
    before = Reading(server)
    said = _flood(options, server, "flood", "many", count, folder, "--zone", ZONE, "--keys", keys, "--clients", str(PUBLISHERS))
    _add_rate(report, MANY, speeds, before, Reading(server), count, said["seconds"])
    report.add("  ms until NOERROR, %s, median" % MANY, "steward", said["median_ms"], "ms")
    report.add("  ms until NOERROR, %s, p99" % MANY, "steward", said["p99_ms"], "ms")


def _import(options, report, speeds, server, folder):
    manifests = _manifests(options)
    before = Reading(server)
    with open(os.path.join(folder, "imported"), "w+b") as out:
        watch = Watch(server, out)
        running = subprocess.Popen([server.path(), "import", manifests, "--config", server.config, "--json"], stdout=out, stderr=subprocess.STDOUT)
        status, usage = watch.until_end(running)
        out.seek(-min(1000, os.fstat(out.fileno()).st_size), os.SEEK_END)
        tail = out.read().decode(errors="replace")
    if status != 0:
        raise BenchError("import ended with %d: %s\n%s" % (status, tail, server.log_tail()))
    _add_rate(report, IMPORT, speeds, before, Reading(server), options.agents, watch.seconds)
    first, last = watch.rates_at_both_ends()
    report.add("  agents a second, the first fifth of the import", "steward", first, "1/s")
    report.add("  agents a second, the last fifth of the import", "steward", last, "1/s")
    report.add("  CPU us of the client an agent, import", "steward", 1e6 * (usage.ru_utime + usage.ru_stime) / options.agents, "us")
    report.add("  peak memory of the server, import", "steward", machine.peak_rss(server.pid), "MiB")
    report.add("  of it at most anonymous, the rest is mapped files", "steward", watch.anonymous, "MiB")
    report.add("  peak memory of the client, import", "steward", usage.ru_maxrss / 1024, "MiB")
    report.add("  anonymous memory of the server after it", "steward", machine.memory(server.pid)["anonymous"], "MiB")


def _pull(options, report, child, folder, note):
    agents = child.status()["agents"]["published"]
    speeds = _speeds(options, note)  # as they are now
    parent, done = pull.run(options, child, folder, NAMESPACE, agents, note)
    try:
        _add_rate(report, pull.PULL, speeds, Reading(), Reading(parent), agents, done.seconds)
        report.add("  s until the feed was transferred, first pull", "steward", done.transferred, "s")
        report.add("  anonymous memory until then at most", "steward", done.anonymous_transfer, "MiB")
        report.add(pull.MEMORY, "steward", done.anonymous, "MiB")
        report.add("  peak memory of the parent, first pull", "steward", machine.peak_rss(parent.pid), "MiB")
    finally:
        parent.kill()


class Watch:
    """An import on its way: how many rows its client has written when, and what the server holds meanwhile."""

    def __init__(self, server, out):
        self.server, self.out = server, out
        self.began = time.monotonic()
        self.seconds = self.anonymous = 0.0
        self.rows, self.read = 0, 0
        self.points = [(0.0, 0)]  # seconds, rows

    def until_end(self, running):
        """(exit status, resource usage)"""
        while True:
            pid, status, usage = os.wait4(running.pid, os.WNOHANG)
            self._look()
            if pid:
                running.returncode = os.waitstatus_to_exitcode(status)
                return running.returncode, usage
            time.sleep(SAMPLE_SECONDS)

    def _look(self):
        self.seconds = time.monotonic() - self.began
        self.anonymous = max(self.anonymous, machine.anonymous_rss(self.server.pid))
        while octets := os.pread(self.out.fileno(), 1 << 20, self.read):
            self.read += len(octets)
            self.rows += octets.count(b"\n")
        self.points.append((self.seconds, self.rows))

    def rates_at_both_ends(self):
        """Rows a second until a fifth of them was there, and after four fifths."""
        early = next(point for point in self.points if point[1] >= self.rows / 5)
        late = next(point for point in self.points if point[1] >= self.rows * 4 / 5)
        return early[1] / early[0], (self.rows - late[1]) / max(self.seconds - late[0], SAMPLE_SECONDS)
