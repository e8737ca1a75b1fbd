"""Part of bench publish: a parent that follows a child from nothing, beside the verifications and signatures that it really made for it.

The child is the server that was just imported into. Its parent begins with an empty store, is told of the child's feed by its configuration, takes it by AXFR over
loopback and lists all that it admits. The clock runs from the exec of the parent until its table of the child has every agent.
"""

import json
import os
import subprocess
import time

from . import machine, servers
from .machine import BenchError

NAMESPACE = "example"
ZONE = NAMESPACE + ".steward-registry.org"
SAMPLE_SECONDS = 0.25
PULL = "first pull"
MEMORY = "MiB anonymous of the parent at most, first pull"


class Parent(servers.Steward):
    """A registry that follows one child, a server on loopback too."""

    key = "steward-parent"

    def __init__(self, folder, child, replica, namespace):
        self.child, self.replica, self.namespace = child, replica, namespace
        zone = os.path.join(folder, "parent-zone")
        with open(zone, "w", encoding="ascii") as file:
            file.write('$TTL 300\n@ SOA ns1 hostmaster 1 3600 600 604800 60\n@ NS ns1\nns1 A 127.0.0.1\n_schema._agents TXT "v=steward1"\n')
        super().__init__(folder, zone, workers=None)

    def configuration(self):
        return ("data: data\nlisten: [127.0.0.1@%d]\ncontrol: control.sock\nrate-limit: 0\nmap-size: 16G\nlog: {level: warning}\n"
                "registry:\n  namespace: %s\n  children:\n    - {namespace: %s, replica: %s, primaries: [127.0.0.1@%d]}\n"
                "zones:\n  - name: %s\n    file: %s\n    dnssec: true\n"
                % (self.port, NAMESPACE, self.namespace, self.replica, self.child.port, ZONE, self.zone_file))

    def tell(self, *words):
        done = subprocess.run([self.path(), *words, "--config", self.config, "--json"], capture_output=True, text=True, timeout=60)
        return json.loads(done.stdout) if done.returncode == 0 else None

    def row(self):
        """What it has of the child; nothing while it starts."""
        said = self.tell("peers")
        return said["children"][0] if said and said["children"] else None

    def status(self):
        return self.tell("status")


class Pull:
    """A first pull on its way: when the feed was there, and what the parent holds meanwhile."""

    def __init__(self, parent, agents, limit):
        self.parent, self.agents, self.limit = parent, agents, limit
        self.began = parent.start()
        self.transferred = None  # seconds until the feed was stored
        self.anonymous_transfer = self.anonymous = self.seconds = 0.0

    def until_followed(self, note):
        told = 0
        while True:
            row = self.parent.row()
            self.seconds = time.monotonic() - self.began
            self.anonymous = max(self.anonymous, machine.anonymous_rss(self.parent.pid))
            if row and row["serial"] is not None and self.transferred is None:
                self.transferred, self.anonymous_transfer = self.seconds, self.anonymous
            if row and row["agents"] >= self.agents and row["followed_to"] is not None:
                return row
            if row and row["error"]:
                raise BenchError("the parent says of its child: " + row["error"])
            if row and row["agents"] >= told + self.agents / 10:
                told = row["agents"]
                note("  %d agents after %.0f s" % (told, self.seconds))
            if not self.parent.alive() or self.seconds > self.limit:
                raise BenchError("after %.0f s the parent has %s\n%s" % (self.seconds, row, self.parent.log_tail()))
            time.sleep(SAMPLE_SECONDS)


def run(options, child, folder, namespace, agents, note):
    """(the parent, which runs, and its Pull, which is over); the parent is the caller's to end."""
    replica = child.status()["replica"]
    parent = Parent(folder, child, replica, namespace)
    try:
        pull = Pull(parent, agents, options.limit)
        row = pull.until_followed(note)
    except BaseException:
        parent.kill()
        raise
    if row["refused"]:
        parent.kill()
        raise BenchError("the parent refuses %d of %d agents" % (row["refused"], agents))
    return parent, pull
