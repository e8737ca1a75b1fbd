#!/usr/bin/python3
"""A registry that resolves for its own clients (registry.yaml(5), `resolver`): what lies below the apex, validated, and nothing else.

    resolver_role.py

Root, com and vibe-agency.com at addresses of their own and port 53, as root or in a network namespace; vibe-agency.com has the resolver.
"""

import json
import pathlib
import socket
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "support")]

import dns.edns
import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype

import namespaces
import peers
import servers
from registry import eventually
from report import Report, require

APEX = "steward-registry.org."
COM = f"com.{APEX}"
LEAF = f"vibe-agency.com.{APEX}"
LOST = f"lost.com.{APEX}"  # delegated to an address where nobody is
FORGED = f"forged.com.{APEX}"  # signed with other keys than its DS says; beside com
ADDRESS = {APEX: "127.53.44.1", COM: "127.53.44.2", LEAF: "127.53.44.3", LOST: "127.53.44.9"}
NAMESPACE = {APEX: ".", COM: "com", LEAF: "vibe-agency.com"}
CLIENT, STRANGER = "127.53.44.20", "127.53.45.20"  # the latter is not in `allow`
BOGUS, NO_AUTHORITY = 6, 22  # RFC 8914


def zone_text(zone, more=()):
    head = [f"$ORIGIN {zone}", "$TTL 60", "@ 60 SOA ns1 hostmaster 1 3600 600 604800 60", "@ NS ns1", f"ns1 A {ADDRESS[zone]}"]
    if zone == APEX:
        head += ['guide._find._agents 60 TXT "v=steward-find1" "n=1"', "guide._find._agents 60 PTR guide.example.net",
                 "out CNAME www.example.com.", "many TXT " + " ".join(f'"{number:0200}"' for number in range(10))]
    return "\n".join([*head, *more]) + "\n"


class Node(peers.Ours):
    """A registry at its address."""

    def __init__(self, zone, folder, more=(), options=None, beside=()):
        folder = pathlib.Path(folder)
        self.file = folder / f"{zone}zone"
        self.file.write_text(zone_text(zone, more))
        for name in beside:
            (folder / f"{name}zone").write_text(f"$ORIGIN {name}\n$TTL 60\n@ SOA ns1.{zone} h 1 3600 600 604800 60\n@ NS ns1.{zone}\nhost A 192.0.2.1\n")
        zones = [servers.Zone(name, folder / f"{name}zone", True) for name in (zone, *beside)]
        registry = {"namespace": NAMESPACE[zone], **(options or {}).pop("registry", {})}
        super().__init__(zones, addresses=[ADDRESS[zone]], options={"registry": registry, **(options or {})})
        self.port = 53

    def ds(self):
        keys = json.loads(self.run("zone", "keys", self.zones[0].name, "--json").stdout)
        return [line for key in keys["keys"] for line in key["ds"]]

    def delegation(self):
        zone = self.zones[0].name
        return [f"{zone} NS ns1.{zone}", f"ns1.{zone} A {ADDRESS[zone]}", *self.ds()]


def ask(name, rdtype, source=CLIENT, rd=True, do=True, tcp=True, cookie=None):
    query = dns.message.make_query(name, rdtype, want_dnssec=do, payload=1232)
    query.flags = (query.flags | dns.flags.AD) if rd else 0
    send = dns.query.tcp if tcp else dns.query.udp
    return send(query, ADDRESS[LEAF], port=53, source=source, timeout=15)


def extended_error(reply):
    return next((option.code for option in reply.options if isinstance(option, dns.edns.EDEOption)), None)


def resolver_figures(leaf):
    return json.loads(leaf.run("status", "--json").stdout)["resolver"]


def resolves(report, leaf):
    with report.case("a name of another registry is resolved from the root down, and proved: AD"):
        for name in (f"ns1.{COM}", f"ns1.{APEX}"):
            reply = ask(name, "A")
            require(reply.rcode() == dns.rcode.NOERROR and reply.answer and reply.flags & dns.flags.RA, reply)
            require(reply.flags & dns.flags.AD and not reply.flags & dns.flags.AA, reply)
            require(any(rrset.rdtype == dns.rdatatype.RRSIG for rrset in reply.answer), reply)
    with report.case("without DO the proofs stay away, and who does not ask is not told AD"):
        reply = ask(f"ns1.{COM}", "A", do=False)
        require(reply.flags & dns.flags.AD and len(reply.answer) == 1 and not reply.authority, reply)
    with report.case("a name that is not there is denied with the proof"):
        reply = ask(f"nobody.{COM}", "TXT")
        require(reply.rcode() == dns.rcode.NXDOMAIN and reply.flags & dns.flags.AD and reply.authority, reply)
    with report.case("its own zone it answers with authority, and says that more is to be had"):
        reply = ask(f"ns1.{LEAF}", "A")
        require(reply.answer and reply.flags & dns.flags.AA and reply.flags & dns.flags.RA, reply)
    with report.case("a term climbs from its own zone to the root in one answer, validated"):
        reply = ask(f"guide._discover._agents.{LEAF}", "PTR")
        require(reply.flags & dns.flags.AD and not reply.flags & dns.flags.AA, reply)
        require(sum(rrset.rdtype == dns.rdatatype.CNAME for rrset in reply.answer) == 2, reply)
        require(any(rrset.rdtype == dns.rdatatype.PTR for rrset in reply.answer), reply)
    with report.case("the DS of its own zone is had from its parent"):
        reply = ask(LEAF, "DS")
        require(reply.flags & dns.flags.AD and reply.answer, reply)
    with report.case("what does not fit over UDP is truncated, and whole over TCP"):
        require(ask(f"many.{APEX}", "TXT", tcp=False).flags & dns.flags.TC, "no TC")
        require(len(ask(f"many.{APEX}", "TXT").answer[0]) == 1, "not whole")
    with report.case("status counts what was proved"):
        figures = resolver_figures(leaf)
        require(figures["secure"] >= 6 and figures["under_way"] == 0 and figures["bogus"] == 0, str(figures))


def refuses(report):
    with report.case("outside of the apex all is refused, whoever asks"):
        for name in ("www.example.com.", ".", "org.", f"x{APEX}"):
            reply = ask(name, "A")
            require(reply.rcode() == dns.rcode.REFUSED and not reply.flags & dns.flags.RA, reply)
    with report.case("an alias that leads out of the apex is not followed"):
        reply = ask(f"out.{APEX}", "A")
        names = [rrset.name.to_text() for rrset in reply.answer]
        require(reply.rcode() == dns.rcode.SERVFAIL or all(name.endswith(APEX) for name in names), reply)
        require(not any(rrset.rdtype == dns.rdatatype.A for rrset in reply.answer), reply)
    with report.case("a stranger gets what an authoritative server says"):
        reply = ask(f"ns1.{COM}", "A", source=STRANGER)
        require(reply.rcode() == dns.rcode.REFUSED and not reply.flags & dns.flags.RA, reply)
        require(ask(f"ns1.{LEAF}", "A", source=STRANGER).answer, "no answer from its own zone")
    with report.case("and so does a client who does not ask for more"):
        require(ask(f"ns1.{COM}", "A", rd=False).rcode() == dns.rcode.REFUSED, "resolved without RD")
        reply = ask(f"guide._discover._agents.{LEAF}", "PTR", rd=False)
        require(reply.flags & dns.flags.AA and len(reply.answer) == 2, reply)  # CNAME and its RRSIG


def fails(report, leaf):
    with report.case("a registry that is silent costs its time and no more: SERVFAIL, no reachable authority"):
        reply = ask(f"agent.{LOST}", "TXT")
        require(reply.rcode() == dns.rcode.SERVFAIL and extended_error(reply) == NO_AUTHORITY, reply)
    with report.case("what is signed with other keys than the parent says is bogus: SERVFAIL, and why"):
        reply = ask(f"host.{FORGED}", "A")
        require(reply.rcode() == dns.rcode.SERVFAIL and extended_error(reply) == BOGUS and not reply.answer, reply)
        require("resolver.bogus" in leaf.log_text() and resolver_figures(leaf)["bogus"] == 1, leaf.log_tail(5))


def limits(report, folder, anchor):
    with report.case("over the limit of a client it is told so at once"):
        options = resolver_options(folder, {"max-client-queries": 1, "timeout": "2s"})
        with Node(LEAF, folder, options=options):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as waiting:
                waiting.bind((CLIENT, 0))
                waiting.sendto(dns.message.make_query(f"a.{LOST}", "TXT").to_wire(), (ADDRESS[LEAF], 53))
                eventually("one under way", lambda: ask(f"b.{LOST}", "TXT").rcode() == dns.rcode.SERVFAIL, 10)
                waiting.settimeout(10)
                reply = dns.message.from_wire(waiting.recv(4096))
                require(reply.rcode() == dns.rcode.SERVFAIL, reply)
    with report.case("a trust anchor that cannot be read stops the start"):
        anchor.write_text("nonsense\n")
        node = Node(LEAF, folder, options=resolver_options(folder, {}))
        node.start(wait=False)
        require(node.process.wait(20) != 0 and str(anchor) in node.log_text(), node.log_tail(5))
        node.__exit__()


def resolver_options(folder, more):
    registry = {"root": [f"{ADDRESS[APEX]}@53"], "trust-anchor": str(pathlib.Path(folder) / "root.ds")}
    return {"registry": registry, "resolver": {"allow": ["127.53.44.0/24", "::1"], **more}}


def run(report):
    with tempfile.TemporaryDirectory(prefix="steward-resolver-") as name:
        anchor = pathlib.Path(name) / "root.ds"
        anchor.write_text(f"{APEX} DS 1 13 2 {'ab' * 32}\n")  # until the root registry has made its keys
        nodes = {}
        try:
            lost = [f"{LOST} NS ns1.{LOST}", f"ns1.{LOST} A {ADDRESS[LOST]}"]
            nodes[LEAF] = Node(LEAF, name, options=resolver_options(name, {"timeout": "3s"}))
            nodes[LEAF].start()
            forged = [f"{FORGED} NS ns1.{COM}", f"{FORGED} DS 1 13 2 {'ab' * 32}"]
            nodes[COM] = Node(COM, name, [*nodes[LEAF].delegation(), *lost, *forged], beside=[FORGED])
            nodes[COM].start()
            nodes[APEX] = Node(APEX, name, nodes[COM].delegation())
            nodes[APEX].start()
            anchor.write_text("\n".join(nodes[APEX].ds()) + "\n")
            nodes[LEAF].stop()
            nodes[LEAF].start()
            for zone in (LEAF, COM, APEX):
                eventually("the delegation of _discover",
                           lambda z=zone: dns.query.udp(dns.message.make_query(f"_discover._agents.{z}", "DS"), ADDRESS[z], timeout=5).answer)
            resolves(report, nodes[LEAF])
            refuses(report)
            fails(report, nodes[LEAF])
            nodes[LEAF].stop()
            limits(report, name, anchor)
        finally:
            for node in nodes.values():
                node.__exit__()


def main():
    report = Report("resolver_role")
    return namespaces.at_port_53(report, ADDRESS[APEX], "resolves", lambda: run(report))


if __name__ == "__main__":
    sys.exit(main())
