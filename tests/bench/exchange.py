"""Servers that take part in transfers and updates: primaries that let themselves be changed and copied, and secondaries.

What is fair: all allow by address and check no TSIG; all sign with ECDSAP256SHA256 and NSEC; all keep a journal, for the next server needs
differences; NOTIFY goes out at once and a secondary acts at once, as far as each can be told to. What is on disk when NOERROR is sent is each
server's own business, and a note where it is less than all.
"""

import os
import shutil
import subprocess
from dataclasses import dataclass, field

from . import servers
from .machine import BenchError
from .servers import ORIGIN, find_program


@dataclass
class Role:
    """What one server does in a run."""
    updates: bool = False  # takes UPDATE, and signs
    journal: bool = True
    primary: int = None  # port of the server that the zone comes from
    notify: list = field(default_factory=list)  # ports of servers to be told of changes
    tls: str = None  # folder with cert.pem and key.pem: answers over TLS too
    keys: str = None  # folder with keys of the zone file, for servers that take them over


def make_certificate(folder):
    """A self-signed certificate that is good for a week."""
    os.makedirs(folder, exist_ok=True)
    command = [find_program("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
               "-days", "7", "-subj", "/CN=localhost", "-keyout", os.path.join(folder, "key.pem"), "-out",
               os.path.join(folder, "cert.pem")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    if done.returncode != 0:
        raise BenchError("openssl req: " + done.stderr)
    return folder


class Peer:
    """Mixed into a server: knows its role before its configuration is written."""

    def __init__(self, folder, zone_file, role, workers=None, agents=1):
        self.role = role
        self.agents = agents
        self.tls_port = servers.free_port() if role.tls else None
        super().__init__(folder, zone_file, workers=workers, sign=role.updates)
        if role.updates or role.primary:
            self.prepare()

    def prepare(self):
        """What must lie in the folder before the start."""


class Steward(Peer, servers.Steward):
    def configuration(self):
        role = self.role
        lines = ["data: data", "listen: [127.0.0.1@%d]" % self.port, "control: control.sock", "rate-limit: 0",
                 "map-size: 4G", "log: {level: warning}"]
        if self.workers:
            lines.append("workers: %d" % self.workers)
        if role.tls:
            lines += ["tls:", "  listen: [127.0.0.1@%d]" % self.tls_port, "  certificate: %s/cert.pem" % role.tls,
                      "  key: %s/key.pem" % role.tls]
        lines += ["zones:", "  - name: " + ORIGIN, "    allow-transfer: [127.0.0.0/8]"]
        if role.primary:
            lines += ["    primaries: [127.0.0.1@%d]" % role.primary, "    allow-notify: [127.0.0.0/8]"]
        else:
            lines.append("    file: " + self.zone_file)
        if role.updates:
            lines += ["    dnssec: true", "    allow-update: [127.0.0.0/8]"]
        if role.notify:
            lines.append("    notify: [%s]" % ", ".join("127.0.0.1@%d" % port for port in role.notify))
        return "\n".join(lines) + "\n"


class Knot(Peer, servers.Knot):
    def configuration(self):
        role = self.role
        workers = "    udp-workers: %d\n    tcp-workers: 1\n" % self.workers if self.workers else ""
        remotes = "".join("  - id: n%d\n    address: 127.0.0.1@%d\n" % (port, port) for port in role.notify)
        if role.primary:
            remotes += "  - id: primary\n    address: 127.0.0.1@%d\n" % role.primary
        zone = ["    zonefile-sync: -1", "    semantic-checks: off", "    acl: all"]
        if role.primary:
            zone += ["    master: primary", "    journal-content: changes"]
        else:
            # With updates the file is read once, and differences are kept (and synced, as the journal is by default).
            zone += ["    file: " + self.zone_file, "    zonefile-load: whole",
                     "    journal-content: " + ("changes" if role.updates and role.journal else "none")]
        if role.notify:
            zone.append("    notify: [%s]" % ", ".join("n%d" % port for port in role.notify))
        if role.updates:
            zone += ["    dnssec-signing: on", "    dnssec-policy: bench"]
        policy = ("policy:\n  - id: bench\n    algorithm: ecdsap256sha256\n    signing-threads: %d\n"
                  % (os.cpu_count() or 1)) if role.updates else ""
        return ("server:\n    listen: 127.0.0.1@%d\n    rundir: %s\n    udp-max-payload: 1232\n%s"
                "log:\n  - target: stderr\n    any: warning\ndatabase:\n    storage: %s\n    journal-db-max-size: 2G\n%s%s"
                "acl:\n  - id: all\n    address: 127.0.0.0/8\n    action: [transfer, notify%s]\n"
                "zone:\n  - domain: %s\n%s\n"
                % (self.port, self.folder, workers, self.folder, "remote:\n" + remotes if remotes else "", policy,
                   ", update" if role.updates else "", ORIGIN, "\n".join(zone)))


class Nsd(Peer, servers.Nsd):
    def configuration(self):
        role = self.role
        zone = ["  name: " + ORIGIN, "  provide-xfr: 127.0.0.0/8 NOKEY"]
        if role.primary:
            zone += ["  zonefile: \"%s/secondary.zone\"" % self.folder, "  request-xfr: 127.0.0.1@%d NOKEY" % role.primary,
                     "  allow-notify: 127.0.0.0/8 NOKEY"]
        else:
            zone.append("  zonefile: \"%s\"" % self.zone_file)
        tls = ("  tls-port: %d\n  ip-address: 127.0.0.1@%d\n  tls-service-key: \"%s/key.pem\"\n  tls-service-pem: \"%s/cert.pem\"\n"
               % (self.tls_port, self.tls_port, role.tls, role.tls)) if role.tls else ""
        return ("server:\n  server-count: %d\n  ip-address: 127.0.0.1@%d\n  username: \"\"\n  zonesdir: \"%s\"\n"
                "  database: \"\"\n  pidfile: \"%s/pid\"\n  xfrdfile: \"%s/xfrd.state\"\n  zonelistfile: \"%s/zone.list\"\n"
                "  xfrdir: \"%s\"\n  xfrd-reload-timeout: 0\n  rrl-ratelimit: 0\n  minimal-responses: yes\n"
                "  ipv4-edns-size: 1232\n  verbosity: 0\n%sremote-control:\n  control-enable: no\nzone:\n%s\n"
                % (self.workers or 1, self.port, *[self.folder] * 5, tls, "\n".join(zone)))


class Bind(Peer, servers.Bind):
    def prepare(self):
        # named writes beside the file, so it gets its own.
        if not self.role.primary:
            shutil.copyfile(self.zone_file, os.path.join(self.folder, "zone.db"))

    def configuration(self):
        role = self.role
        options = ["directory \"%s\"" % self.folder, "listen-on port %d { 127.0.0.1; }" % self.port, "listen-on-v6 { none; }",
                   "pid-file \"%s/pid\"" % self.folder, "session-keyfile \"%s/session.key\"" % self.folder, "recursion no",
                   "minimal-responses yes", "dnssec-validation no", "querylog no", "edns-udp-size 1232", "max-udp-size 1232",
                   "answer-cookie no", "notify-delay 0", "notify-rate 1000", "startup-notify-rate 1000", "serial-query-rate 1000",
                   "transfers-in 100", "transfer-format many-answers"]
        if role.tls:
            options.append("listen-on port %d tls bench { 127.0.0.1; }" % self.tls_port)
        zone = ["allow-transfer { 127.0.0.0/8; }", "max-journal-size 1g"]
        if role.primary:
            zone += ["type secondary", "file \"secondary.db\"", "masterfile-format raw",
                     "primaries { 127.0.0.1 port %d; }" % role.primary, "allow-notify { 127.0.0.0/8; }"]
        else:
            zone += ["type primary", "file \"%s\"" % ("zone.db" if role.updates else self.zone_file)]
        if role.updates:
            zone += ["allow-update { 127.0.0.0/8; }", "auto-dnssec maintain", "key-directory \"%s\"" % role.keys]
        if role.notify:
            zone += ["notify explicit", "also-notify { %s }" % " ".join("127.0.0.1 port %d;" % port for port in role.notify)]
        else:
            zone.append("notify no")
        tls = "tls bench { cert-file \"%s/cert.pem\"; key-file \"%s/key.pem\"; };\n" % (role.tls, role.tls) if role.tls else ""
        return ("%soptions {\n  %s;\n};\ncontrols { };\nlogging { channel err { stderr; severity warning; }; category default { err; }; };\n"
                "zone \"%s\" {\n  %s;\n};\n" % (tls, ";\n  ".join(options), ORIGIN, ";\n  ".join(zone)))


CLASSES = {"steward": Steward, "knot": Knot, "nsd": Nsd, "bind": Bind}


def file_for(key, zone, updates):
    """What a primary reads: servers that take the keys over are given the signed zone; the others sign."""
    if not updates:
        return zone.signed
    return zone.signed if key == "bind" else zone.unsigned


def keys_of(zone):
    return os.path.join(zone.folder, "keys")
