#!/usr/bin/python3
"""2,000 agents of one capability, found page by page over the wire while others come and go: at ours and at stock secondaries, each page whole
and signed in one UDP answer of 1,232 octets.

    finding.py [--agents N]
"""

import argparse
import pathlib
import random
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "support")]

import dns.dnssec
import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype

import publishing
import servers
import transfer_peers
from links import LinkedZone, Remote
from registry import Registry, eventually
from report import Report, Skipped, require
from statement import strings_of, values_of

ZONE = "acme-corp.com.steward-registry.org."
LOOPBACK = "127.0.0.1"
SIZE = 1232
TERM = "plan"
HEAD = "$TTL 300\n@ 60 SOA ns1 hostmaster {serial} 3600 600 604800 60\n@ NS ns1\n@ NS ns2\nns1 A 127.0.0.1\nns2 A 127.0.0.1\n"
SECONDARIES = {"knot": transfer_peers.LinkedKnot, "nsd": transfer_peers.LinkedNsd, "bind": transfer_peers.LinkedBind}


def owner_of(page):
    return (f"_p{page}." if page else "") + f"{TERM}._find._agents.{ZONE}"


def label_of(number):
    return f"agent-{number:05}"


class Client:
    """Asks one server over UDP, knows the zone's keys, and takes nothing that is truncated or not signed."""

    def __init__(self, server, recursive=True):
        self.server, self.recursive = server, recursive
        keys = dns.query.tcp(dns.message.make_query(ZONE, "DNSKEY"), server.address, port=server.port, timeout=5).answer[0]
        self.keys = {keys.name: keys}
        self.largest = 0

    def ask(self, owner, rdtype):
        query = dns.message.make_query(owner, rdtype, want_dnssec=True, payload=SIZE)
        if not self.recursive:
            query.flags &= ~dns.flags.RD
        reply = dns.query.udp(query, self.server.address, port=self.server.port, timeout=5)
        size = len(reply.to_wire())
        self.largest = max(self.largest, size)
        require(not reply.flags & dns.flags.TC, f"{owner} {rdtype}: truncated")
        if not reply.answer:
            return None
        rrset, rrsig = reply.get_rrset(reply.answer, reply.question[0].name, 1, reply.question[0].rdtype), \
            reply.get_rrset(reply.answer, reply.question[0].name, 1, dns.rdatatype.RRSIG, reply.question[0].rdtype)
        require(rrset is not None and rrsig is not None, f"{owner} {rdtype}: not signed")
        dns.dnssec.validate(rrset, rrsig, self.keys)
        return rrset

    def text(self, page):
        found = self.ask(owner_of(page), "TXT")
        return found and {key: value.decode() for key, value in values_of(strings_of(found[0].to_wire())).items()}

    def agents(self, page):
        return {rdata.target.to_text().split(".")[0] for rdata in self.ask(owner_of(page), "PTR") or ()}


def walk(client, between):
    """steward-records(7), "Walking"; `between` is called after each question. The agents, and ids of the pages."""
    found, trail = set(), [("", "")]  # id, and where the page has to begin
    while trail:
        page, begins = trail[-1]
        text = client.text(page)
        between()
        while text is not None:
            listed = client.agents(page)
            between()
            again = client.text(page)
            between()
            if again == text:
                break
            text = again
        if text is None:
            trail.pop()
            continue
        require(text["from"] == begins, f"page {page} begins at {text['from']}, not {begins}")
        found |= listed
        if not text["next"]:
            require(text["to"] == "", f"the last page ends at {text['to']}")
            return found, [page for page, _ in trail]
        trail.append((text["next"], text["to"]))
    return found, []


def write_zone(path, key, serial, numbers):
    lines = [HEAD.format(serial=serial)]
    for number in numbers:
        name = f"{label_of(number)}.{ZONE}"
        lines.append(f"{name} {publishing.text_of(publishing.make_statement(name, key, '1.0.0', []))}\n{name} {key.record}\n")
    path.write_text("".join(lines))


def stock(kind, server):
    zone = LinkedZone(ZONE, "/dev/null", primaries=[Remote(server.address, server.port)])
    return SECONDARIES[kind]([zone])


def at_secondary(report, server, kind, pages):
    with report.case(f"{kind}, as a secondary, serves each page whole in one UDP answer, asked by clients and by resolvers"):
        if not servers.find_program(SECONDARIES[kind].program):
            raise Skipped(f"no {SECONDARIES[kind].program}")
        serial = transfer_peers.serial_at(server, ZONE)
        with stock(kind, server) as secondary:
            eventually(f"the zone with {serial}", lambda: transfer_peers.serial_at(secondary, ZONE) == serial, 20)
            for recursive in (True, False):
                client = Client(secondary, recursive)
                for page in pages:
                    require(client.text(page) is not None and client.agents(page), f"{owner_of(page)}: nothing")
                print(f"        {len(pages)} pages, RD={int(recursive)}: {client.largest} octets at most")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--agents", type=int, default=2000)
    agents = parser.parse_args().agents
    report = Report("finding")
    chance = random.Random(11)
    with tempfile.TemporaryDirectory(prefix="steward-finding-") as name:
        folder = pathlib.Path(name)
        key = publishing.Key(folder / "key", label_of(0) + "." + ZONE)
        # Pages split in halves while every second comes in order; the others then fill them.
        numbers = [number for number in range(agents) if number % 16 != 15]
        write_zone(folder / "zone", key, 1, numbers[::2])
        entry = {"name": ZONE.rstrip("."), "file": str(folder / "zone"), "dnssec": True, "allow-transfer": ["127.0.0.0/8"]}
        with Registry([entry], options={"registry": {"namespace": "acme-corp.com"}}) as server:
            server.wait_ready()
            eventually("the zone", lambda: transfer_peers.serial_at(server, ZONE) is not None)
            client = Client(server)
            with report.case(f"{len(numbers)} agents of one capability are found, page after page, each whole and signed in {SIZE} octets"):
                eventually("found", lambda: client.text("") is not None)
                write_zone(folder / "zone", key, 2, numbers)
                server.run("zone", "reload", ZONE)
                found, pages = walk(client, lambda: None)
                require(found == set(map(label_of, numbers)), f"{len(found)} of {len(numbers)}")
                require(abs(int(client.text("")["n"]) - len(numbers)) <= len(numbers) // 8, client.text(""))
                print(f"        {len(pages)} pages, {client.largest} octets at most")
            gone = set()

            def disturb():
                """Now and then one of every second is suspended, comes back, or is trusted more."""
                if chance.random() > 0.15:
                    return
                label = label_of(chance.choice(numbers[1::2]))
                if label in gone:
                    server.run("agent", "restore", label)
                    gone.discard(label)
                elif chance.random() < 0.6:
                    server.run("agent", "suspend", label, "--reason", "a test")
                    gone.add(label)
                else:
                    server.run("agent", "attest", label, "tests", f"{chance.random():.2f}")

            with report.case("none that stays is missed while others are suspended, come back and change their trust"):
                found, _ = walk(client, disturb)
                missed = [label_of(number) for number in numbers[::2] if label_of(number) not in found]
                require(not missed, f"{len(missed)} missed: {missed[:5]}")
            _, pages = walk(client, lambda: None)
            for kind in SECONDARIES:
                at_secondary(report, server, kind, pages)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
