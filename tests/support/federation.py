"""A federation of registries of ours: a tree of namespaces, each a server at port 53 of an address of its own (referrals carry no port),
delegated by its parent with NS, DS and an address, its feed followed by its parent.

    with Federation(folder, {"": None, "com": "", "vibe-agency.com": "com"}) as federation:
        federation["vibe-agency.com"].ask(name, "TXT")

Needs port 53 of 127.53.64.1 and up: as root, or in a namespace (namespaces.py).
"""

import json
import pathlib

import dns.message
import dns.query
import dns.rcode

import peers
import servers
from registry import eventually

APEX = "steward-registry.org."
FIRST = (127, 53, 64)


def zone_of(namespace):
    return f"{namespace}.{APEX}" if namespace else APEX


def address_of(number):
    return ".".join(map(str, (*FIRST[:2], FIRST[2] + number // 250, number % 250 + 1)))


def can_bind():
    """Whether port 53 of the first address is to be had."""
    return servers.can_serve(address_of(0), 53)


class Member(peers.Ours):
    """One registry. What it is told of the others is in `options` before it starts."""

    def __init__(self, folder, namespace, number):
        self.namespace = namespace
        self.zone = zone_of(namespace)
        self.children = []
        zone_file = pathlib.Path(folder) / f"{namespace or 'root'}.zone"
        super().__init__([servers.Zone(self.zone, zone_file, True)], addresses=[address_of(number)], folder=pathlib.Path(folder) / (namespace or "root"))
        self.port = 53
        self.registry = {"namespace": namespace or ".", "open": True, "custody-key": "custody.pem", "feed": {"allow-transfer": ["127.53.0.0/16"]}}
        self.options.update({"outgoing": self.addresses, "map-size": "2G", "registry": self.registry})

    @property
    def at(self):
        return f"{self.address}@53"

    def write_zone(self):
        """The zone file: itself, and what leads to its children, which run."""
        lines = [f"$ORIGIN {self.zone}", "$TTL 300", f"@ 60 SOA ns1 hostmaster 1 3600 600 604800 60", "@ NS ns1", f"ns1 A {self.address}",
                 '_schema._agents TXT "v=steward1"']
        for child in self.children:
            lines += [f"{child.zone} NS ns1.{child.zone}", f"ns1.{child.zone} A {child.address}", *child.ds()]
        self.zones[0].file.write_text("\n".join(lines) + "\n")

    def follow_children(self):
        self.registry["children"] = [{"namespace": child.namespace, "replica": child.replica(), "primaries": [child.at]} for child in self.children]

    def replica(self):
        return json.loads(self.run("status", "--json").stdout)["replica"]

    def feed(self):
        return f"{self.replica()}._feed.{self.zone}"

    def ds(self):
        """Of its keys, which are made once it serves its zone."""
        keys = json.loads(self.run("zone", "keys", self.zone, "--json").stdout)
        return [line for key in keys["keys"] for line in key["ds"]]

    def ask(self, name, rdtype):
        return dns.query.tcp(dns.message.make_query(name, rdtype, want_dnssec=True), self.address, port=53, timeout=5)

    def rdatas(self, name, rdtype):
        reply = self.ask(name, rdtype)
        return [rdata for rrset in reply.answer if rrset.rdtype == reply.question[0].rdtype for rdata in rrset]

    def places(self, term):
        """Agents on all pages of the term, page by page: one that stood on two would be there twice."""
        agents, page = [], f"{term}._find._agents.{self.zone}"
        while page:
            agents += [rdata.target.to_text() for rdata in self.rdatas(page, "PTR")]
            following = [text[5:].decode() for rdata in self.rdatas(page, "TXT") for text in rdata.strings if text.startswith(b"next=")]
            page = f"_p{following[0]}.{term}._find._agents.{self.zone}" if following and following[0] else None
        return agents

    def found(self, term):
        """The same, each once."""
        return set(self.places(term))

    def reference(self, agent):
        """What stands at `_ref` of an agent of a registry below: {key: value} of both statements."""
        below = agent.removesuffix(f".{self.zone}")
        return {key.decode(): value.decode() for rdata in self.rdatas(f"{below}._ref._agents.{self.zone}", "TXT")
                for key, _, value in (text.partition(b"=") for text in rdata.strings)}

    def wait_found(self, term, agents):
        """Until the term has these agents and no others."""
        wanted = set(agents)
        eventually(lambda: f"{self.zone} finds {wanted} by {term}; it finds {self.found(term)}\n{self.log_tail(12)}", lambda: self.found(term) == wanted)


class Federation:
    """`parents`: {namespace: its parent's}; the root's is None. Every registry runs when it is entered, the lowest first."""

    def __init__(self, folder, parents):
        self.members = {namespace: Member(folder, namespace, number) for number, namespace in enumerate(parents)}
        self.parents = dict(parents)
        for namespace, parent in parents.items():
            if parent is not None:
                self.members[parent].children.append(self.members[namespace])
                self.members[namespace].registry["feed"]["notify"] = [self.members[parent].at]

    def __getitem__(self, namespace):
        return self.members[namespace]

    def levels(self):
        """The members by their distance from the root, the farthest first."""
        def depth(namespace):
            return 0 if self.parents[namespace] is None else 1 + depth(self.parents[namespace])

        by_depth = {}
        for namespace, member in self.members.items():
            by_depth.setdefault(depth(namespace), []).append(member)
        return [by_depth[at] for at in sorted(by_depth, reverse=True)]

    def __enter__(self):
        try:
            for level in self.levels():
                for member in level:
                    member.write_zone()
                    member.follow_children()
                    member.start(wait=False)
                for member in level:
                    member.wait_ready()
                    eventually(f"the keys of {member.zone}", lambda member=member: member.ds())
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for member in self.members.values():
            member.__exit__()

    def anchor(self):
        return "\n".join(self.members[""].ds()) + "\n"
