"""What is done to a running server, and what it cost: a saturating load, a moderate one, and counted instructions."""

import glob
import json
import os
import re
import subprocess

from . import machine, wire, zones
from .machine import BenchError
from .servers import find_program

LOADER_CORE = 0  # the load tools' core; the server under test has the other one
SERVER_CORE = 1


def two_cores():
    return len(os.sched_getaffinity(0)) >= 2


def _measured(server, answers, before, after):
    user, system, total = (1e6 * seconds / answers for seconds in after.since(before))
    return {"answers": answers, "us": total, "user_us": user, "system_us": system}


def saturate(options, server, queries, expected, count=0, seed=1):
    """dns-flood for options.seconds, or `count` queries: microseconds of CPU an answer, and answers a second.

    `expected` is the RCODE that every answer must have. Raises BenchError when more than one in a thousand queries got
    no answer, or an answer was another one: then the figure would be of something else.
    """
    command = [zones.tool(options, "dns-flood"), "--queries", queries, "--port", str(server.port), "--json",
               "--seconds", str(60 if count else options.seconds), "--count", str(count), "--seed", str(seed)]
    if two_cores():
        command += ["--cpu", str(LOADER_CORE)]
    before = machine.cpu(server.pid)
    done = subprocess.run(command, capture_output=True, text=True, timeout=120 + 2 * options.seconds)
    after = machine.cpu(server.pid)
    if done.returncode != 0:
        raise BenchError("dns-flood against %s: %s" % (server.label, done.stderr or "no answers"))
    said = json.loads(done.stdout)
    wrong = said["answered"] - said["rcodes"].get(expected, 0)
    if said["lost"] > said["sent"] / 1000 or wrong or said["unmatched"]:
        raise BenchError("%s under dns-flood: %s; expected %s for all" % (server.label, done.stdout.strip(), expected))
    result = _measured(server, said["answered"], before, after)
    result.update(rate=said["rate"], octets=said["octets"] / said["answered"], lost=said["lost"],
                  truncated=said["truncated"])
    return result


def dnsperf(options, server, queries):
    """dnsperf at a fixed rate, at which the server sleeps between packets and pays for waking up."""
    command = ["dnsperf", "-s", "127.0.0.1", "-p", str(server.port), "-d", queries, "-D", "-b", "1024", "-T", "1", "-c",
               "4", "-Q", str(options.rate), "-l", str(options.seconds)]
    if two_cores():
        command = ["taskset", "-c", str(LOADER_CORE), *command]
    before = machine.cpu(server.pid)
    done = subprocess.run(command, capture_output=True, text=True, timeout=60 + 2 * options.seconds)
    after = machine.cpu(server.pid)
    completed = re.search(r"Queries completed:\s+(\d+)", done.stdout)
    if done.returncode != 0 or not completed or int(completed.group(1)) == 0:
        raise BenchError("dnsperf against %s: %s" % (server.label, (done.stderr + done.stdout)[-1000:]))
    result = _measured(server, int(completed.group(1)), before, after)
    lost = re.search(r"Queries lost:\s+(\d+)", done.stdout)
    rate = re.search(r"Queries per second:\s+([\d.]+)", done.stdout)
    result.update(rate=float(rate.group(1)) if rate else 0, lost=int(lost.group(1)) if lost else 0)
    return result


def instructions(options, make_server, zone):
    """User-space instructions an answer, DO, random existing names.

    Callgrind's count of a longer run less that of a shorter one, so that start, load and end cancel out.
    """
    if not find_program("valgrind"):
        raise BenchError("valgrind is not there; install it, or use --no-instructions")
    few, many = (200, 1200) if options.smoke else (1000, 6000)
    return (_count(options, make_server(), zone, many) - _count(options, make_server(), zone, few)) / (many - few)


def _count(options, server, zone, queries):
    out = os.path.join(server.folder, "callgrind.out")
    wrapper = ["valgrind", "--tool=callgrind", "--callgrind-out-file=" + out + ".%p", "-q"]
    try:
        began = server.start(wrapper)
        wire.until_answer(server, began, zone.first_name, "TXT", 120)
        command = [zones.tool(options, "dns-flood"), "--queries", zone.names, "--port", str(server.port), "--count",
                   str(queries), "--seconds", "120", "--sockets", "1", "--window", "16",
                   "--timeout-ms", "5000", "--json"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=180)
        if done.returncode != 0 or json.loads(done.stdout)["answered"] != queries:
            raise BenchError("%s under callgrind: %s" % (server.label, done.stderr or done.stdout))
    finally:
        server.stop()
    total = 0
    for path in glob.glob(out + ".*"):
        with open(path, encoding="ascii", errors="replace") as file:
            found = [line for line in file if line.startswith("totals:")]
        total += int(found[-1].split()[1]) if found else 0
        os.remove(path)
    if total == 0:
        raise BenchError("callgrind wrote no totals for %s:\n%s" % (server.label, server.log_tail()))
    return total
