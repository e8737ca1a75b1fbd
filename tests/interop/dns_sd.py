#!/usr/bin/python3
"""Finds agents as strangers do: by DNS service discovery over unicast DNS (RFC 6763) and by the DNS-AID index. First the
sample agents of a zone file, then agents that `steward publish` has published.

    dns_sd.py [--server ours|knot]

The browser is of this file, over dnspython, and knows nothing of STEWARD: from the domain alone it comes to types, instances, hosts and
ports. Debian 12 has no other that can: avahi-browse asks its daemon on port 5353 and the system's resolver, and mDNSResponder's dns-sd is
not packaged.
"""

import argparse
import pathlib
import sys
import tempfile
from dataclasses import dataclass

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]

import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype

import servers
from publisher import APEX, Publisher, steward_manifest
from registry import Registry
from report import Report, require

ZONE = "vibe-agency.com.steward-registry.org."
FILE = servers.ROOT / "zones" / "vibe-agency.com.steward-registry.org.zone"
MOST_BROWSED = 64
PRIVATE_KEYS = range(65280, 65535)  # SvcParamKeys of private use (RFC 9460 §14.3.1)
LAST_KNOWN_KEY = 9
ALPN_OF_TRANSPORTS = {b"h2", b"h3", b"http/1.1"}


@dataclass
class Agent:
    """What is to be found of an agent: by protocol, in the order of preference, the host and port to connect to."""

    places: dict
    capabilities: set

    @property
    def protocols(self):
        return list(self.places)


@dataclass
class Domain:
    """A namespace and its agents by label."""

    zone: str
    agents: dict

    @property
    def protocols(self):
        return sorted(set().union(*(agent.protocols for agent in self.agents.values())))

    def instance(self, label, protocol):
        return dns.name.from_text(f"{label}._{protocol}._tcp.{self.zone}")

    def instances(self, protocol, word=None):
        return {self.instance(label, protocol) for label, agent in self.agents.items()
                if protocol in agent.protocols and (word is None or word in agent.capabilities)}


SAMPLE_PLACE = ("agents.vibe-agency.com.", 443)
SAMPLE = Domain(ZONE, {
    "vibe-agency-orchestrator": Agent({"a2a": SAMPLE_PLACE}, {"orchestrate_sdlc", "plan"}),
    "vibe-agency-coder": Agent({"a2a": SAMPLE_PLACE, "mcp": SAMPLE_PLACE}, {"generate_code", "review_code"}),
    "vibe-agency-deployer": Agent({"mcp": SAMPLE_PLACE}, {"deploy", "rollback"})})
PUBLISHED = Domain(f"acme-corp.com.{APEX}.", {
    "planner": Agent({"a2a": ("agents.acme-corp.com.", 443)}, {"make_plan"}),
    "translator": Agent({"a2a": ("agents.acme-corp.com.", 8443), "mcp": ("tools.acme-corp.com.", 443)}, {"make_plan", "translate"}),
    "weather": Agent({"mcp": ("tools.acme-corp.com.", 443)}, {"forecast"})})


class Browser:
    def __init__(self, server):
        self.server = server

    def ask(self, owner, rdtype):
        """The RRset's records in the order of the answer; none where there is no such data."""
        query = dns.message.make_query(owner, rdtype)
        reply = dns.query.tcp(query, self.server.address, port=self.server.port, timeout=5)
        require(reply.rcode() in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN), f"{owner} {rdtype}: {dns.rcode.to_text(reply.rcode())}")
        wanted = dns.rdatatype.from_text(rdtype)
        return [rdata for rrset in reply.answer if rrset.rdtype == wanted for rdata in rrset]

    def targets(self, owner):
        return [rdata.target for rdata in self.ask(owner, "PTR")]

    def domains(self, domain, kind):
        return self.targets(dns.name.from_text(f"{kind}._dns-sd._udp", dns.name.from_text(domain)))  # §11

    def types(self, domain):
        return self.targets(dns.name.from_text("_services._dns-sd._udp", domain))  # §9

    def instances(self, service):
        return self.targets(service)  # §4.1

    def subtype(self, service, word):
        return self.targets(dns.name.from_text(f"_{word}._sub", service))  # §7.1

    def resolve(self, instance):
        """[(host, port)], {key: value} (§5, §6)."""
        places = [(rdata.target, rdata.port) for rdata in self.ask(instance, "SRV")]
        texts = self.ask(instance, "TXT")
        require(len(texts) == 1, f"{instance}: {len(texts)} TXT records")
        return places, attributes_of(texts[0].strings)


def attributes_of(strings):
    """RFC 6763 §6.4: the key is printable US-ASCII, is not empty, and counts once, whatever its case."""
    require(strings and strings[0] == b"txtvers=1", f"txtvers does not come first (§6.7): {strings}")
    attributes = {}
    for string in strings:
        key, _, value = string.partition(b"=")
        require(key and all(0x20 <= octet <= 0x7e for octet in key), f"no key in {string}")
        require(key.lower() not in attributes, f"{key} is repeated")
        attributes[key.lower()] = value
    require(sum(len(string) + 1 for string in strings) <= 1300, "longer than 1,300 octets (§6.2)")
    return {key.decode(): value.decode() for key, value in attributes.items()}


def check_browsing(report, browser, expected):
    domain = dns.name.from_text(expected.zone)
    services = {protocol: dns.name.from_text(f"_{protocol}._tcp.{expected.zone}") for protocol in expected.protocols}
    with report.case("the domain says that it is one to browse, also for those who were told nothing else [RFC 6763 §11]"):
        for kind in ("b", "lb"):
            require(browser.domains(expected.zone, kind) == [domain], f"{kind}: {browser.domains(expected.zone, kind)}")
    with report.case("its types are enumerated [RFC 6763 §9]"):
        require(sorted(browser.types(domain)) == sorted(services.values()), browser.types(domain))
    with report.case("each type lists its instances, at most 64, and every agent is among them [RFC 6763 §4.1]"):
        for protocol, service in services.items():
            listed = browser.instances(service)
            require(len(listed) <= MOST_BROWSED and set(listed) == expected.instances(protocol), f"{service}: {listed}")
    with report.case("an instance has one SRV to connect to and a TXT that keeps the rules [RFC 6763 §5, §6]"):
        for label, agent in expected.agents.items():
            for protocol, (host, port) in agent.places.items():
                places, attributes = browser.resolve(expected.instance(label, protocol))
                require(places == [(dns.name.from_text(host), port)], f"{label} {protocol}: {places}")
                require(attributes["agent"] == f"{label}.{expected.zone.rstrip('.')}", attributes)
                require(set(attributes["capabilities"].split(",")) == agent.capabilities, attributes)
    with report.case("an agent is found by each capability as a subtype, and by no other [RFC 6763 §7.1]"):
        words = sorted(set().union(*(agent.capabilities for agent in expected.agents.values())))
        for protocol, service in services.items():
            for word in words:
                found = browser.subtype(service, word)
                require(set(found) == expected.instances(protocol, word), f"{word} {service}: {found}")
    with report.case("a type and a subtype that nobody has are empty, not errors"):
        require(browser.instances(dns.name.from_text(f"_ipp._tcp.{expected.zone}")) == [], "printers")
        require(browser.subtype(services["a2a"], "sing") == [], "a capability that nobody has")


def svcb_rows(browser, owner):
    return [(rdata.priority, rdata.target, rdata.params) for rdata in browser.ask(owner, "SVCB")]


def check_row(label, protocol, place, row):
    """One row of DNS-AID: to connect to, the agent protocol first in `alpn`, nothing that a stranger has to know."""
    _, target, params = row
    alpn = params[1].ids  # SvcParamKey 1
    require(alpn[0].decode() == protocol and set(alpn[1:]) <= ALPN_OF_TRANSPORTS, f"{label}: alpn {alpn}")
    require((target, params[3].port) == (dns.name.from_text(place[0]), place[1]), f"{label}: {target} {params[3].port}")
    require(all(key in PRIVATE_KEYS or key <= LAST_KNOWN_KEY for key in params), f"{label}: keys {list(params)}")
    mandatory = params.get(0)
    require(mandatory is None or not any(key in PRIVATE_KEYS for key in mandatory.keys), f"{label}: a private key is mandatory")


def check_dns_aid(report, browser, expected):
    with report.case("the DNS-AID index is one string of at most 255 octets that names each agent once"):
        texts = browser.ask(f"_index._agents.{expected.zone}", "TXT")
        require(len(texts) == 1 and len(texts[0].strings) == 1 and len(texts[0].strings[0]) <= 255, texts)
        key, _, entries = texts[0].strings[0].decode().partition("=")
        listed = [tuple(entry.split(":")) for entry in entries.split(",")]
        require(key == "agents" and dict(listed) == {label: agent.protocols[0] for label, agent in expected.agents.items()}, listed)
        require(len(listed) == len(expected.agents), listed)
    with report.case("each agent of the index has SVCB rows as DNS-AID wants them, in ascending priority, and no alias among them [RFC 9460 §2.4.1]"):
        for label, agent in expected.agents.items():
            rows = svcb_rows(browser, f"{label}.{expected.zone}")
            priorities = [priority for priority, _, _ in rows]
            require(priorities == sorted(set(priorities)) and priorities[0] > 0, f"{label}: priorities {priorities}")
            require(len(rows) == len(agent.places), f"{label}: {len(rows)} rows")
            for (protocol, place), row in zip(agent.places.items(), rows):
                check_row(label, protocol, place, row)
    with report.case("rows keep their order, whoever asks how often: they are not rotated"):
        label = next(label for label, agent in expected.agents.items() if len(agent.places) > 1)
        answers = {tuple(row[0] for row in svcb_rows(browser, f"{label}.{expected.zone}")) for _ in range(20)}
        require(answers == {(1, 2)}, answers)


def manifest_of(label, agent):
    manifest = steward_manifest(label)
    manifest["credentials"]["mandate"] = []  # which would be a capability of its own
    manifest["capabilities"] = {
        "interfaces": [{"type": "api", "protocol": protocol, "endpoint": f"https://{host.rstrip('.')}:{port}/{protocol}"}
                       for protocol, (host, port) in agent.places.items()],
        "operations": [{"name": word, "description": "does so"} for word in sorted(agent.capabilities)]}
    return manifest


def check_published(report):
    """Agents of a registry whose zone file knows of none."""
    with tempfile.TemporaryDirectory(prefix="steward-dns-sd-") as name:
        folder = pathlib.Path(name)
        file = folder / "zone"
        file.write_text('$TTL 300\n@ SOA ns1 hostmaster 1 3600 600 604800 60\n@ NS ns1\nns1 A 127.0.0.1\n_schema._agents TXT "v=steward1"\n')
        options = {"registry": {"namespace": "acme-corp.com", "custody-key": str(folder / "custody.pem"), "open": True}}
        with Registry([{"name": PUBLISHED.zone.rstrip("."), "file": str(file), "dnssec": True}], options=options) as server:
            browser = Browser(server)
            publisher = Publisher(folder / "home", f"127.0.0.1@{server.port}")
            with report.case("published with `steward publish`: three agents, two of them with one protocol and one with two"):
                publisher.done("keygen")
                for label, agent in PUBLISHED.agents.items():
                    publisher.done("publish", publisher.write(f"{label}.json", manifest_of(label, agent)))
            check_browsing(report, browser, PUBLISHED)
            check_dns_aid(report, browser, PUBLISHED)
            with report.case("once they are withdrawn, the domain is none to browse any more, and the index is empty"):
                for label in PUBLISHED.agents:
                    publisher.done("withdraw", label)
                require(browser.domains(PUBLISHED.zone, "b") == [], "b")
                require(browser.types(dns.name.from_text(PUBLISHED.zone)) == [], "types")
                require(browser.ask(f"_index._agents.{PUBLISHED.zone}", "TXT") == [], "index")
                for label, agent in PUBLISHED.agents.items():
                    require(all(row[0] == 0 for row in svcb_rows(browser, f"{label}.{PUBLISHED.zone}")), label)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", choices=["ours", "knot"], default="ours")
    arguments = parser.parse_args()
    report = Report("dns-sd")
    with servers.start(arguments.server, [servers.Zone(ZONE, FILE)], addresses=["127.0.0.1"]) as server:
        browser = Browser(server)
        check_browsing(report, browser, SAMPLE)
        check_dns_aid(report, browser, SAMPLE)
    if arguments.server == "ours":
        check_published(report)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
