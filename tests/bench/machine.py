"""What the machine is, and what processes on it use: facts, CPU time, memory. Linux's /proc is the only source."""

import os
import platform
import signal
import time
from dataclasses import dataclass

TICKS = os.sysconf("SC_CLK_TCK")


class BenchError(Exception):
    """A run that cannot go on: what was tried, and what came of it."""


def facts():
    """Facts that a reader needs to compare figures of two runs."""
    model, cores = "unknown", os.cpu_count()
    for line in _lines("/proc/cpuinfo"):
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
    memory = next((int(line.split()[1]) for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), 0)
    return {"cpu": model, "cores": cores, "memory_mib": memory // 1024, "kernel": platform.release(),
            "load_average": round(os.getloadavg()[0], 2), "date": time.strftime("%Y-%m-%d %H:%M:%S %z")}


def tree(pid):
    """`pid` and every process below it that lives, the parent first."""
    found, queue = [], [pid]
    while queue:
        one = queue.pop(0)
        if not os.path.exists("/proc/%d" % one):
            continue
        found.append(one)
        for tid in _listdir("/proc/%d/task" % one):
            queue += [int(child) for child in _text("/proc/%d/task/%s/children" % (one, tid)).split()]
    return found


@dataclass
class Cpu:
    """Seconds of CPU of a process tree so far: `total` from the scheduler's nanoseconds, the two parts from ticks."""
    total: float
    user: float
    system: float

    def since(self, before):
        """(user, system, sum) seconds between two readings; the exact sum is divided as the ticks are."""
        total = self.total - before.total
        user, system = self.user - before.user, self.system - before.system
        share = user / (user + system) if user + system > 0 else 0.5
        return total * share, total * (1 - share), total


def cpu(pid):
    total = user = system = 0.0
    for one in tree(pid):
        for tid in _listdir("/proc/%d/task" % one):
            fields = _text("/proc/%d/task/%s/schedstat" % (one, tid)).split()
            total += int(fields[0]) / 1e9 if fields else 0
        stat = _text("/proc/%d/stat" % one).rpartition(")")[2].split()
        if stat:
            user += int(stat[11]) / TICKS
            system += int(stat[12]) / TICKS
    return Cpu(total, user, system)


def cpu_of_thread(pid, name):
    """Seconds of CPU of the process's threads of this name so far."""
    total = 0.0
    for tid in _listdir("/proc/%d/task" % pid):
        if _text("/proc/%d/task/%s/comm" % (pid, tid)).strip() == name:
            fields = _text("/proc/%d/task/%s/schedstat" % (pid, tid)).split()
            total += int(fields[0]) / 1e9 if fields else 0
    return total


def memory(pid):
    """MiB of a process tree: private (clean and dirty), anonymous, resident, and resident shared fairly (pss)."""
    sums = {"private": 0, "anonymous": 0, "rss": 0, "pss": 0}
    fields = {"Private_Clean": "private", "Private_Dirty": "private", "Anonymous": "anonymous", "Rss": "rss",
              "Pss": "pss"}
    for one in tree(pid):
        for line in _lines("/proc/%d/smaps_rollup" % one):
            key = line.split(":")[0]
            if key in fields:
                sums[fields[key]] += int(line.split()[1])
    return {key: value / 1024 for key, value in sums.items()}


def peak_rss(pid):
    """MiB: the most that was ever resident, summed over the tree."""
    return sum(int(line.split()[1]) for one in tree(pid) for line in _lines("/proc/%d/status" % one)
               if line.startswith("VmHWM")) / 1024


def anonymous_rss(pid):
    """MiB that are resident and no file's, summed over the tree: cheap enough to look at often."""
    return sum(int(line.split()[1]) for one in tree(pid) for line in _lines("/proc/%d/status" % one)
               if line.startswith("RssAnon")) / 1024


def pin(pid, core):
    """Keeps every thread of the tree on one core."""
    for one in tree(pid):
        for tid in _listdir("/proc/%d/task" % one):
            try:
                os.sched_setaffinity(int(tid), {core})
            except ProcessLookupError:
                pass  # a thread that ended meanwhile


def first_in_line(pid):
    """Every thread of the tree before whatever else runs on the machine (SCHED_FIFO): for figures of waiting on one that is not idle."""
    for one in tree(pid):
        for tid in _listdir("/proc/%d/task" % one):
            try:
                os.sched_setscheduler(int(tid), os.SCHED_FIFO, os.sched_param(5))
            except ProcessLookupError:
                pass  # a thread that ended meanwhile
            except PermissionError as error:
                raise BenchError("--realtime needs the right to it (root, or CAP_SYS_NICE)") from error


def kill_tree(pid):
    """SIGKILL to the process and to what it has forked, by their ids."""
    for one in tree(pid):
        try:
            os.kill(one, signal.SIGKILL)
        except ProcessLookupError:
            pass


def _text(path):
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def _lines(path):
    return _text(path).splitlines()


def _listdir(path):
    try:
        return os.listdir(path)
    except OSError:
        return []
