"""Where hostile publishers try their hand: a registry of ours, keys that it allows, and what must be the same after each message that
is refused."""

import contextlib
import pathlib
import tempfile
from dataclasses import replace

import publish_wire as wire
import publishing
import zone_wire
from agent_registry import HEAD, LOOPBACK, ROWS, ZONE, Registry
from report import require

NAMESPACE = "acme-corp.com"
LONG_NAMESPACE = f"{'n' * 63}.{'m' * 50}.{NAMESPACE}"  # leaves a label of less than 63 octets
MANIFEST = b'{"steward_version": "1.0.0", "agent": {"id": "planner"}, "padding": "' + b"p" * 300 + b'"}'
# Codes of extended errors (RFC 8914).
PROHIBITED, NOT_AUTHORITATIVE = 18, 20


class Ground:
    """The registry, and what nothing refused may change."""

    def __init__(self, server, folder):
        self.server, self.folder, self.keys = server, folder, {}

    def key(self, agent, label=None):
        """A key that the operator allows where the agent may stand."""
        label = label or agent
        if label not in self.keys:
            self.keys[label] = publishing.Key(self.folder / f"key{len(self.keys)}", f"key{len(self.keys)}.{ZONE}")
            for space in (NAMESPACE, LONG_NAMESPACE):
                self.server.run("publisher", "allow", self.keys[label].fingerprint, "--namespace", space)
        return self.keys[label]

    def publish(self, agent, version="1.0.0", key=None, rows=ROWS, manifest=None, before=None, has_opt=True, **fields):
        key = key or self.key(agent)
        parts = publishing.make_statement(agent, key, version, rows, manifest=manifest, **fields)
        return wire.make_publish(ZONE, agent, key, parts, rows, manifest, before, has_opt=has_opt)

    def state(self):
        """Serial and all records of the zone, as a transfer has them, and the history of all."""
        found = zone_wire.fetch(LOOPBACK, self.server.port, ZONE)
        return found.serial, found.records

    def send(self, message):
        with wire.Line(self.server) as line:
            return line.send(message if isinstance(message, bytes) else message.wire)

    def refused(self, message, words, rcode="REFUSED", code=PROHIBITED):
        """With the rule where the message has an OPT record, and without a word of it where it has none; nothing changes."""
        before = self.state()
        answer = self.send(message)
        require((answer.rcode, answer.code) == (rcode, code) and words in answer.text, f"{answer}\nwanted {rcode} {code} '{words}'")
        if not isinstance(message, bytes):
            bare = self.send(replace(message, has_opt=False))
            require(bare == wire.Answer(rcode), f"without an OPT record: {bare}")
        require(self.state() == before, "the zone is another")
        require(self.server.process.poll() is None, "the server has ended")

    def accepted(self, message):
        answer = self.send(message)
        require(answer.rcode == "NOERROR", f"{answer}\n{self.server.log_tail(3)}")


@contextlib.contextmanager
def open_ground():
    with tempfile.TemporaryDirectory(prefix="steward-hostile-") as name:
        folder = pathlib.Path(name)
        file = folder / "acme.zone"
        file.write_text(HEAD.format(zone=ZONE, serial=1))
        with Registry(file, registry={"namespaces": [LONG_NAMESPACE]}) as server:
            yield Ground(server, folder)


def still_up(report, ground):
    with report.case("after all of it the server answers, says that it is well, and has all of it after kill -9"):
        before, listed = ground.state(), ground.server.json("agent", "list")
        health = ground.server.json("health")
        checks = {check["check"]: check for check in health["checks"]}
        require(health["healthy"] and checks["publishing"]["detail"].startswith("0 of "), health)
        require({"custody", "allow-list", "leases", "trust", "listings"} <= checks.keys(), health)
        ground.server.crash()
        require(ground.state() == before and ground.server.json("agent", "list") == listed, "the zone is another")
