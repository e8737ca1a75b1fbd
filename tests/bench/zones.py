"""Zones and query lists for a run, made once for each set of parameters and kept in the cache folder."""

import os
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass

from .machine import BenchError
from .servers import ORIGIN, find_program

SHAPE = 1  # raise it when gen-zone writes something else for the same arguments


@dataclass
class Zone:
    """Paths of one generated zone. `signed` is None until sign_once."""
    agents: int
    folder: str
    unsigned: str
    names: str
    miss: str
    between: str
    first_name: str  # of the list of existing names
    last_name: str  # the file's last agent
    signed: str = None


def run(command, limit, cwd=None):
    """Runs a tool to its end; returns (seconds, peak RSS in MiB). Raises BenchError with what it said."""
    with tempfile.TemporaryFile() as said:
        began = time.monotonic()
        process = subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT, cwd=cwd)
        usage = None
        while usage is None:
            # wait4 and not communicate(): only it tells this one child's peak memory.
            pid, status, spent = os.wait4(process.pid, os.WNOHANG)
            if pid != 0:
                usage = spent
                process.returncode = os.waitstatus_to_exitcode(status)
            elif time.monotonic() - began > limit:
                process.kill()
                process.wait()
                raise BenchError("%s took over %d s" % (command[0], limit))
            else:
                time.sleep(0.002)
        took = time.monotonic() - began
        if process.returncode != 0:
            said.seek(0)
            raise BenchError("%s failed:\n%s" % (" ".join(command), said.read().decode(errors="replace")[-2000:]))
        return took, usage.ru_maxrss / 1024


def queries_for(agents):
    """Lines in a query list: enough that the nodes asked for do not fit into a cache, where the zone is that large."""
    return min(500_000, max(20_000, agents))


def generate(options, agents):
    """The unsigned zone of `agents` agents with its query lists."""
    folder = os.path.join(options.cache, "zone-%d-%d-%d" % (SHAPE, agents, options.seed))
    zone = Zone(agents, folder, *(os.path.join(folder, name) for name in ("zone", "names", "miss", "between")), "", "")
    if not os.path.exists(os.path.join(folder, "complete")):
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        run([tool(options, "gen-zone"), "--agents", str(agents), "--seed", str(options.seed), "--origin", ORIGIN,
             "--queries", str(queries_for(agents)), "--out", zone.unsigned, "--names", zone.names, "--miss", zone.miss,
             "--between", zone.between], 600)
        open(os.path.join(folder, "complete"), "w", encoding="ascii").close()
    with open(zone.names, encoding="ascii") as file:
        zone.first_name = file.readline().split()[0]
    zone.last_name = _last_agent(zone.unsigned)
    if os.path.exists(os.path.join(folder, "signed.complete")):
        zone.signed = os.path.join(folder, "signed")
    return zone


def _last_agent(path):
    """Owner of the file's last SRV record, found from the end: behind it lies only the index."""
    step, tail = 1 << 22, b""
    with open(path, "rb") as file:
        at = file.seek(0, os.SEEK_END)
        while (found := tail.rfind(b" SRV ")) < 0 or tail.rfind(b"\n", 0, found) < 0:
            if at == 0:
                raise BenchError("%s holds no agent" % path)
            size = min(step, at)
            at = file.seek(at - size)
            tail = file.read(size) + tail[:4096]
    return "%s.%s." % (tail[tail.rfind(b"\n", 0, found) + 1:found].decode("ascii"), ORIGIN)


def signzone_command(zone, keys, out):
    """dnssec-signzone with P-256 and NSEC. -P: it does not verify what it has signed, as no server here does."""
    return [find_program("dnssec-signzone"), "-P", "-n", str(os.cpu_count() or 1), "-S", "-x", "-K", keys, "-d", keys,
            "-o", ORIGIN, "-e", "now+315360000", "-f", out, zone.unsigned]


def make_keys(folder):
    """A KSK and a ZSK of ECDSAP256SHA256 in `folder`."""
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    for extra in ([], ["-f", "KSK"]):
        run([find_program("dnssec-keygen"), "-q", "-a", "ECDSAP256SHA256", "-K", folder, *extra, ORIGIN], 60)


def sign_once(zone, note):
    """The same signed zone for every server, signed by a third one's tool. Ten years valid, so it can be kept."""
    if zone.signed:
        return
    if not find_program("dnssec-signzone"):
        raise BenchError("dnssec-signzone is not there; install bind9-utils")
    note("signing the zone of %d agents once, for all servers" % zone.agents)
    keys = os.path.join(zone.folder, "keys")
    make_keys(keys)
    signed = os.path.join(zone.folder, "signed")
    run(signzone_command(zone, keys, signed), 3600)
    open(os.path.join(zone.folder, "signed.complete"), "w", encoding="ascii").close()
    zone.signed = signed


def tool(options, name):
    """Path of one of the programs that tests/bench/meson.build makes."""
    path = os.path.join(options.build, "tests", "bench", name)
    if not os.access(path, os.X_OK):
        raise BenchError("%s is not there; build it: meson setup build --buildtype=release && ninja -C build" % path)
    return os.path.abspath(path)
