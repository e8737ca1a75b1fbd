#!/usr/bin/python3
"""What ./tools/check runs once the packages are there: the builds, then every suite, one line each.

    tools/check_suites.py [--only WORD] [--list]

Suites that start servers run two at a time, each with ports of its own (STEWARD_TEST_LANE); those that need the same
addresses, and whatever measures, do not. Compiling with sanitizers goes on beside them, with the time that they leave.

Counting: a doctest program counts with its test cases, any other meson test as one, a suite with what its last line
`N passed, N failed, N skipped` says, and a build, or a suite that says nothing, as one that passed or failed by its
exit status. A suite whose build failed has failed. Logs are in build/logs, one file a suite.
"""

import argparse
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field

ROOT = pathlib.Path(__file__).resolve().parents[1]
LOGS = ROOT / "build" / "logs"
COUNTS = re.compile(r"(\d+) passed, (\d+) failed(?:, (\d+) skipped)?")
DOCTEST = re.compile(r"\[doctest\] test cases:\s+\d+ \|\s+(\d+) passed \|\s+(\d+) failed \|\s+(\d+) skipped")
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
MINUTE = 60
LANES = 2
RUNNING = set()  # suites' processes: what ends this ends them
LOOPBACK_53 = "port 53 of 127.53.0.0/16"
CLANG = {"CXX": "clang++-14", "CC": "clang-14"}
SANITIZERS = {"ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0", "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1"}


@dataclass
class Counts:
    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def add(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped

    @property
    def text(self):
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        return f"{self.passed} passed, {self.failed} failed{skipped}"


@dataclass
class Suite:
    """`command` in the repository's root; `needs` names the build that must have succeeded; `meson` is the folder whose
    tests it runs; `beside`: another may run at the same time, unless it has the same `place`; `meanwhile`: it begins with
    those, and takes the processors when nobody else does."""

    name: str
    command: list
    needs: str = ""
    meson: str = ""
    minutes: int = 5
    environment: dict = field(default_factory=dict)
    beside: bool = False
    meanwhile: bool = False
    place: str = ""


def build(name, folder, setup, targets=(), environment=None, meanwhile=False):
    """A suite that configures a build folder once and compiles."""
    options = " ".join(setup)
    script = (f"[ -f {folder}/build.ninja ] || meson setup {folder} {options} || exit 1; "
              f"ninja -C {folder} {' '.join(targets)}")
    return Suite(name, ["sh", "-c", script], minutes=25, environment=environment or {}, meanwhile=meanwhile)


def served(name, command, place="", minutes=5):
    """A suite that starts servers of the release build. `place`: what it takes beside ports."""
    return Suite(name, [command] if isinstance(command, str) else command, "build release", minutes=minutes, beside=True, place=place)


def suites():
    sanitized = {"STEWARD_REGISTRY": str(ROOT / "build-san" / "steward-registry"), **SANITIZERS}
    return [
        build("build release", "build", ["--buildtype=release"]),
        Suite("unit and house tests", ["meson", "test", "-C", "build", "--no-rebuild", "--print-errorlogs"],
              "build release", "build", 10),
        Suite("sample zone", ["tests/interop/sample_zone.py"], beside=True),
        served("conformance", ["tests/conformance/run", "--server", "ours"]),
        served("differential", ["tests/interop/differential.py", "--servers", "ours,knot,nsd", "--queries", "6000"]),
        served("validate", "tests/interop/validate.py"),
        served("service discovery", "tests/interop/dns_sd.py"),
        served("real agents", "tests/interop/real_agents.py"),
        served("operator", "tests/scenario/operator_day.py"),
        served("kill and reload", "tests/scenario/kill_reload.py"),
        served("update and kill", "tests/scenario/update_kill.py"),
        served("updates", "tests/scenario/update_day.py"),
        served("clients", "tests/scenario/client_day.py", LOOPBACK_53),
        served("clients over TLS", "tests/scenario/client_tls.py", LOOPBACK_53),
        served("system's resolver", "tests/scenario/system_resolver.py", LOOPBACK_53),
        served("discovery", "tests/scenario/discover_day.py", LOOPBACK_53),
        served("publishing", "tests/scenario/publish_day.py"),
        served("trust by time", "tests/scenario/trust_by_time.py"),
        served("hostile publishers", "tests/scenario/publish_hostile.py"),
        served("flipped bits", "tests/scenario/publish_flips.py"),
        served("races of publishers", "tests/scenario/publish_races.py"),
        served("finding", "tests/scenario/finding.py"),
        served("links of publishers", "tests/scenario/publisher_links.py"),
        served("import", "tests/scenario/import_day.py"),
        served("feed", "tests/scenario/feed_day.py", LOOPBACK_53),
        served("federation", ["tests/scenario/federation_day.py", "--registries", "200"], LOOPBACK_53),
        served("the closest server", "tests/scenario/geo_day.py", LOOPBACK_53),
        served("a hostile feed", "tests/scenario/hostile_feed.py"),
        served("conflicts", "tests/scenario/conflicts_day.py"),
        served("the way to a federation", "tests/scenario/phases_day.py", LOOPBACK_53),
        served("feeds followed", "tests/scenario/follow_day.py", LOOPBACK_53, minutes=10),
        served("publisher's day", "tests/scenario/publisher_day.py", LOOPBACK_53),
        served("store commands", "tests/scenario/store_commands.py"),
        served("discovery by resolution", "tests/scenario/discover_climb.py", LOOPBACK_53),
        served("registrations", "tests/scenario/register_day.py", LOOPBACK_53),
        served("resolver of a registry", "tests/scenario/resolver_role.py", LOOPBACK_53),
        served("hostile clients", "tests/scenario/hostile_clients.py"),
        served("crowds", "tests/scenario/crowds.py"),
        served("tls", "tests/scenario/tls.py"),
        served("transfers with peers", "tests/interop/transfers.py"),
        served("hostile primaries", "tests/interop/hostile_primaries.py", LOOPBACK_53),
        served("primaries that fail", "tests/interop/failover.py"),
        served("updates with peers", ["tests/interop/update_peers.py", "--server", "ours"]),
        served("keys of updates", "tests/interop/update_keys.py"),
        served("catalogs", "tests/scenario/catalogs.py"),
        served("catalogs with peers", "tests/interop/catalog_peers.py"),
        served("recipes", "tests/interop/recipes.py", LOOPBACK_53),
        served("zone digests", ["tests/interop/zonemd_peers.py", "--names", "300"]),
        served("zone digests at work", "tests/scenario/zone_digests.py"),
        served("registered registries", "tests/scenario/registered_day.py", LOOPBACK_53),
        served("behind NAT", "tests/scenario/behind_nat.py", LOOPBACK_53),
        served("lives of registrations", "tests/scenario/register_life.py", LOOPBACK_53),
        served("four commands", "tests/scenario/four_commands.py", LOOPBACK_53),
        served("quickstart", "tools/quickstart", LOOPBACK_53),
        # That they run, not how fast: others run beside them.
        served("benchmark smoke: serve", ["tools/bench", "serve", "--smoke"]),
        served("benchmark smoke: transfer", ["tools/bench", "transfer", "--smoke"]),
        served("benchmark smoke: update", ["tools/bench", "update", "--smoke"]),
        served("benchmark smoke: publish", ["tools/bench", "publish", "--smoke"]),
        served("benchmark smoke: federation", ["tools/bench", "federation", "--smoke"], LOOPBACK_53),
        # By clang: the second compiler that has to take the house, and at -O0 four times as fast with these as g++. The files
        # of a room ten at a time: most of a file's time goes to the headers that all of them include.
        build("build with sanitizers", "build-san", ["-Doptimization=0", "-Ddebug=false", "-Dcpp_args=-gline-tables-only",
                                                     "-Db_sanitize=address,undefined", "-Db_lundef=false", "-Dunity=on", "-Dunity_size=10"],
              ["steward-registry", "meson-test-prereq"], environment=CLANG, meanwhile=True),
        Suite("unit tests with sanitizers", ["meson", "test", "-C", "build-san", "--no-rebuild", "--suite", "unit", "--suite", "fuzz",
                                             "--print-errorlogs", "--timeout-multiplier", "10"],
              "build with sanitizers", "build-san", 20, SANITIZERS, beside=True),
        Suite("conformance with sanitizers", ["tests/conformance/run", "--server", "ours"], "build with sanitizers",
              environment=sanitized, beside=True),
    ]


def meson_counts(folder):
    """From the log of the last `meson test`: the test cases of doctest programs, any other test as one."""
    counts = Counts()
    for line in (ROOT / folder / "meson-logs" / "testlog.json").read_text().splitlines():
        test = json.loads(line)
        cases = DOCTEST.search(COLOUR.sub("", test.get("stdout") or ""))
        if cases:
            passed, failed, skipped = map(int, cases.groups())
            crashed = test["result"] not in ("OK", "SKIP") and failed == 0
            counts.add(Counts(passed, failed + crashed, 0 if skipped and not failed else skipped))
        else:
            counts.add(Counts(test["result"] in ("OK", "EXPECTEDFAIL"),
                              test["result"] not in ("OK", "EXPECTEDFAIL", "SKIP"),
                              test["result"] == "SKIP"))
    return counts


def said_counts(log, status):
    """From what a suite printed last, else from its exit status."""
    said = COUNTS.findall(log)
    if not said:
        return Counts(int(status == 0), int(status != 0))
    passed, failed, skipped = (int(number or 0) for number in said[-1])
    return Counts(passed, max(failed, int(status != 0)), skipped)


def idle_words():
    """What gives a command only the time that others leave, as far as this machine lets us (sched(7))."""
    idle = ["chrt", "--idle", "0"]
    try:
        may = subprocess.run([*idle, "true"], capture_output=True, check=False).returncode == 0
    except OSError:
        may = False
    return idle if may else ["nice", "-n", "19"]


def run_suite(suite, lane=0):
    """Runs to the end or to the time limit, in a process group of its own: the counts, and the seconds it took."""
    log_path = LOGS / (suite.name.replace(" ", "-") + ".log")
    began = time.monotonic()
    with open(log_path, "wb") as log:
        process = subprocess.Popen([*(idle_words() if suite.meanwhile else ["nice"]), *suite.command], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log,
                                   stderr=subprocess.STDOUT,
                                   env={**os.environ, "STEWARD_TEST_LANE": f"{lane}/{LANES}", **suite.environment},
                                   start_new_session=True)
        RUNNING.add(process)
        try:
            status = process.wait(suite.minutes * MINUTE)
        except subprocess.TimeoutExpired:
            status = None
            end_group(process)
        RUNNING.discard(process)
    text = log_path.read_text(errors="replace")
    if status is None:
        print(f"    not done after {suite.minutes} minutes")
        return Counts(0, 1), time.monotonic() - began
    try:
        counts = meson_counts(suite.meson) if suite.meson else said_counts(text, status)
    except (OSError, ValueError):
        counts = Counts(0, 1)
    if status != 0 and counts.failed == 0:
        counts.failed = 1
    return counts, time.monotonic() - began


def end_group(process):
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(10)
            return
        except subprocess.TimeoutExpired:
            continue
        except ProcessLookupError:
            return


def show_failure(suite):
    path = LOGS / (suite.name.replace(" ", "-") + ".log")
    lines = path.read_text(errors="replace").splitlines() if path.exists() else []
    bad = [number for number, line in enumerate(lines) if re.search(r"FAILED|^failed|UNEXPLAINED|[Ee]rror:|FAIL ", line)]
    # With what follows: a traceback, or what was logged.
    near = sorted({number + further for number in bad[:8] for further in range(7)} & set(range(len(lines))))
    told = [lines[number] for number in near] or lines[-12:]
    print("".join(f"    {line[:200]}\n" for line in told) + f"    all of it: {path.relative_to(ROOT)}", flush=True)


class Run:
    """All that is chosen, in its order; what may run beside others is taken from the queue by LANES threads."""

    def __init__(self, chosen):
        self.chosen = chosen
        self.total = Counts()
        self.broken = set()
        self.taken = set()
        self.done = 0
        self.changed = threading.Condition()
        self.begun = {}

    def all(self):
        at = 0
        while at < len(self.chosen):
            if begun := self.begun.get(self.chosen[at].name):
                begun.join()
                at += 1
                continue
            end = at
            while end < len(self.chosen) and self.chosen[end].beside:
                end += 1
            if end - at > 1:
                for suite in self.chosen[end:]:
                    if suite.meanwhile:
                        self.begun[suite.name] = threading.Thread(target=self.one, args=(suite, 0), daemon=True)
                        self.begun[suite.name].start()
                self.side_by_side(self.chosen[at:end])
                at = end
            else:
                self.one(self.chosen[at], 0)
                at += 1
        return self.total

    def one(self, suite, lane):
        failed_before = suite.needs in self.broken
        counts, seconds = (Counts(0, 1), 0) if failed_before else run_suite(suite, lane)
        with self.changed:
            self.done += 1
            self.total.add(counts)
            told = f"failed, since '{suite.needs}' did" if failed_before else f"{counts.text} ({seconds:.0f} s)"
            print(f"[{self.done:2}/{len(self.chosen)}] {suite.name:28} {told}", flush=True)
            if counts.failed and not failed_before:
                self.broken.add(suite.name)
                show_failure(suite)

    def side_by_side(self, queue):
        queue = list(queue)
        failures = []

        def work(lane):
            try:
                while suite := self.take(queue):
                    self.one(suite, lane)
                    with self.changed:
                        self.taken.discard(suite.place)
                        self.changed.notify_all()
            except BaseException as error:
                failures.append(error)

        lanes = [threading.Thread(target=work, args=(lane,), daemon=True) for lane in range(LANES)]
        for lane in lanes:
            lane.start()
        for lane in lanes:
            lane.join()
        if failures:
            raise failures[0]

    def take(self, queue):
        """The next whose place is free, those first that want one, since they wait for each other; none at the end."""
        with self.changed:
            while queue:
                for suite in sorted(queue, key=lambda one: not one.place):
                    if not suite.place or suite.place not in self.taken:
                        queue.remove(suite)
                        self.taken.add(suite.place)
                        return suite
                self.changed.wait()
        return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", metavar="WORD", help="the suites whose name matches this expression")
    parser.add_argument("--list", action="store_true", help="list the suites, run none")
    arguments = parser.parse_args()
    chosen = [suite for suite in suites() if not arguments.only or re.search(arguments.only, suite.name)]
    if arguments.list:
        print("\n".join(f"{suite.name:28} {' '.join(suite.command)}" for suite in chosen))
        return 0
    LOGS.mkdir(parents=True, exist_ok=True)
    try:
        total = Run(chosen).all()
    finally:
        for process in list(RUNNING):
            end_group(process)
    print(total.text)
    return 1 if total.failed or not total.passed else 0


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main())
