"""A registry's feed as a zone file, made from steward-records(7) alone: agents that publish, and what a liar would say of them."""

import base64
import time
from dataclasses import dataclass, field

import publishing


@dataclass
class Entry:
    """What a feed says of one agent. `statement`: strings, or None for a name that is gone."""

    label: str
    statement: list
    rows: list
    keys: list
    version: str
    count: int = 1
    stamp: int = 0
    trust: str = "0.95"
    status: str = "active"
    rotations: list = field(default_factory=list)
    clock: str = ""  # of another write than this replica's; empty: its count
    replica: str = ""  # that accepted it; empty: this one


class Feed:
    """The feed of one replica of the registry of `namespace`."""

    def __init__(self, namespace, replica="main-4f2a", apex="steward-registry.org."):
        self.zone = f"{namespace}.{apex}"
        self.namespace, self.replica = namespace, replica
        self.name = f"{replica}._feed.{self.zone}"
        self.registry = ".".join(reversed(namespace.split(".")))
        self.entries, self.serial = {}, 0
        self.beside = {}  # other writes of a label that stand: {label: [Entry]}

    def agent(self, label):
        """Its full name; one that ends with a dot is one already, whosever."""
        return label if label.endswith(".") else f"{label}.{self.zone}"

    def publish(self, label, key, version="1.0.0", capabilities="plan", signer_of=None, shift=0, **facts):
        """A write after the last of this name. `signer_of`: the label, or the name, that the statement is signed for, where a liar moved it."""
        before = self.entries.get(label)
        rows = publishing.TOMBSTONE if facts.get("status") in ("withdrawn", "revoked") else [f"SRV 0 0 443 {label}.example."]
        parts = publishing.make_statement(self.agent(signer_of or label), key, version, rows, facts.get("status", "active"),
                                          modified=publishing.now_text(shift), capabilities=capabilities)
        stamp = max(int(time.time()), before.stamp + 1 if before else 0)
        entry = Entry(label, parts, rows, [key.record], version, before.count + 1 if before else 1, stamp)
        for name, value in facts.items():
            setattr(entry, name, value)
        self.entries[label] = entry
        return entry

    def remove(self, label):
        del self.entries[label]

    def lines_of(self, entry, owner=None):
        """The records of a write. `owner`: where it stands, other than at its label."""
        owner = owner or entry.label
        word = ["v=steward-registry1", f"registry={self.registry}", f"trust={entry.trust}", f"vc={entry.clock or f'{self.replica}:{entry.count}'}",
                f"status={entry.status}", f"stamp={entry.stamp}", f"replica={entry.replica or self.replica}", f"told={entry.stamp}"]
        records = [publishing.text_of(entry.statement), *entry.keys, *entry.rows]
        return [f"{owner} 300 {record}" for record in records] + [
            f"_registry.{owner} 300 {publishing.text_of([text.encode() for text in word])}",
            *(f"_keys.{owner} 300 {publishing.text_of(parts)}" for parts in entry.rotations)]

    def write(self, path):
        """The next version of the zone, whole or not at all."""
        self.serial += 1
        lines = [f"$ORIGIN {self.name}", f"@ 60 SOA ns1.{self.zone} hostmaster.{self.zone} {self.serial} 3600 600 604800 60",
                 f"@ 300 NS ns1.{self.zone}"]
        for entry in self.entries.values():
            lines += self.lines_of(entry)
            for number, other in enumerate(self.beside.get(entry.label, [])):
                lines += self.lines_of(other, f"_w{number:016x}.{entry.label}")
        new = path.with_suffix(".new")
        new.write_text("\n".join(lines) + "\n")
        new.replace(path)


def forged(text):
    """Base64url of another signature than this one."""
    octets = bytearray(base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4)))
    octets[0] ^= 1
    return base64.urlsafe_b64encode(bytes(octets)).rstrip(b"=")
