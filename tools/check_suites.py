#!/usr/bin/python3
"""What ./tools/check runs once the packages are there: the builds, then every suite, one line each.

    tools/check_suites.py [--only WORD] [--list]

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
import time
from dataclasses import dataclass, field

ROOT = pathlib.Path(__file__).resolve().parents[1]
LOGS = ROOT / "build" / "logs"
COUNTS = re.compile(r"(\d+) passed, (\d+) failed(?:, (\d+) skipped)?")
DOCTEST = re.compile(r"\[doctest\] test cases:\s+\d+ \|\s+(\d+) passed \|\s+(\d+) failed \|\s+(\d+) skipped")
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
MINUTE = 60
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
    tests it runs."""

    name: str
    command: list
    needs: str = ""
    meson: str = ""
    minutes: int = 5
    environment: dict = field(default_factory=dict)


def build(name, folder, setup, targets=(), environment=None):
    """A suite that configures a build folder once and compiles."""
    options = " ".join(setup)
    script = (f"[ -f {folder}/build.ninja ] || meson setup {folder} {options} || exit 1; "
              f"ninja -C {folder} {' '.join(targets)}")
    return Suite(name, ["sh", "-c", script], minutes=25, environment=environment or {})


def suites():
    sanitized = {"STEWARD_REGISTRY": str(ROOT / "build-san" / "steward-registry"), **SANITIZERS}
    return [
        build("build release", "build", ["--buildtype=release"]),
        Suite("unit and house tests", ["meson", "test", "-C", "build", "--no-rebuild", "--print-errorlogs"],
              "build release", "build", 10),
        Suite("sample zone", ["tests/interop/sample_zone.py"]),
        Suite("conformance", ["tests/conformance/run", "--server", "ours"], "build release"),
        Suite("differential", ["tests/interop/differential.py", "--servers", "ours,knot,nsd", "--queries", "6000"],
              "build release"),
        Suite("validate", ["tests/interop/validate.py"], "build release"),
        Suite("service discovery", ["tests/interop/dns_sd.py"], "build release"),
        Suite("real agents", ["tests/interop/real_agents.py"], "build release"),
        Suite("operator", ["tests/scenario/operator_day.py"], "build release"),
        Suite("kill and reload", ["tests/scenario/kill_reload.py"], "build release"),
        Suite("update and kill", ["tests/scenario/update_kill.py"], "build release"),
        Suite("updates", ["tests/scenario/update_day.py"], "build release"),
        Suite("clients", ["tests/scenario/client_day.py"], "build release"),
        Suite("clients over TLS", ["tests/scenario/client_tls.py"], "build release"),
        Suite("system's resolver", ["tests/scenario/system_resolver.py"], "build release"),
        Suite("discovery", ["tests/scenario/discover_day.py"], "build release"),
        Suite("publishing", ["tests/scenario/publish_day.py"], "build release"),
        Suite("trust by time", ["tests/scenario/trust_by_time.py"], "build release"),
        Suite("hostile publishers", ["tests/scenario/publish_hostile.py"], "build release"),
        Suite("flipped bits", ["tests/scenario/publish_flips.py"], "build release"),
        Suite("races of publishers", ["tests/scenario/publish_races.py"], "build release"),
        Suite("finding", ["tests/scenario/finding.py"], "build release"),
        Suite("links of publishers", ["tests/scenario/publisher_links.py"], "build release"),
        Suite("import", ["tests/scenario/import_day.py"], "build release"),
        Suite("feed", ["tests/scenario/feed_day.py"], "build release"),
        Suite("federation", ["tests/scenario/federation_day.py"], "build release"),
        Suite("feeds followed", ["tests/scenario/follow_day.py"], "build release", minutes=10),
        Suite("publisher's day", ["tests/scenario/publisher_day.py"], "build release"),
        Suite("store commands", ["tests/scenario/store_commands.py"], "build release"),
        Suite("discovery by resolution", ["tests/scenario/discover_climb.py"], "build release"),
        Suite("registrations", ["tests/scenario/register_day.py"], "build release"),
        Suite("four commands", ["tests/scenario/four_commands.py"], "build release"),
        Suite("lives of registrations", ["tests/scenario/register_life.py"], "build release"),
        Suite("registered registries", ["tests/scenario/registered_day.py"], "build release"),
        Suite("resolver of a registry", ["tests/scenario/resolver_role.py"], "build release"),
        Suite("hostile clients", ["tests/scenario/hostile_clients.py"], "build release"),
        Suite("crowds", ["tests/scenario/crowds.py"], "build release"),
        Suite("tls", ["tests/scenario/tls.py"], "build release"),
        Suite("transfers with peers", ["tests/interop/transfers.py"], "build release"),
        Suite("hostile primaries", ["tests/interop/hostile_primaries.py"], "build release"),
        Suite("primaries that fail", ["tests/interop/failover.py"], "build release"),
        Suite("updates with peers", ["tests/interop/update_peers.py", "--server", "ours"], "build release"),
        Suite("keys of updates", ["tests/interop/update_keys.py"], "build release"),
        Suite("catalogs", ["tests/scenario/catalogs.py"], "build release"),
        Suite("catalogs with peers", ["tests/interop/catalog_peers.py"], "build release"),
        Suite("recipes", ["tests/interop/recipes.py"], "build release"),
        Suite("zone digests", ["tests/interop/zonemd_peers.py", "--names", "300"], "build release"),
        Suite("zone digests at work", ["tests/scenario/zone_digests.py"], "build release"),
        Suite("quickstart", ["tools/quickstart"], "build release"),
        Suite("benchmark smoke", ["tools/bench", "serve", "--smoke"], "build release"),
        Suite("benchmark smoke: transfer", ["tools/bench", "transfer", "--smoke"], "build release"),
        Suite("benchmark smoke: update", ["tools/bench", "update", "--smoke"], "build release"),
        Suite("benchmark smoke: publish", ["tools/bench", "publish", "--smoke"], "build release"),
        Suite("benchmark smoke: federation", ["tools/bench", "federation", "--smoke"], "build release"),
        # By clang: the second compiler that has to take the house, and at -O0 four times as fast with these as g++.
        build("build with sanitizers", "build-san", ["-Doptimization=0", "-Ddebug=false", "-Dcpp_args=-gline-tables-only",
                                                     "-Db_sanitize=address,undefined", "-Db_lundef=false"],
              ["steward-registry"], environment=CLANG),
        # Builds the programs of these tests, and no others.
        Suite("unit tests with sanitizers", ["meson", "test", "-C", "build-san", "--suite", "unit", "--suite", "fuzz",
                                             "--print-errorlogs", "--timeout-multiplier", "4"],
              "build with sanitizers", "build-san", 20, SANITIZERS),
        Suite("conformance with sanitizers", ["tests/conformance/run", "--server", "ours"], "build with sanitizers",
              environment=sanitized),
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


def run_suite(suite):
    """Runs to the end or to the time limit, in a process group of its own: the counts, and the seconds it took."""
    log_path = LOGS / (suite.name.replace(" ", "-") + ".log")
    began = time.monotonic()
    with open(log_path, "wb") as log:
        process = subprocess.Popen(["nice", *suite.command], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log,
                                   stderr=subprocess.STDOUT,
                                   env={**os.environ, **suite.environment}, start_new_session=True)
        try:
            status = process.wait(suite.minutes * MINUTE)
        except subprocess.TimeoutExpired:
            status = None
        except BaseException:
            os.killpg(process.pid, signal.SIGTERM)
            raise
        if status is None:
            end_group(process)
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


def run_all(chosen):
    total, broken = Counts(), set()
    for number, suite in enumerate(chosen, 1):
        print(f"[{number:2}/{len(chosen)}] {suite.name:28}", end=" ", flush=True)
        if suite.needs in broken:
            total.add(Counts(0, 1))
            print(f"failed, since '{suite.needs}' did")
            continue
        counts, seconds = run_suite(suite)
        total.add(counts)
        print(f"{counts.text} ({seconds:.0f} s)", flush=True)
        if counts.failed:
            broken.add(suite.name)
            show_failure(suite)
    return total


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
    total = run_all(chosen)
    print(total.text)
    return 1 if total.failed or not total.passed else 0


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main())
