#!/usr/bin/python3
"""A term asked of one registry is found wherever it is above, by nothing but DNS resolution (steward-records(7), `_discover`).

    discover_climb.py [--only WORD]

Three registries of ours, root, com and vibe-agency.com, each on an address of its own and port 53, since referrals carry no port: as root, or in
a user and network namespace. Unbound, named and Knot Resolver validate with the root registry's trust anchor, minimise names and use NSEC aggressively;
delv validates by itself.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "support")]

import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype

import namespaces
import peers
import servers
from registry import eventually
from report import Report, Skipped, require

APEX = "steward-registry.org."
COM = f"com.{APEX}"
LEAF = f"vibe-agency.com.{APEX}"
ADDRESS = {".": "127.53.41.9", APEX: "127.53.41.1", COM: "127.53.41.2", LEAF: "127.53.41.3"}
NAMESPACE = {APEX: ".", COM: "com", LEAF: "vibe-agency.com"}
TERMS = {APEX: "translate", COM: "trade", LEAF: "orchestrate_sdlc"}
SHARED = "plan"  # known at the leaf and at the root: the leaf answers


def page(term, agents):
    lines = [f'{term}._find._agents 60 TXT "v=steward-find1" "n={len(agents)}"']
    return lines + [f"{term}._find._agents 60 PTR {agent}" for agent in agents]


def zone_text(zone, more=()):
    lines = [f"$ORIGIN {zone}", "$TTL 300", "@ 60 SOA ns hostmaster 1 3600 600 604800 60", "@ NS ns", f"ns A {ADDRESS[zone]}", *more]
    if zone in TERMS:
        lines += page(TERMS[zone], [f"agent-of-{TERMS[zone].replace('_', '-')}.{LEAF}", "another"])
    if zone in (APEX, LEAF):
        lines += page(SHARED, [f"planner.{zone}"])
    return "\n".join(lines) + "\n"


class Node(peers.Ours):
    """A registry, or the root of the DNS, on its own address."""

    def __init__(self, zone, folder, more=(), registry=True, dnssec=True):
        self.zone = zone
        self.file = pathlib.Path(folder) / f"{zone.replace('.', '_')}zone"
        self.file.write_text(zone_text(zone, more))
        options = {"registry": {"namespace": NAMESPACE[zone], **(registry if isinstance(registry, dict) else {})}} if registry else {}
        super().__init__([servers.Zone(zone, self.file, dnssec)], addresses=[ADDRESS[zone]], options=options)
        self.port = 53

    def ds(self, zone=None):
        keys = json.loads(self.run("zone", "keys", zone or self.zone, "--json").stdout)
        return [line for key in keys["keys"] for line in key["ds"]]

    def delegation(self):
        """What the parent has of this zone."""
        return [f"{self.zone} NS ns.{self.zone}", f"ns.{self.zone} A {ADDRESS[self.zone]}", *self.ds()]

    def ask(self, name, rdtype, dnssec=True, tcp=False):
        query = dns.message.make_query(name, rdtype, want_dnssec=dnssec)
        return (dns.query.tcp if tcp else dns.query.udp)(query, self.address, port=self.port, timeout=5)


class Unbound(peers.Unbound):
    def write_config(self):
        super().write_config()
        path = self.folder / "unbound.conf"
        text = path.read_text().replace("qname-minimisation: no", "qname-minimisation: yes\n    qname-minimisation-strict: yes")
        path.write_text(text.replace("aggressive-nsec: no", "aggressive-nsec: yes").replace("    cache-max-ttl: 0\n", ""))


class Named(servers.Server):
    """named as a validating resolver."""

    kind = "named"
    program = "named"

    def __init__(self, anchors):
        super().__init__([], addresses=["127.0.0.1"])
        self.anchors = anchors

    def write_config(self):
        fields = [line.split() for line in self.anchors]
        anchors = " ".join(f'"{f[0]}" static-ds {f[-4]} {f[-3]} {f[-2]} "{f[-1]}";' for f in fields)
        (self.folder / "hints").write_text(". 3600 NS a.invalid.\na.invalid. 3600 A 127.0.0.1\n")
        lines = ["options {", f'directory "{self.folder}"; listen-on port {self.port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};',
                 f'pid-file "{self.folder}/named.pid"; lock-file none; session-keyfile "{self.folder}/session.key";',
                 f'managed-keys-directory "{self.folder}"; recursion yes; allow-query {{ any; }}; dnssec-validation yes;',
                 "qname-minimization strict; synth-from-dnssec yes; empty-zones-enable no;", "};", "controls { };",
                 f"trust-anchors {{ {anchors} }};", f'zone "." {{ type hint; file "{self.folder}/hints"; }};',
                 f'zone "{APEX}" {{ type static-stub; server-addresses {{ {ADDRESS[APEX]}; }}; }};']
        (self.folder / "named.conf").write_text("\n".join(lines) + "\n")

    def wait_ready(self, seconds=20):
        wait_for_resolver(self, seconds)

    def command(self):
        return [servers.find_program("named"), "-g", "-n", "1", "-c", str(self.folder / "named.conf")]


class Kresd(servers.Server):
    """Knot Resolver, which begins at a root of ours."""

    kind = "kresd"
    program = "kresd"

    def __init__(self, anchors):
        super().__init__([], addresses=["127.0.0.1"])
        self.anchors = anchors

    def write_config(self):
        lines = ["modules = { 'hints' }", "option('ALLOW_LOCAL', true)", f"net.listen('127.0.0.1', {self.port}, {{ kind = 'dns' }})", "cache.size = 16 * MB",
                 "trust_anchors.remove('.')", *(f"trust_anchors.add('{line}')" for line in self.anchors),
                 f"hints.root({{ ['ns.'] = '{ADDRESS['.']}' }})", "modules.unload('ta_update')", "modules.unload('ta_signal_query')",
                 "modules.unload('priming')"]
        (self.folder / "kresd.conf").write_text("\n".join(lines) + "\n")

    def wait_ready(self, seconds=20):
        wait_for_resolver(self, seconds)

    def command(self):
        return [servers.find_program("kresd"), "-n", "-c", str(self.folder / "kresd.conf"), str(self.folder)]


def wait_for_resolver(server, seconds):
    end = time.monotonic() + seconds
    while True:
        try:
            return dns.query.udp(dns.message.make_query("id.server.", "TXT", "CH"), server.address, port=server.port, timeout=0.3)
        except (OSError, dns.exception.DNSException):
            pass
        if server.process.poll() is not None or time.monotonic() > end:
            raise servers.ServerError(f"{server.kind} did not start:\n{server.log_tail()}")
        time.sleep(0.05)


def resolve(resolver, name, rdtype):
    query = dns.message.make_query(name, rdtype, want_dnssec=True)
    query.flags |= dns.flags.AD
    return dns.query.tcp(query, resolver.address, port=resolver.port, timeout=15)


def chain_of(reply):
    """The targets of the CNAMEs in their order, and what the last has."""
    links = {rrset.name: rrset[0].target for rrset in reply.answer if rrset.rdtype == dns.rdatatype.CNAME}
    at, chain = reply.question[0].name, []
    while at in links:
        at = links[at]
        chain.append(at.to_text().lower())
    values = sorted(rdata.to_text() for rrset in reply.answer if rrset.name == at and rrset.rdtype == reply.question[0].rdtype for rdata in rrset)
    return chain, values


def discover(term, zone):
    return f"{term}._discover._agents.{zone}"


def climbs(report, resolver):
    kind = resolver.kind
    for zone, term in TERMS.items():
        with report.case(f"{kind}: a term of {zone} is found from {LEAF}, validated"):
            reply = resolve(resolver, discover(term, LEAF), "PTR")
            chain, values = chain_of(reply)
            require(reply.rcode() == dns.rcode.NOERROR and len(values) == 2, f"{reply}\n{resolver.log_tail(8)}")
            require(reply.flags & dns.flags.AD, f"not validated: {reply}\n{resolver.log_tail(8)}")
            above = {LEAF: [], COM: [COM], APEX: [COM, APEX]}[zone]
            require(chain == [discover(term, at) for at in above], chain)
    with report.case(f"{kind}: the nearest registry that knows a term answers"):
        chain, values = chain_of(resolve(resolver, discover(SHARED, LEAF), "PTR"))
        require(not chain and values == [f"planner.{LEAF}"], (chain, values))
    with report.case(f"{kind}: the page's TXT climbs as well"):
        chain, values = chain_of(resolve(resolver, discover(TERMS[APEX], LEAF), "TXT"))
        require(len(chain) == 2 and values == ['"v=steward-find1" "n=2"'], (chain, values))
    with report.case(f"{kind}: a term that nobody knows ends at the root, validated, and denies no other"):
        for _ in range(2):
            reply = resolve(resolver, discover("nobody-has-this", LEAF), "PTR")
            chain, values = chain_of(reply)
            require(reply.rcode() in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN) and not values and len(chain) == 2, reply)
            require(reply.flags & dns.flags.AD, f"not validated: {reply}\n{resolver.log_tail(8)}")
        reply = resolve(resolver, discover(TERMS[APEX], APEX), "PTR")
        require(chain_of(reply)[1] and reply.flags & dns.flags.AD, reply)
    with report.case(f"{kind}: NODATA at a known term and a deeper name are validated, and what is known stays so"):
        for name, rdtype in ((discover(TERMS[LEAF], LEAF), "A"), (f"deeper.{discover(TERMS[LEAF], LEAF)}", "TXT"), (f"_discover._agents.{LEAF}", "TXT")):
            reply = resolve(resolver, name, rdtype)
            require(not reply.answer and reply.flags & dns.flags.AD, f"{name} {rdtype}: {reply}\n{resolver.log_tail(8)}")
        require(chain_of(resolve(resolver, discover(TERMS[LEAF], LEAF), "TXT"))[1], "the term is gone")
    with report.case(f"{kind}: the pre-signed data beside it is untouched"):
        reply = resolve(resolver, f"{TERMS[LEAF]}._find._agents.{LEAF}", "PTR")
        require(len(chain_of(reply)[1]) == 2 and reply.flags & dns.flags.AD, reply)


def check_wire(report, nodes):
    leaf = nodes[LEAF]
    with report.case("the registry's zone delegates by NS and DS"):
        reply = leaf.ask(f"_discover._agents.{LEAF}", "DS")
        require(any(rrset.rdtype == dns.rdatatype.DS for rrset in reply.answer), reply)
        shown = [line.split()[-1].lower() for line in leaf.ds(f"_discover._agents.{LEAF}")]
        served = [rdata.to_text().split()[-1].lower() for rrset in reply.answer if rrset.rdtype == dns.rdatatype.DS for rdata in rrset]
        require(served and set(served) <= set(shown), (served, shown))
        reply = leaf.ask(f"_discover._agents.{LEAF}", "NS")
        require([rdata.to_text() for rdata in reply.answer[0]] == [f"ns.{LEAF}"], reply)
    with report.case("it is not transferred"):
        reply = leaf.ask(f"_discover._agents.{LEAF}", "AXFR", tcp=True)
        require(reply.rcode() == dns.rcode.REFUSED, reply)
    with report.case("without DO a name that does not exist is NXDOMAIN"):
        reply = nodes[APEX].ask(discover("nobody", APEX), "PTR", dnssec=False)
        require(reply.rcode() == dns.rcode.NXDOMAIN and len(reply.authority) == 1, reply)
    with report.case("delv validates an answer, an alias and a denial"):
        anchor = leaf.ds()[0].split()
        path = leaf.folder / "delv.keys"
        path.write_text(f'trust-anchors {{ "{LEAF}" static-ds {anchor[-4]} {anchor[-3]} {anchor[-2]} "{anchor[-1]}"; }};\n')
        for name, rdtype, wanted in ((discover(TERMS[LEAF], LEAF), "PTR", "fully validated"), (discover(TERMS[LEAF], LEAF), "TXT", "fully validated"),
                                     (discover("nobody", LEAF), "CNAME", "fully validated"),
                                     (discover(TERMS[LEAF], LEAF), "A", "negative response, fully validated"),
                                     (f"x.{discover('y', LEAF)}", "A", "negative response, fully validated")):
            done = subprocess.run([servers.find_program("delv"), f"@{leaf.address}", "-p", str(leaf.port), "-a", str(path), f"+root={LEAF}",
                                   name, rdtype], capture_output=True, text=True, check=False, timeout=30)
            require(wanted in done.stdout, f"{name} {rdtype}: {done.stdout}{done.stderr}")


def check_life(report, nodes):
    leaf = nodes[LEAF]
    name = f"_discover._agents.{LEAF}"
    with report.case("after a restart it answers with the same key at once"):
        before = leaf.ds(name)
        leaf.stop()
        leaf.start()
        require(leaf.ds(name) == before, (before, leaf.ds(name)))
        reply = leaf.ask(discover(TERMS[LEAF], LEAF), "PTR")
        require(reply.rcode() == dns.rcode.NOERROR and any(rrset.rdtype == dns.rdatatype.RRSIG for rrset in reply.answer), reply)
    with report.case("an edit of the zone file leaves the delegation, and its terms are answered"):
        leaf.file.write_text(zone_text(LEAF, page("fresh", ["new-agent"])).replace(" 1 3600 ", " 2 3600 "))
        eventually("fresh", lambda: chain_of(leaf.ask(discover("fresh", LEAF), "PTR"))[1] == [f"new-agent.{LEAF}"])
        require(leaf.ask(name, "DS").answer, "the DS is gone")
    with report.case("switched off, the zone and its delegation go; switched on, they are back"):
        leaf.options["registry"]["discover"] = False
        leaf.write_config()
        leaf.run("reload")
        eventually("no delegation", lambda: leaf.ask(name, "NS").rcode() == dns.rcode.NXDOMAIN)
        require(not leaf.ask(name, "DS").answer, "a DS is left")
        leaf.options["registry"]["discover"] = True
        leaf.write_config()
        leaf.run("reload")
        eventually("a delegation", lambda: leaf.ask(name, "DS").answer)
        eventually("an answer", lambda: chain_of(leaf.ask(discover(TERMS[LEAF], LEAF), "PTR"))[1])


def check_unsigned(report, folder):
    with report.case("of an unsigned zone it is unsigned, delegated without DS"):
        with Node(LEAF, folder, dnssec=False) as node:
            name = f"_discover._agents.{LEAF}"
            eventually("NS", lambda: node.ask(name, "NS").answer)
            require(not node.ask(name, "DS").answer, "a DS")
            reply = node.ask(discover("nobody", LEAF), "PTR")
            require(len(reply.answer) == 1 and reply.answer[0].rdtype == dns.rdatatype.CNAME, reply)
            require(chain_of(node.ask(discover(TERMS[LEAF], LEAF), "PTR"))[1], "no answer")


def run(report, only):
    with tempfile.TemporaryDirectory(prefix="steward-climb-") as folder:
        nodes = {}
        try:
            below = []
            for zone in (LEAF, COM, APEX):
                nodes[zone] = Node(zone, folder, below)
                nodes[zone].start()
                eventually("the delegation", lambda z=zone: nodes[z].ask(f"_discover._agents.{z}", "DS").answer)
                below = nodes[zone].delegation()
            nodes["."] = Node(".", folder, below, registry=False)
            nodes["."].start()
            anchors = nodes[APEX].ds()
            if not only or "wire" in only:
                check_wire(report, nodes)
            for kind, make in (("unbound", lambda: Unbound({APEX: f"{ADDRESS[APEX]}"}, anchors, addresses=["127.0.0.1"])),
                               ("named", lambda: Named(anchors)), ("kresd", lambda: Kresd(nodes["."].ds()))):
                if only and kind not in only:
                    continue
                if servers.find_program(kind) is None:
                    with report.case(f"{kind}: climbs"):
                        raise Skipped(f"{kind} is not installed")
                    continue
                with make() as resolver:
                    climbs(report, resolver)
            if not only or "life" in only:
                check_life(report, nodes)
                nodes[LEAF].stop()
                check_unsigned(report, folder)
        finally:
            for node in nodes.values():
                node.__exit__()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", help="wire, unbound, named, kresd or life")
    arguments = parser.parse_args()
    report = Report("discover_climb")
    return namespaces.at_port_53(report, ADDRESS[APEX], "climbs", lambda: run(report, arguments.only))


if __name__ == "__main__":
    sys.exit(main())
