#!/usr/bin/python3
"""Writes zones/vibe-agency.com.steward-registry.org.zone: a registry's zone with three sample agents.

    tools/make_sample_zone.py [--check | --output FILE | --vectors]

The same bytes every time: dates are fixed, and the publisher's key is a TEST KEY that everybody knows, the Ed25519 key
whose seed (RFC 8032 §5.1.5) is the SHA-256 of "steward sample agents". Nothing that it signs proves anything.
Names, statements and signatures are as steward-records(7) says, written here independently of the server. `--check`
compares with the file in zones/ and writes nothing. `--vectors` prints the records of a rotation and of a tombstone that are test
vectors of steward-records(7).
"""

import argparse
import base64
import hashlib
import json
import pathlib
import struct
import sys

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

ROOT = pathlib.Path(__file__).resolve().parents[1]
APEX = "steward-registry.org."
NAMESPACE = "vibe-agency.com"
ZONE = f"{NAMESPACE}.{APEX}"
REGISTRY_ID = "com.vibe-agency"
SERIAL = 2025112101
MODIFIED = "2025-11-21T13:00:00Z"
TARGET = "agents.vibe-agency.com."
TEST_KEY = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"steward sample agents").digest())
SECOND_KEY = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"steward sample agents, second key").digest())
SRV, SVCB = 33, 64

AGENTS = [
    {"name": "vibe-agency-orchestrator", "version": "1.4.2", "trust": "0.94", "protocols": ["a2a"],
     "capabilities": ["orchestrate_sdlc", "plan"], "desc": "Orchestrates the software life cycle from plan to release"},
    {"name": "vibe-agency-coder", "version": "0.9.0", "trust": "0.91", "protocols": ["a2a", "mcp"],
     "capabilities": ["generate_code", "review_code"], "desc": "Writes and reviews code to a plan"},
    {"name": "vibe-agency-deployer", "version": "2.0.1", "trust": "0.88", "protocols": ["mcp"],
     "capabilities": ["deploy", "rollback"], "desc": "Deploys releases, and takes them back"},
]


# Wire forms


def wire_name(name):
    """Lower-case, uncompressed (RFC 4034 §6.2)."""
    labels = [label.encode().lower() for label in name.rstrip(".").split(".") if label]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def character_string(text):
    octets = text.encode()
    if len(octets) > 255:
        raise ValueError(f"a string of {len(octets)} octets: {text[:40]}…")
    return bytes([len(octets)]) + octets


def srv_rdata(priority, weight, port, target):
    return struct.pack("!HHH", priority, weight, port) + wire_name(target)


def svc_param(key, value):
    return struct.pack("!HH", key, len(value)) + value


def svcb_rdata(priority, target, parameters):
    """RFC 9460 §2.2: SvcParams in ascending order of their keys."""
    return struct.pack("!H", priority) + wire_name(target) + b"".join(svc_param(*pair) for pair in sorted(parameters))


def base64url(octets):
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


# Statements


def endpoint_digest(rows):
    """`ep`: SHA-256 over type, RDLENGTH and RDATA of the SRV and SVCB rows, sorted by type, then RDATA."""
    digest = hashlib.sha256()
    for rdtype, rdata in sorted(rows):
        digest.update(struct.pack("!HH", rdtype, len(rdata)) + rdata)
    return "sha256:" + digest.hexdigest()


def fingerprint(key):
    spki = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return "sha256:" + hashlib.sha256(spki).hexdigest()


def signature(context, owner, strings, key):
    """Over the context, a zero octet, the owner, and the strings with their length octets."""
    return base64url(key.sign(context + b"\0" + wire_name(owner) + b"".join(map(character_string, strings))))


def sign_statement(owner, strings, key):
    """The `sig=` string."""
    return "sig=" + signature(b"steward-statement-v1", owner, strings, key)


def rotation_of(owner, number, old_key, new_key, modified):
    """The strings of a `_keys` record."""
    strings = ["v=steward-rotate1", f"n={number}", f"old={fingerprint(old_key)}", f"new={fingerprint(new_key)}",
               f"modified={modified}"]
    return strings + [f"sig-{name}={signature(b'steward-rotate-v1', owner, strings, key)}"
                      for name, key in (("old", old_key), ("new", new_key))]


# The zone's text


def quote(text):
    """A character-string in master file form: printable ASCII as it is, other octets as \\DDD (RFC 1035 §5.1)."""
    octets = text if isinstance(text, bytes) else text.encode()
    return '"' + "".join(f"\\{chr(octet)}" if octet in b'"\\' else chr(octet) if 32 <= octet < 127 else f"\\{octet:03d}"
                         for octet in octets) + '"'


def txt_lines(owner, strings, ttl=300):
    """One TXT record, a string a line if there are several."""
    if len(strings) == 1:
        return [f"{owner} {ttl} TXT {quote(strings[0])}"]
    return [f"{owner} {ttl} TXT (", *(f"    {quote(text)}" for text in strings), "    )"]


def manifest_of(agent):
    """The manifest's exact bytes: what `digest` is made of and `_manifest` holds."""
    if "manifest" in agent:
        return agent["manifest"]
    return json.dumps({"agent": {"id": agent["name"], "version": agent["version"], "status": "active"},
                       "capabilities": agent["capabilities"], "description": agent["desc"],
                       "protocols": agent["protocols"]}, separators=(",", ":")).encode()


def endpoint_rows(agent):
    """[(type, RDATA, text)] of an agent: one SRV, and one SVCB a protocol with priorities of their own."""
    digest = base64url(hashlib.sha256(manifest_of(agent)).digest())
    if not agent["protocols"]:
        return []  # served by no network endpoint, and still found and verified
    rows = [(SRV, srv_rdata(0, 0, 443, TARGET), f"SRV 0 0 443 {TARGET}")]
    for priority, protocol in enumerate(agent["protocols"], 1):
        alpn = character_string(protocol) + character_string("h2")
        parameters = [(1, alpn), (3, struct.pack("!H", 443)), (65401, digest.encode()), (65402, protocol.encode())]
        rows.append((SVCB, svcb_rdata(priority, TARGET, parameters),
                     f'SVCB {priority} {TARGET} alpn="{protocol},h2" port=443 key65401="{digest}" '
                     f'key65402="{protocol}"'))
    return rows


def value_strings(key, text):
    """`key=value`, gone on under the same key where it does not fit in 255 octets. Cut between characters."""
    strings, part = [], ""
    for char in text:
        if len(f"{key}={part}{char}".encode()) > 255:
            strings.append(f"{key}={part}")
            part = ""
        part += char
    return [*strings, f"{key}={part}"]


def statement_of(agent, rows):
    owner = f"{agent['name']}.{ZONE}"
    strings = ["v=steward1", f"version={agent['version']}", *value_strings("capabilities",
                                                                           ",".join(agent["capabilities"])),
               "status=active",
               f"fp={fingerprint(TEST_KEY)}", f"modified={MODIFIED}",
               f"manifest=dns:_manifest.{owner.rstrip('.')}?type=TXT",
               "digest=sha256:" + hashlib.sha256(manifest_of(agent)).hexdigest(),
               f"ep={endpoint_digest([(rdtype, rdata) for rdtype, rdata, _ in rows])}",
               *value_strings("desc", agent["desc"])]
    return strings + [sign_statement(owner, strings, TEST_KEY)]


def key_line(name, key):
    return f"{name} 300 KEY 512 3 15 " + base64.b64encode(
        key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()


def vector_lines(agent):
    """The agent's key is changed on the next day, and the agent revoked on the day after: records as they then stand."""
    name, owner = agent["name"], f"{agent['name']}.{ZONE}"
    rows = [(SRV, srv_rdata(0, 0, 0, ""), "SRV 0 0 0 ."), (SVCB, svcb_rdata(0, "", []), "SVCB 0 .")]
    rotation = rotation_of(owner, 1, TEST_KEY, SECOND_KEY, "2025-11-22T13:00:00Z")
    strings = ["v=steward1", f"version={agent['version']}", "status=revoked", "reason=its host was broken into",
               f"fp={fingerprint(SECOND_KEY)}", "modified=2025-11-23T13:00:00Z",
               f"ep={endpoint_digest([(rdtype, rdata) for rdtype, rdata, _ in rows])}",
               *value_strings("desc", agent["desc"])]
    return [f"$ORIGIN {ZONE}", *txt_lines(f"_keys.{name}", rotation),
            *txt_lines(name, [*strings, sign_statement(owner, strings, SECOND_KEY)]),
            *(f"{name} 300 {text}" for _, _, text in rows), key_line(name, SECOND_KEY)]


def agent_lines(agent):
    name, rows = agent["name"], endpoint_rows(agent)
    manifest = manifest_of(agent)
    lines = ["", f"; {name}", *txt_lines(name, statement_of(agent, rows))]
    lines += [f"{name} 300 {text}" for _, _, text in rows]
    lines += [key_line(name, TEST_KEY)]
    lines += txt_lines(f"_manifest.{name}", [manifest[start:start + 255] for start in range(0, len(manifest), 255)])
    lines += txt_lines(f"_registry.{name}", ["v=steward-registry1", f"registry={REGISTRY_ID}",
                                             f"trust={agent['trust']}",
                                             "vc=main:1", "status=active"])
    return lines


def service_lines(agents):
    """DNS-SD (RFC 6763): instances, browsing by protocol and by capability."""
    lines = ["", "; DNS-SD (RFC 6763), derived"]
    services = sorted({protocol for agent in agents for protocol in agent["protocols"]})
    for protocol in services:
        service = f"_{protocol}._tcp"
        members = [agent for agent in agents if protocol in agent["protocols"]]
        lines += [f"{service} 300 PTR {agent['name']}.{service}" for agent in members]
        for agent in members:
            lines += [f"_{capability}._sub.{service} 300 PTR {agent['name']}.{service}"
                      for capability in agent["capabilities"]]
        for agent in members:
            instance = f"{agent['name']}.{service}"
            lines.append(f"{instance} 300 SRV 0 0 443 {TARGET}")
            lines += txt_lines(instance, ["txtvers=1", f"agent={agent['name']}.{ZONE.rstrip('.')}",
                                          f"version={agent['version']}",
                                          "capabilities=" + ",".join(agent["capabilities"])])
    lines += [f"_services._dns-sd._udp 300 PTR _{protocol}._tcp" for protocol in services]
    return lines + [f"{label}._dns-sd._udp 300 PTR @" for label in ("b", "lb")]


def zone_text(agents):
    index = ",".join(f"{agent['name']}:{agent['protocols'][0]}" for agent in agents if agent["protocols"])
    lines = [f"; The registry of {NAMESPACE}: three sample agents, as steward-records(7) describes them.",
             "; Written by tools/make_sample_zone.py; the publisher's key is a test key that everybody knows.",
             f"$ORIGIN {ZONE}", "$TTL 300",
             f"@ 60 SOA ns1 hostmaster {SERIAL} 3600 600 604800 60",
             "@ 300 NS ns1", "ns1 300 A 127.0.0.1", "",
             "; What this registry is",
             *txt_lines("_schema._agents", ["v=steward1"]),
             *txt_lines("_registry._agents", ["v=steward-registry1", f"id={REGISTRY_ID}",
                                              f"parent=com.{APEX.rstrip('.')}"]),
             *txt_lines("_index._agents", [f"agents={index}"])]
    for agent in agents:
        lines += agent_lines(agent)
    return "\n".join(lines + service_lines(agents)) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="fail if the file in zones/ is another")
    parser.add_argument("--output", type=pathlib.Path, default=ROOT / "zones" / (ZONE + "zone"))
    parser.add_argument("--vectors", action="store_true", help="print a rotation and a tombstone")
    arguments = parser.parse_args()
    if arguments.vectors:
        print("\n".join(vector_lines(AGENTS[0])))
        return 0
    if arguments.check:
        same = arguments.output.read_text() == zone_text(AGENTS)
        print(f"{arguments.output}: {'as generated' if same else 'differs from what tools/make_sample_zone.py writes'}")
        return 0 if same else 1
    arguments.output.write_text(zone_text(AGENTS))
    return 0


if __name__ == "__main__":
    sys.exit(main())
