"""The servers under test: how each is configured, started and ended.

Fair is: one worker for figures a CPU second is compared in and the server's own default otherwise, no rate limiting, no
query log, no cookies, minimal answers and 1232 octets for all. Every server runs in the foreground in a folder of its
own, on loopback, on ports that the system gave out, and is ended by its process id.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import time

from . import machine
from .machine import BenchError

ORIGIN = "com.steward-registry.org"
SBIN = "/usr/sbin:/sbin"


def find_program(name):
    return shutil.which(name, path=os.environ.get("PATH", "") + ":" + SBIN)


def free_port():
    """A port that is free for UDP and TCP at this moment."""
    for _ in range(100):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp, \
                socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            tcp.bind(("127.0.0.1", 0))
            port = tcp.getsockname()[1]
            try:
                udp.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise BenchError("no free port on 127.0.0.1")


class Server:
    """One server, one zone. Subclasses say what is different: program, configuration, command line."""

    key = label = program = None
    version_args = ("-V",)

    def __init__(self, folder, zone_file, workers=1, sign=False):
        self.folder = os.path.join(folder, self.key)
        self.zone_file = os.path.abspath(zone_file)
        self.workers = workers  # None: the server's default
        self.sign = sign
        self.port = free_port()
        self.process = None
        self.log = os.path.join(self.folder, "log")
        shutil.rmtree(self.folder, ignore_errors=True)
        os.makedirs(self.folder)
        self.config = os.path.join(self.folder, "config")
        with open(self.config, "w", encoding="ascii") as file:
            file.write(self.configuration())

    @classmethod
    def path(cls):
        return find_program(cls.program)

    @classmethod
    def version(cls):
        done = subprocess.run([cls.path(), *cls.version_args], capture_output=True, text=True, timeout=30)
        text = done.stdout + done.stderr
        found = re.search(r"\d+\.\d+[\w.\-+]*", text)
        return found.group(0) if found else text.strip().split("\n")[0]

    def configuration(self):
        raise NotImplementedError

    def command(self):
        raise NotImplementedError

    def start(self, wrapper=()):
        """Starts it and returns the moment of the exec (time.monotonic)."""
        began = time.monotonic()
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([*wrapper, *self.command()], stdout=log, stderr=log, cwd=self.folder,
                                            stdin=subprocess.DEVNULL)
        return began

    @property
    def pid(self):
        return self.process.pid

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def stop(self, limit=60):
        """SIGTERM, and SIGKILL to what is left after `limit` seconds."""
        if self.alive():
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(limit)
            except subprocess.TimeoutExpired:
                self.kill()
        self.process = None

    def kill(self):
        if self.alive():
            machine.kill_tree(self.pid)
            self.process.wait(60)
        self.process = None

    def log_tail(self):
        try:
            with open(self.log, encoding="utf-8", errors="replace") as file:
                return "".join(file.readlines()[-12:])
        except OSError:
            return "(no log)"


class Steward(Server):
    key, label, program = "steward", "STEWARD", "steward-registry"
    version_args = ("--version",)
    build = "build"  # set by tools/bench

    @classmethod
    def path(cls):
        path = os.path.join(cls.build, "steward-registry")
        return os.path.abspath(path) if os.access(path, os.X_OK) else None

    def configuration(self):
        workers = "workers: %d\n" % self.workers if self.workers else ""
        return ("data: data\nlisten: [127.0.0.1@%d]\ncontrol: control.sock\nrate-limit: 0\nmap-size: 2G\n%szones:\n"
                "  - name: %s\n    file: %s\n    dnssec: %s\n"
                % (self.port, workers, ORIGIN, self.zone_file, "true" if self.sign else "false"))

    def command(self):
        return [self.path(), "serve", "--config", self.config]


class Knot(Server):
    key, label, program = "knot", "Knot DNS", "knotd"

    def configuration(self):
        workers = "    udp-workers: %d\n    tcp-workers: 1\n" % self.workers if self.workers else ""
        signing = ("    dnssec-signing: on\n    dnssec-policy: bench\n" if self.sign else "")
        policy = ("policy:\n  - id: bench\n    algorithm: ecdsap256sha256\n    signing-threads: %d\n"
                  % (os.cpu_count() or 1)) if self.sign else ""
        return ("server:\n    listen: 127.0.0.1@{port}\n    rundir: {dir}\n    udp-max-payload: 1232\n{workers}"
                "log:\n  - target: stderr\n    any: warning\n"
                "database:\n    storage: {dir}\n{policy}"
                "zone:\n  - domain: {origin}\n    file: {file}\n    zonefile-sync: -1\n    zonefile-load: whole\n"
                "    journal-content: none\n    semantic-checks: off\n{signing}").format(
                    port=self.port, dir=self.folder, workers=workers, policy=policy, origin=ORIGIN,
                    file=self.zone_file, signing=signing)

    def command(self):
        return [self.path(), "-c", self.config]


class Nsd(Server):
    key, label, program = "nsd", "NSD", "nsd"
    version_args = ("-v",)

    def configuration(self):
        return ("server:\n  server-count: {workers}\n  ip-address: 127.0.0.1@{port}\n  username: \"\"\n"
                "  zonesdir: \"{dir}\"\n  database: \"\"\n  pidfile: \"{dir}/pid\"\n  xfrdfile: \"{dir}/xfrd.state\"\n"
                "  zonelistfile: \"{dir}/zone.list\"\n  xfrdir: \"{dir}\"\n  rrl-ratelimit: 0\n"
                "  minimal-responses: yes\n  ipv4-edns-size: 1232\n  verbosity: 0\n"
                "remote-control:\n  control-enable: no\n"
                "zone:\n  name: {origin}\n  zonefile: \"{file}\"\n").format(
                    workers=self.workers or 1, port=self.port, dir=self.folder, origin=ORIGIN, file=self.zone_file)

    def command(self):
        return [self.path(), "-d", "-c", self.config]


class Bind(Server):
    key, label, program = "bind", "BIND", "named"

    def configuration(self):
        return ("options {{\n  directory \"{dir}\";\n  listen-on port {port} {{ 127.0.0.1; }};\n"
                "  listen-on-v6 {{ none; }};\n  pid-file \"{dir}/pid\";\n  session-keyfile \"{dir}/session.key\";\n"
                "  recursion no;\n  minimal-responses yes;\n  dnssec-validation no;\n  querylog no;\n"
                "  edns-udp-size 1232;\n  max-udp-size 1232;\n  answer-cookie no;\n  notify no;\n}};\ncontrols {{ }};\n"
                "zone \"{origin}\" {{\n  type primary;\n  file \"{file}\";\n}};\n").format(
                    dir=self.folder, port=self.port, origin=ORIGIN, file=self.zone_file)

    def command(self):
        workers = ["-n", str(self.workers)] if self.workers else []
        return [self.path(), "-f", "-c", self.config, *workers]


PEERS = {"knot": Knot, "nsd": Nsd, "bind": Bind}


def chosen(options):
    """The classes to run, ours first. A peer that is not installed is named, not skipped in silence."""
    classes = [] if options.peers_only else [Steward]
    for name in filter(None, options.peers.split(",")):
        if name not in PEERS:
            raise BenchError("unknown peer %s: expected some of %s" % (name, ", ".join(PEERS)))
        classes.append(PEERS[name])
    for one in classes:
        if one.path() is None:
            hint = ("build it: meson setup build --buildtype=release && ninja -C build" if one is Steward
                    else "install it, or leave it out with --peers")
            raise BenchError("%s is not there; %s" % (one.program, hint))
    return classes
