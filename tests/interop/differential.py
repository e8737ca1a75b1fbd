#!/usr/bin/python3
"""Puts the same zones and thousands of queries to several servers and explains every difference.

    differential.py [--servers ours,knot,nsd] [--queries 4000] [--seed 1]

The first server is compared with each other one: rcode, flags, EDNS, and the sections as sets of records with their
TTLs. The zones are signed beforehand, so that all serve the same octets. A difference is explained by a rule of
explanations.py, named and counted; one that no rule explains is printed, and fails the run. The queries are a function
of the seed.
"""

import argparse
import collections
import pathlib
import random
import sys
import tempfile
from dataclasses import dataclass, replace

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support"), str(HERE.parent / "conformance")]

import dns.flags
import dns.message
import dns.name
import dns.rdatatype

import explanations
import servers
import signing
import ugly_zone
from harness import Client
from portable import make_portable
from replies import differences, parse_reply

AGENTS = "vibe-agency.com.steward-registry.org."
TYPES = ["A", "A", "A", "AAAA", "TXT", "MX", "NS", "SOA", "CNAME", "DNAME", "SRV", "SVCB", "HTTPS", "DS", "DNSKEY",
         "NSEC",
         "NSEC3PARAM", "CDS", "PTR", "CAA", "KEY", "RRSIG", "ANY", "TYPE65280", "TYPE64999"]
LABELS = ["x", "*", "_tcp", "zzz", "0", "A", "gone", "www", "ns", "_x", "any", "b", "\\000", "a" * 63]
SHOWN = 12


@dataclass(frozen=True)
class Query:
    name: str
    rdtype: str
    edns: bool
    do: bool
    size: int
    tcp: bool

    def message(self, number):
        query = dns.message.make_query(self.name, self.rdtype, use_edns=0 if self.edns else False,
                                       want_dnssec=self.do, payload=self.size if self.edns else None)
        query.flags &= ~dns.flags.RD
        query.id = number & 0xFFFF
        return query.to_wire()

    @property
    def text(self):
        edns = f"+bufsize={self.size}" if self.edns else "+noedns"
        return f"{self.name} {self.rdtype} {edns}{' +dnssec' if self.do else ''}{' +tcp' if self.tcp else ''}"


def make_zones(folder):
    """The zones to serve, and {apex: [names]} of what stands in them."""
    plain = folder / "ugly.zone"
    plain.write_text(ugly_zone.zone_text())
    make_portable(plain, "ugly.test.")
    relative = folder / "relative.zone"
    relative.write_text(ugly_zone.zone_text())
    agents = servers.ROOT / "zones" / (AGENTS + "zone")
    zones = [servers.Zone("ugly.test.", plain)]
    for denial in ("nsec", "nsec3", "opt-out"):
        origin = f"ugly-{denial}.test."
        zones.append(servers.Zone(origin, make_portable(signing.presign(relative, origin, folder, denial)[0], origin)))
    zones.append(servers.Zone(AGENTS, make_portable(signing.presign(agents, AGENTS, folder, "nsec")[0], AGENTS)))
    return zones, {zone.name: owners_of(zone) for zone in zones}


def owners_of(zone):
    """The names of a signed or unsigned zone file, its empty non-terminals too, in canonical form and order."""
    text = signing.run_tool("named-compilezone", "-q", "-k", "ignore", "-i", "none", "-o", "-", zone.name, zone.file)
    apex = dns.name.from_text(zone.name)
    names = set()
    for line in text.splitlines():
        name = dns.name.from_text(line.split()[0])
        while name.is_subdomain(apex):
            names.add(name)
            name = name.parent()
    names = [name.to_text() for name in sorted(names)]
    hashed = [name for name in names if explanations.has_nsec3_label("x." + name)]
    return sorted(set(names) - set(hashed[3:]))  # three NSEC3 owners are enough


def mutate(name, apex, rng):
    """A name near an existing one."""
    first, _, rest = name.partition(".")
    choice = rng.randrange(10)
    if choice < 3:
        return name
    if choice == 3 or name == apex:
        return f"{rng.choice(LABELS)}.{name}"
    if choice == 4:
        return f"{rng.choice(LABELS)}.{rng.choice(LABELS)}.{name}"
    if choice == 5:
        return f"{rng.choice(LABELS)}.{rest}"
    if choice == 6:
        return rest
    if choice == 7 and "\\" not in first:
        return f"{first[:-1]}{chr(rng.randrange(97, 123))}.{rest}"
    if choice == 8 and len(first) < 60:
        return f"{first}a.{rest}"
    return "".join(char.upper() if rng.random() < 0.5 else char for char in name)


def make_queries(owners, count, seed):
    rng = random.Random(seed)
    apexes = sorted(owners)
    queries = []
    while len(queries) < count:
        apex = rng.choice(apexes)
        name = mutate(rng.choice(owners[apex]), apex, rng)
        try:
            dns.name.from_text(name)
        except dns.exception.DNSException:
            continue
        edns = rng.random() < 0.85
        queries.append(Query(name, rng.choice(TYPES), edns, edns and rng.random() < 0.7,
                             rng.choice([512, 1232, 1232, 4096]) if edns else 512, rng.random() < 0.08))
    return queries


def explain(query, first, other, kinds):
    """(rules needed, differences that remain) of two replies by servers of these kinds."""
    needed = []
    if first is None or other is None:
        return needed, differences(first, other)
    for rule in explanations.RULES:
        if first == other:
            break
        if rule.server and rule.server not in kinds:
            continue
        swapped = rule.server == kinds[1] if rule.server else False
        one, two = rule.apply(query, other, first) if swapped else rule.apply(query, first, other)
        if swapped:
            one, two = two, one
        if (one, two) != (first, other):
            if len(differences(one, two)) < len(differences(first, other)):
                needed.append(rule)
            first, other = one, two
    return needed, differences(first, other)


def exchange(client, query, number):
    wire = query.message(number)
    return client.tcp(wire) if query.tcp else client.udp(wire)


class Comparison:
    """The first server against one other."""

    def __init__(self, kinds):
        self.kinds = kinds
        self.equal = self.unexplained = 0
        self.rules = collections.Counter()

    def add(self, query, first, other):
        if first == other:
            self.equal += 1
            return
        needed, rest = explain(query, first, other, self.kinds)
        self.rules.update(needed)
        if rest:
            self.unexplained += 1
            if self.unexplained <= SHOWN:
                print(f"UNEXPLAINED {self.kinds[0]} - {self.kinds[1]}: {query.text}", *rest[:10], sep="\n    ",
                      flush=True)

    def show(self, total):
        print(f"{self.kinds[0]} and {self.kinds[1]}: {self.equal} of {total} the same, "
              f"{total - self.equal - self.unexplained} explained, {self.unexplained} not")
        for rule, count in self.rules.most_common():
            print(f"    {count:6} {rule.name} [{rule.source}]")


def compare(kinds, queries, clients):
    comparisons = [Comparison((kinds[0], kind)) for kind in kinds[1:]]
    torn = number = 0
    short = None
    for query in queries:
        for asked in (query, replace(query, tcp=True)):
            replies = [parse_reply(exchange(client, asked, number)) for client in clients]
            number += 1
            for comparison, reply in zip(comparisons, replies[1:]):
                comparison.add(asked, replies[0], reply)
            if asked is not query:
                torn += is_torn(query, short, replies[0])
            # RFC 2181 §9: what is truncated is asked for again over TCP.
            short = replies[0]
            if query.tcp or not any(reply and reply.truncated for reply in replies):
                break
    for comparison in comparisons:
        comparison.show(number)
    failed = torn + sum(c.unexplained for c in comparisons)
    return number * len(comparisons) - failed, failed


def is_torn(query, short, whole):
    """Whether a reply with TC has what the whole one has not, or an RRset in part; says so (RFC 2181 §9)."""
    if short is None or whole is None or not short.truncated:
        return False
    lines = [] if short.rcode == whole.rcode else [f"rcode: {short.rcode}, over TCP {whole.rcode}"]
    for section in ("answer", "authority", "additional"):
        groups = explanations.groups_of(getattr(whole, section), query.do)
        for key, records in explanations.groups_of(getattr(short, section), query.do).items():
            if records != groups.get(key):
                lines.append(f"{section}: {len(records)} records of {key}, over TCP {len(groups.get(key, ()))}")
    if lines:
        print(f"TRUNCATED BADLY: {query.text}", *lines, sep="\n    ", flush=True)
    return bool(lines)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--servers", default="ours,knot,nsd",
                        help="ours, knot, nsd, bind; the first is compared with the others")
    parser.add_argument("--queries", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    kinds = arguments.servers.split(",")
    with tempfile.TemporaryDirectory(prefix="steward-differential-") as name:
        zones, owners = make_zones(pathlib.Path(name))
        running = []
        try:
            for kind in kinds:
                running.append(servers.start(kind, zones, addresses=["127.0.0.1"]))
            clients = [Client(kind, server.address, server.port, {}) for kind, server in zip(kinds, running)]
            passed, failed = compare(kinds, make_queries(owners, arguments.queries, arguments.seed), clients)
        finally:
            for server in running:
                server.__exit__()
    print(f"differential: {passed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
