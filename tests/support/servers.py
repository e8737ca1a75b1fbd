"""Starts and stops name servers for tests: ours, Knot DNS, NSD, BIND and Unbound.

Every server runs in a temporary folder on loopback and a high port, as the user that calls, and is ended by its
process group: on leaving the `with` block, at exit, on SIGINT and SIGTERM, and by the kernel if this process is killed.

    zones = [Zone("example.com.", "zones/example.com.zone"), Zone("example.net.", path, dnssec=True)]
    with start("knot", zones) as server:
        dns.query.udp(query, "127.0.0.1", port=server.port)
"""

import atexit
import ctypes
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field

import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode

ROOT = pathlib.Path(__file__).resolve().parents[2]
READY_SECONDS = 30
START_ATTEMPTS = 3
STOP_SECONDS = 10
SEARCH_PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin:/usr/local/sbin"
IDENTITY = "steward-test-server"
PR_SET_PDEATHSIG = 1


class ServerError(Exception):
    """A server that did not start, or did not answer; the message ends with what it logged."""


@dataclass
class Zone:
    """A zone to serve. `dnssec`: False serves the file as it is (also when it is signed already), True has the server
    sign it by itself, a dict holds our own zone policy (`algorithm`, `nsec3`, …; see registry.yaml(5))."""

    name: str
    file: pathlib.Path
    dnssec: object = False
    options: dict = field(default_factory=dict)  # further keys of our configuration

    def __post_init__(self):
        self.file = pathlib.Path(self.file).resolve()
        self.name = self.name if self.name.endswith(".") else self.name + "."


def find_program(name):
    """The absolute path of a program, /usr/sbin included, or None."""
    return shutil.which(name, path=SEARCH_PATH)


_given = set()
_given_lock = threading.Lock()


def served_ports():
    """What free_port() chooses from: ports below the ephemeral range, wherever this machine has it, so that no outgoing
    socket takes one between the choice and the server's bind."""
    first = int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    ports = range(10000, min(first, 32000)) if first > 12000 else range(12000, 32000)
    # "1/2": the second of two runs beside each other (tools/check_suites.py).
    lane, lanes = map(int, os.environ.get("STEWARD_TEST_LANE", "0/1").split("/"))
    return ports[lane::lanes]


def free_port(addresses):
    """A port that is free for UDP and TCP on every address, and that this process was not given before: what was
    chosen is bound later, and others choose meanwhile."""
    ports = served_ports()
    for _ in range(1000):
        port = random.SystemRandom().choice(ports)
        with _given_lock:
            if port in _given or not all(can_serve(address, port) for address in addresses):
                continue
            _given.add(port)
            return port
    raise ServerError(f"no free port found from {ports.start} to {ports.stop - 1}")


def can_serve(address, port):
    """Whether the port is to be had for UDP and TCP."""
    return all(_can_bind(address, port, kind) for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM))


def _can_bind(address, port, kind):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, kind) as probe:
        if family == socket.AF_INET6:
            probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return False
    return True


def have_ipv6():
    """Whether ::1 can be bound."""
    return socket.has_ipv6 and _can_bind("::1", 0, socket.SOCK_DGRAM)


_live = set()


def _kill_all(*_):
    for server in list(_live):
        server.kill()


def _on_signal(number, _frame):
    _kill_all()
    sys.exit(128 + number)


def _install_handlers():
    atexit.register(_kill_all)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
            signal.signal(number, _on_signal)


_install_handlers()
_libc = ctypes.CDLL(None, use_errno=True)


def _die_with_parent():
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Server:
    """One running name server. Subclasses write the configuration and name the command."""

    kind = "none"
    program = ""

    def __init__(self, zones, addresses=None, folder=None, options=None, update_key=None, update_signers=()):
        self.zones = list(zones)
        self.update_key = update_key  # (name, secret) of the TSIG key, hmac-sha256, that may change every zone; None: nobody
        self.update_signers = list(update_signers)  # owners of KEY records whose SIG(0) may do the same (ours)
        self.addresses = addresses or (["127.0.0.1", "::1"] if have_ipv6() else ["127.0.0.1"])
        self.options = dict(options or {})
        self.owns_folder = folder is None
        self.folder = pathlib.Path(folder or tempfile.mkdtemp(prefix=f"steward-{self.kind}-"))
        self.log_path = self.folder / "server.log"
        self.process = None
        self.port = None

    # Subclasses

    def write_config(self):
        raise NotImplementedError

    def command(self):
        raise NotImplementedError

    # Life

    @property
    def address(self):
        """An address to ask: the first, or loopback where the server listens on a wildcard."""
        return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.addresses[0], self.addresses[0])

    def start(self, wait=True):
        """Starts the server on a free port (kept over a restart) and waits until it answers for every zone."""
        if find_program(self.program) is None:
            raise ServerError(f"{self.program} is not installed (see tools/install_packages)")
        chosen = self.port is not None
        for attempt in range(START_ATTEMPTS):
            self.port = self.port or free_port(self.addresses)
            self.folder.mkdir(parents=True, exist_ok=True)
            self.write_config()
            self.spawn()
            if not wait:
                return self
            try:
                self.wait_ready()
                return self
            except ServerError:
                self.kill()
                if attempt + 1 == START_ATTEMPTS or "in use" not in self.log_tail():
                    raise
                if chosen:  # others know it: whoever has it may be gone in a moment
                    time.sleep(1)
                else:
                    self.port = None
        return self

    def spawn(self):
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, cwd=self.folder,
                start_new_session=True, preexec_fn=_die_with_parent)
        _live.add(self)

    def wait_ready(self, seconds=READY_SECONDS):
        """Returns when every zone's SOA is answered with authority."""
        end = time.monotonic() + seconds
        for zone in self.zones:
            while not self.answers(zone):
                if self.process.poll() is not None:
                    raise ServerError(f"{self.kind} ended with {self.process.returncode}:\n{self.log_tail()}")
                if time.monotonic() > end:
                    raise ServerError(f"{self.kind} did not answer for {zone.name} in {seconds} s:\n{self.log_tail()}")
                time.sleep(0.02)

    def answers(self, zone):
        query = dns.message.make_query(zone.name, "SOA", want_dnssec=bool(zone.dnssec))
        try:
            reply = dns.query.udp(query, self.address, port=self.port, timeout=0.1)
        except (OSError, dns.exception.DNSException):
            return False
        signed = not zone.dnssec or any(rrset.rdtype == 46 for rrset in reply.answer)
        return reply.rcode() == dns.rcode.NOERROR and bool(reply.flags & dns.flags.AA) and bool(reply.answer) and signed

    def stop(self):
        """SIGTERM, and SIGKILL after ten seconds. Returns the exit status."""
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                pass
        status = self.process.poll()
        self.kill()
        return status

    def kill(self):
        """SIGKILL to the whole process group, at once."""
        if self.process is not None:
            try:
                os.killpg(self.process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            self.process.wait()
        _live.discard(self)

    def signal(self, number):
        self.process.send_signal(number)

    def log_text(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def log_tail(self, lines=30):
        return "\n".join(self.log_text().splitlines()[-lines:])

    def __enter__(self):
        if self.process is None:
            self.start()
        return self

    def __exit__(self, *_):
        self.stop()
        if self.owns_folder:
            shutil.rmtree(self.folder, ignore_errors=True)


def start(kind, zones, **arguments):
    """A running server of the kind: "ours", "knot", "nsd", "bind"."""
    import peers

    server = peers.KINDS[kind](zones, **arguments)
    try:
        return server.start()
    except BaseException:
        server.__exit__()
        raise
