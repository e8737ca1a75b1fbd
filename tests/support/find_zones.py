"""Registries with pages of terms, as zone files: agents of their own, those that they know of registries below, delegations."""

import json
import pathlib

from client_world import APEX, agent, load_generator
from registry import Registry


class FindZone:
    """The zone of one registry. Agents are added, then text() is what stands in its file."""

    def __init__(self, namespace=""):
        self.namespace = namespace
        self.name = f"{namespace}.{APEX}" if namespace else APEX
        self.generator = load_generator()
        self.generator.ZONE = self.name
        self.generator.REGISTRY_ID = ".".join(reversed(namespace.split("."))) or "root"
        self.lines, self.terms = [], {}

    def full(self, label):
        return f"{label}.{self.name}"

    def publish(self, label, trust, *capabilities, terms=None, desc="An agent"):
        """An agent of its own, that is found by its label, the words of it and its capabilities, or by these terms."""
        facts = agent(label, desc, trust=trust, capabilities=list(capabilities))
        self.lines += self.generator.agent_lines(facts)
        self.list(self.full(label), terms or [label, *label.split("-"), *capabilities])
        return facts

    def refer(self, home, facts, trust, *terms):
        """An agent of a registry below it, as that one published it."""
        full = home.full(facts["name"])
        below = full.removesuffix(f".{self.name}")
        rows = home.generator.endpoint_rows(facts)
        owner = f"{below}._ref._agents"
        self.lines += self.generator.txt_lines(owner, home.generator.statement_of(facts, rows))
        self.lines += self.generator.txt_lines(owner, ["v=steward-registry1", f"registry={self.generator.REGISTRY_ID}",
                                                       f"trust={trust}", "vc=main:1", "status=active"])
        self.lines.append(home.generator.key_line(owner, home.generator.TEST_KEY))
        self.list(full, terms)

    def list(self, full, terms):
        for term in terms:
            members = self.terms.setdefault(term, [])
            if full not in members:
                members.append(full)

    def page_lines(self, term, members, size=12):
        """Pages of at most `size` agents: key ranges that meet, one leading to the next."""
        pages = [members[start:start + size] for start in range(0, len(members), size)]
        lines = []
        for number, page in enumerate(pages):
            owner = f"_p{number:x}.{term}._find._agents" if number else f"{term}._find._agents"
            start, end = (f"k{number}" if number else ""), (f"k{number + 1}" if number + 1 < len(pages) else "")
            lines += self.generator.txt_lines(owner, ["v=steward-find1", f"n={len(members)}", f"from={start}", f"to={end}",
                                                      f"next={f'{number + 1:x}' if end else ''}", "serial=1"], 60)
            lines += [f"{owner} 60 PTR {full}" for full in page]
        return lines

    def text(self, delegations=(), address="127.0.0.1"):
        """`delegations`: (zone, address of its server, its DS or none)."""
        lines = [f"$ORIGIN {self.name}", "$TTL 300", "@ SOA ns1 hostmaster 1 3600 600 604800 60", "@ NS ns1", f"ns1 A {address}", *self.lines]
        for term, members in self.terms.items():
            lines += self.page_lines(term, members)
        for zone, server, ds in delegations:
            lines += [f"{zone} NS ns1.{zone}", f"ns1.{zone} A {server}", *([ds] if ds else [])]
        return "\n".join(lines) + "\n"


def serve(folder, zones, delegations=None, address="127.0.0.1", port=None, options=None):
    """A running server of these zones, the lowest first, each with the DS of those below it. `delegations`: {name: rows of
    FindZone.text()} beside these. The server has `ds`, the DS of each zone by its name."""
    server = Registry([], options=options)
    server.addresses, server.port, server.ds = [address], port, {}
    server.__enter__()
    try:
        server.wait_ready()
        for zone in zones:
            # Each zone has a place in its nearest ancestor among those of this server.
            rows = [(below.name, address, server.ds[below.name]) for below in zones
                    if below.name in server.ds and below.name.endswith("." + zone.name)
                    and not any(between.name in server.ds and between.name.endswith("." + zone.name) and below.name.endswith("." + between.name)
                                for between in zones)]
            path = pathlib.Path(folder) / f"{zone.namespace or 'root'}-{address}.zone"
            path.write_text(zone.text([*rows, *(delegations or {}).get(zone.name, ())], address))
            server.entries.append({"name": zone.name.rstrip("."), "file": str(path), "dnssec": True})
            server.reload()
            keys = json.loads(server.run("zone", "keys", zone.name, "--json").stdout)
            server.ds[zone.name] = "\n".join(ds for key in keys["keys"] for ds in key["ds"])
    except BaseException:
        server.__exit__(None, None, None)
        raise
    return server
