"""A registry of ours with the zone acme-corp.com, which publishers send their UPDATEs to, and what it serves of an agent."""

import json

import dns.message
import dns.query
import dns.rdatatype
import yaml

import peers
import servers

ZONE = "acme-corp.com.steward-registry.org."
LOOPBACK = "127.0.0.1"
ROWS = ["SRV 0 0 443 agents.acme-corp.com.", 'SVCB 1 agents.acme-corp.com. alpn="a2a,h2" port=443 key65402="a2a"']
HEAD = """$ORIGIN {zone}
$TTL 300
@ 60 SOA ns1 hostmaster {serial} 3600 600 604800 60
@ NS ns1
ns1 A 127.0.0.1
_schema._agents TXT "v=steward1"
host A 192.0.2.1
"""
KEY = ("update.", "Iv3MA1ZK14F9zGYudy8xtfB8JUrMetqYs1HTRo/2L0o=")


class Registry(peers.Ours):
    """A registry with one zone."""

    def __init__(self, file, secondary=None, registry=(), **arguments):
        options = {"allow-transfer": ["127.0.0.0/8"],
                   "allow-update": [{"key": KEY[0], "names": ["explicit." + ZONE]}, {"key": KEY[0]}]}
        if secondary is not None:
            options["notify"] = [f"{LOOPBACK}@{secondary}"]
        self.registry = {"namespace": "acme-corp.com", "lease": {"min": "30s"}, **dict(registry)}
        super().__init__([servers.Zone(ZONE, file, dnssec=True, options=options)], addresses=[LOOPBACK],
                         options={"keys": [{"name": KEY[0], "algorithm": "hmac-sha256", "secret": KEY[1]}]}, **arguments)

    def write_config(self):
        super().write_config()
        config = yaml.safe_load(self.config_path.read_text())
        config["registry"] = self.registry
        self.config_path.write_text(yaml.safe_dump(config, sort_keys=False))

    def ask(self, name, rdtype):
        query = dns.message.make_query(name, rdtype, want_dnssec=True)
        return dns.query.tcp(query, LOOPBACK, port=self.port, timeout=3)

    def json(self, *words):
        lines = [json.loads(line) for line in self.run(*words, "--json").stdout.splitlines()]
        return lines[0] if len(lines) == 1 else lines

    def entry(self, agent):
        return self.json("agent", "show", agent)

    def crash(self):
        self.kill()
        self.start()


def rrset(reply, name, rdtype):
    for found in reply.answer:
        if found.name.to_text() == name and found.rdtype == dns.rdatatype.from_text(rdtype):
            return found
    return None


def is_signed(reply):
    return any(found.rdtype == dns.rdatatype.RRSIG for found in reply.answer)


def served_statement(server, agent):
    """The strings of the publisher's statement as it is served, or None."""
    found = rrset(server.ask(agent, "TXT"), agent, "TXT")
    return [bytes(text) for text in found[0].strings] if found else None
