#!/usr/bin/python3
"""Finds the sample agents as strangers do: by DNS service discovery over unicast DNS (RFC 6763) and by the DNS-AID index.

    dns_sd.py [--server ours|knot]

The browser is of this file, over dnspython, and knows nothing of STEWARD: from the domain alone it comes to types, instances, hosts and
ports. Debian 12 has no other that can: avahi-browse asks its daemon on port 5353 and the system's resolver, and mDNSResponder's dns-sd is
not packaged.
"""

import argparse
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]

import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype

import servers
from report import Report, require

ZONE = "vibe-agency.com.steward-registry.org."
FILE = servers.ROOT / "zones" / "vibe-agency.com.steward-registry.org.zone"
PROTOCOLS = {"vibe-agency-orchestrator": ["a2a"], "vibe-agency-coder": ["a2a", "mcp"], "vibe-agency-deployer": ["mcp"]}
CAPABILITIES = {"vibe-agency-orchestrator": {"orchestrate_sdlc", "plan"}, "vibe-agency-coder": {"generate_code", "review_code"},
                "vibe-agency-deployer": {"deploy", "rollback"}}
MOST_BROWSED = 64


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


def instance_name(agent, protocol):
    return dns.name.from_text(f"{agent}._{protocol}._tcp.{ZONE}")


def check_browsing(report, browser):
    domain = dns.name.from_text(ZONE)
    services = [dns.name.from_text(f"_{protocol}._tcp.{ZONE}") for protocol in ("a2a", "mcp")]
    with report.case("the domain says that it is one to browse, also for those who were told nothing else [RFC 6763 §11]"):
        for kind in ("b", "lb"):
            require(browser.domains(ZONE, kind) == [domain], f"{kind}: {browser.domains(ZONE, kind)}")
    with report.case("its types are enumerated [RFC 6763 §9]"):
        require(sorted(browser.types(domain)) == services, browser.types(domain))
    with report.case("each type lists its instances, at most 64, and every agent is among them [RFC 6763 §4.1]"):
        for service in browser.types(domain):
            protocol = service.labels[0].decode()[1:]
            listed = browser.instances(service)
            wanted = {instance_name(agent, protocol) for agent, protocols in PROTOCOLS.items() if protocol in protocols}
            require(len(listed) <= MOST_BROWSED and set(listed) == wanted, f"{service}: {listed}")
    with report.case("an instance has one SRV to connect to and a TXT that keeps the rules [RFC 6763 §5, §6]"):
        for agent, protocols in PROTOCOLS.items():
            for protocol in protocols:
                places, attributes = browser.resolve(instance_name(agent, protocol))
                require(places == [(dns.name.from_text("agents.vibe-agency.com."), 443)], places)
                require(attributes["agent"] == f"{agent}.{ZONE.rstrip('.')}", attributes)
                require(set(attributes["capabilities"].split(",")) == CAPABILITIES[agent], attributes)
    with report.case("an agent is found by each capability as a subtype, and by no other [RFC 6763 §7.1]"):
        words = sorted(set().union(*CAPABILITIES.values()))
        for service in services:
            protocol = service.labels[0].decode()[1:]
            for word in words:
                wanted = {instance_name(agent, protocol) for agent, protocols in PROTOCOLS.items()
                          if protocol in protocols and word in CAPABILITIES[agent]}
                require(set(browser.subtype(service, word)) == wanted, f"{word} {service}: {browser.subtype(service, word)}")
    with report.case("a type and a subtype that nobody has are empty, not errors"):
        require(browser.instances(dns.name.from_text(f"_ipp._tcp.{ZONE}")) == [], "printers")
        require(browser.subtype(services[0], "sing") == [], "a capability that nobody has")


def svcb_rows(browser, owner):
    return [(rdata.priority, rdata.target, rdata.params) for rdata in browser.ask(owner, "SVCB")]


def check_dns_aid(report, browser):
    with report.case("the DNS-AID index is one string of at most 255 octets that names each agent once"):
        texts = browser.ask(f"_index._agents.{ZONE}", "TXT")
        require(len(texts) == 1 and len(texts[0].strings) == 1 and len(texts[0].strings[0]) <= 255, texts)
        key, _, entries = texts[0].strings[0].decode().partition("=")
        listed = [tuple(entry.split(":")) for entry in entries.split(",")]
        require(key == "agents" and dict(listed) == {agent: protocols[0] for agent, protocols in PROTOCOLS.items()}, listed)
        require(len(listed) == len(PROTOCOLS), listed)
    with report.case("each agent of the index has SVCB rows as DNS-AID wants them, answered in ascending priority"):
        for agent, protocols in PROTOCOLS.items():
            rows = svcb_rows(browser, f"{agent}.{ZONE}")
            priorities = [priority for priority, _, _ in rows]
            require(priorities == sorted(set(priorities)) and priorities[0] > 0, f"{agent}: priorities {priorities}")
            first = [params[1].ids[0].decode() for _, _, params in rows]  # SvcParamKey 1: alpn
            require(first == protocols, f"{agent}: alpn {first}")
            for _, target, params in rows:
                require(target == dns.name.from_text("agents.vibe-agency.com.") and params[3].port == 443, f"{agent}: {target}")
                require(all(65280 <= key <= 65534 or key < 10 for key in params), f"{agent}: keys {list(params)}")
                mandatory = params.get(0)
                require(mandatory is None or all(key < 65280 for key in mandatory.keys), f"{agent}: a private key is mandatory")
    with report.case("rows keep their order, whoever asks how often: they are not rotated"):
        answers = {tuple(row[0] for row in svcb_rows(browser, f"vibe-agency-coder.{ZONE}")) for _ in range(20)}
        require(answers == {(1, 2)}, answers)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", choices=["ours", "knot"], default="ours")
    arguments = parser.parse_args()
    report = Report("dns-sd")
    with servers.start(arguments.server, [servers.Zone(ZONE, FILE)], addresses=["127.0.0.1"]) as server:
        browser = Browser(server)
        check_browsing(report, browser)
        check_dns_aid(report, browser)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
