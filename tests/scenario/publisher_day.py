#!/usr/bin/python3
"""A publisher's day at a registry of ours: keygen, an operator who allows the key, publish, dig, new versions, a new key,
withdrawal and return, revocation, leases, races, a registry that goes and comes back.

    publisher_day.py
"""

import base64
import concurrent.futures
import hashlib
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "support")]

import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import servers
from certificates import Certificates
from publisher import APEX, Publisher, a2a_card, mcp_server, steward_manifest
from registry import Registry, eventually
from report import Report, Skipped, require
from statement import problems_of, rotation_problems, strings_of, values_of

NAMESPACE = "acme-corp.com"
ZONE = f"{NAMESPACE}.{APEX}."
TYPES = (dns.rdatatype.SRV, dns.rdatatype.SVCB)
RACERS = 8
ROUNDS = 3


def full(label):
    return f"{label}.{ZONE}".rstrip(".")


def rrset(server, name, rdtype):
    query = dns.message.make_query(name, rdtype)
    reply = dns.query.tcp(query, "127.0.0.1", port=server.port, timeout=5)
    return next((found for found in reply.answer if found.rdtype == query.question[0].rdtype), None)


def statement_at(server, label):
    """The values of the statement that is served; its signature and `ep` checked."""
    owner = full(label)
    texts = rrset(server, owner, "TXT")
    require(texts is not None and len(texts) == 1, f"{owner}: {texts}")
    keys = [key.to_wire() for key in rrset(server, owner, "KEY")]
    rows = [(rdtype, row.to_digestable()) for rdtype in TYPES for row in rrset(server, owner, rdtype) or []]
    problems = problems_of(dns.name.from_text(owner), texts[0].to_wire(), keys, rows)
    require(not problems, f"{owner}: {problems}")
    return {key: value.decode() for key, value in values_of(strings_of(texts[0].to_wire())).items()}


def rotations_at(server, label):
    """The values of the rotations that are served, by their number; both signatures of each checked."""
    keys = [key.to_wire() for key in rrset(server, full(label), "KEY")]
    links = [record.to_wire() for record in rrset(server, f"_keys.{full(label)}", "TXT")]
    problems = [problem for link in links for problem in rotation_problems(dns.name.from_text(full(label)), link, keys)]
    require(not problems, f"_keys of {label}: {problems}")
    values = [{key: value.decode() for key, value in values_of(strings_of(link)).items()} for link in links]
    return sorted(values, key=lambda link: int(link["n"]))


def status_of(server, label):
    return statement_at(server, label)["status"]


class AgentRegistry(Registry):
    """One that agents are published in."""

    def allow(self, fingerprint, note):
        self.run("publisher", "allow", fingerprint, "--note", note)


def agent_in_custody(label, key):
    """Lines of the zone file: an agent that the registry signed with its own key, as an import makes it."""
    encoding, form = serialization.Encoding, serialization.PublicFormat
    public = key.public_key()
    print_of_key = hashlib.sha256(public.public_bytes(encoding.DER, form.SubjectPublicKeyInfo)).hexdigest()
    strings = ["v=steward1", "version=1.0.0", "status=active", f"fp=sha256:{print_of_key}", "modified=2025-11-21T13:00:00Z",
               f"ep=sha256:{hashlib.sha256().hexdigest()}", "custody=com.acme-corp"]
    signed = b"steward-statement-v1\0" + dns.name.from_text(full(label)).to_wire() + b"".join(bytes([len(text)]) + text.encode() for text in strings)
    strings.append("sig=" + base64.urlsafe_b64encode(key.sign(signed)).decode().rstrip("="))
    raw = base64.b64encode(public.public_bytes(encoding.Raw, form.Raw)).decode()
    return f"{label} TXT " + " ".join(f'"{text}"' for text in strings) + f"\n{label} KEY 512 3 15 {raw}\n"


def make_registry(folder, certificates):
    custody = Ed25519PrivateKey.generate()
    (folder / "custody.pem").write_bytes(custody.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    (folder / "custody.pem").chmod(0o600)
    path = folder / "zone"
    path.write_text("$TTL 300\n@ SOA ns1 hostmaster 1 3600 600 604800 60\n@ NS ns1\nns1 A 127.0.0.1\n"
                    '_schema._agents TXT "v=steward1"\n' + agent_in_custody("orphan", custody))
    tls_port = servers.free_port(["127.0.0.1"])
    options = {"registry": {"namespace": NAMESPACE, "lease": {"min": "30s"}, "custody-key": str(folder / "custody.pem")},
               "tls": {"listen": [f"127.0.0.1@{tls_port}"], "certificate": certificates.path("registry.pem"),
                       "key": certificates.path("registry.key")}}
    server = AgentRegistry([{"name": ZONE.rstrip("."), "file": str(path), "dnssec": True}], options=options)
    server.tls_port = tls_port
    return server


def first_publish(report, server, publisher):
    path = publisher.write("planner.json", steward_manifest("planner"))
    with report.case("publish: a key that the namespace does not allow is refused, with what the operator has to do"):
        made = publisher.done("keygen")
        said = publisher.refused("publish", path)
        for part in ("REFUSED", "may not publish", f"steward-registry publisher allow {made['fingerprint']}"):
            require(part in said, f"{part!r} is not in {said}")
        require(rrset(server, full("planner"), "TXT") is None, "it is there")
    with report.case("publish: allowed, it is answered within a second, signed by publisher and registry"):
        server.allow(made["fingerprint"], "acme's")
        done = publisher.done("publish", path)
        began = time.monotonic()
        eventually("it is answered", lambda: rrset(server, full("planner"), "TXT") is not None, 1)
        print(f"        seen {1000 * (time.monotonic() - began):.1f} ms after the answer to the publish")
        require(statement_at(server, "planner")["fp"] == made["fingerprint"] == done["fingerprint"], "another fp")
        registry = values_of(strings_of(rrset(server, f"_registry.{full('planner')}", "TXT")[0].to_wire()))
        require(registry["v"] == b"steward-registry1" and registry["status"] == b"active", registry)
        octets = b"".join(rrset(server, f"_manifest.{full('planner')}", "TXT")[0].strings)
        require(octets == path.read_bytes(), "another manifest")
    with report.case("publish: an A2A card and an MCP server, and what others browse for"):
        publisher.done("publish", publisher.write("card.json", a2a_card("translator")))
        publisher.done("publish", publisher.write("server.json", mcp_server("com.acme/weather")), "--agent", "weather")
        require(statement_at(server, "translator")["capabilities"] == "translate", "capabilities")
        require(status_of(server, "weather") == "active", "weather")
        require(rrset(server, f"_a2a._tcp.{ZONE}", "PTR") is not None, "no DNS-SD")


def versions(report, server, publisher):
    path = publisher.folder / "planner.json"
    with report.case("publish: the same version again is refused"):
        require("raise the version" in publisher.refused("publish", path), "another reason")
    with report.case("publish: a new version takes the place of the old one"):
        done = publisher.done("publish", publisher.write("planner.json", steward_manifest("planner", "1.1.0")))
        require((done["previous_version"], done["action"]) == ("1.0.0", "update"), done)
        require(statement_at(server, "planner")["version"] == "1.1.0", "another version")
    with report.case("publish: over TLS to the registry"):
        tls = {"name": "registry.example", "authorities": str(server.folder / "ca.pem")}
        other = Publisher(publisher.folder / "tls", f"127.0.0.1@{server.tls_port}", tls=tls)
        done = other.done("publish", other.write("planner.json", steward_manifest("planner", "1.2.0")), "--keys", publisher.keys)
        require(done["registry"].endswith("over TLS") and statement_at(server, "planner")["version"] == "1.2.0", done)
    with report.case("publish: somebody else's agent is refused, before anything is sent and by the registry too"):
        stranger = Publisher(publisher.folder / "stranger", server_address(server))
        server.allow(stranger.done("keygen")["fingerprint"], "a stranger")
        manifest = stranger.write("planner.json", steward_manifest("planner", "9.0.0"))
        require("not among yours" in stranger.refused("publish", manifest), "another reason")
        require("not among yours" in stranger.refused("withdraw", "planner"), "another reason")


def server_address(server):
    return f"127.0.0.1@{server.port}"


def rotation(report, server, publisher):
    with report.case("rotate: a new key takes over, both keys' word at _keys, and the next version is signed by it"):
        publisher.done("keygen", "--agent-id", "planner")
        made = publisher.done("keygen", "--agent-id", "planner", "--rotate")
        before = statement_at(server, "planner")["fp"]
        done = publisher.done("rotate", "planner")
        require((done["fingerprint"], done["previous_fingerprint"]) == (made["fingerprint"], before), done)
        links = rotations_at(server, "planner")
        require([(link["old"], link["new"]) for link in links] == [(before, made["fingerprint"])], links)
        publisher.done("publish", publisher.write("planner.json", steward_manifest("planner", "1.3.0")))
        require(statement_at(server, "planner")["fp"] == made["fingerprint"], "another fp")
    with report.case("publish: carries the rotation by itself, where a newer key is there"):
        made = publisher.done("keygen", "--agent-id", "planner", "--rotate")
        done = publisher.done("publish", publisher.write("planner.json", steward_manifest("planner", "1.4.0")))
        require(done["fingerprint"] == made["fingerprint"] and done["previous_fingerprint"], done)
        require([link["n"] for link in rotations_at(server, "planner")] == ["1", "2"], "no second rotation")
        require(len(rrset(server, full("planner"), "KEY")) == 3, "keys of the chain are missing")


def endings(report, server, publisher):
    with report.case("withdraw: a tombstone without endpoints; what is withdrawn returns in the same version"):
        publisher.done("withdraw", "translator")
        require(status_of(server, "translator") == "withdrawn", "not withdrawn")
        require(rrset(server, full("translator"), "SVCB")[0].to_text() == "0 .", "SVCB")
        require(rrset(server, f"_manifest.{full('translator')}", "TXT") is None, "a manifest")
        require(publisher.done("publish", publisher.folder / "card.json")["action"] == "return", "another action")
        require(status_of(server, "translator") == "active", "not active")
    with report.case("deprecate, and revoke with reason and successor; the key signs nothing more there"):
        publisher.done("deprecate", "weather", "--successor", "translator")
        require(statement_at(server, "weather")["succ"] == full("translator"), "succ")
        publisher.done("revoke", "weather", "--reason", "key was stolen", "--successor", "translator")
        said = statement_at(server, "weather")
        require((said["status"], said["reason"]) == ("revoked", "key was stolen"), said)
        require("never signs" in publisher.refused("publish", publisher.folder / "server.json", "--agent", "weather"), "published")
    with report.case("publish: a lease is granted, its records' TTL a tenth of it; it is renewed by the same manifest"):
        path = publisher.write("leased.json", steward_manifest("leased"))
        require(publisher.done("publish", path, "--lease", "2m", "--key-lease", "1h")["lease"] == 120, "lease")
        require(rrset(server, full("leased"), "TXT").ttl <= 12, "TTL")
        renewed = publisher.done("publish", path, "--lease", "1m")
        require((renewed["action"], renewed["lease"]) == ("renew", 60), renewed)


def race(report, server, publisher, folder):
    homes = []
    for number in range(RACERS):
        racer = Publisher(folder / f"racer{number}", server_address(server))
        shutil.copytree(publisher.keys, racer.keys)
        homes.append(racer)
    with report.case(f"{RACERS} racing publishers: exactly one wins each version, the others are told so"):
        for number in range(ROUNDS):
            version = f"2.{number}.0"
            # Of the same octets in the same second all would be right: the statement that stands is everybody's.
            paths = [racer.write("planner.json", steward_manifest("planner", version, agent={"specialization": f"racer {index}"}))
                     for index, racer in enumerate(homes)]
            with concurrent.futures.ThreadPoolExecutor(RACERS) as pool:
                ends = list(pool.map(lambda pair: pair[0].run("publish", pair[1]), zip(homes, paths)))
            won = [end for end in ends if end.returncode == 0]
            require(len(won) == 1, f"{len(won)} won {version}: {[end.stderr for end in ends]}")
            require(statement_at(server, "planner")["version"] == version, "another version")
            for end in ends:
                reasons = ("raise the version", "another publish was first")
                require(end.returncode == 0 or any(reason in end.stderr for reason in reasons), end.stderr)


def claim(report, server, publisher):
    with report.case("claim: an agent in the registry's custody becomes its owner's, with the registry's word for it at _keys"):
        require(statement_at(server, "orphan")["custody"] == "com.acme-corp", "not in custody")
        require("claim it first" in publisher.refused("withdraw", "orphan"), "withdrawn without a claim")
        done = publisher.done("publish", publisher.write("orphan.json", steward_manifest("orphan", "1.0.1")))
        said = statement_at(server, "orphan")
        require(done["action"] == "claim" and said["fp"] == done["fingerprint"] and "custody" not in said, (done, said))
        links = rotations_at(server, "orphan")
        require([link["old"] for link in links] == [done["previous_fingerprint"]], links)
        publisher.done("publish", publisher.write("orphan.json", steward_manifest("orphan", "1.0.2")))


def by_hand(report, server, publisher):
    with report.case("nsupdate with the printed script and the same key publishes too"):
        nsupdate = servers.find_program("nsupdate")
        if not nsupdate:
            raise Skipped("no nsupdate")
        made = publisher.done("keygen", "--agent-id", "byhand")
        server.allow(made["fingerprint"], "by hand")
        script = publisher.run("publish", publisher.write("byhand.json", steward_manifest("byhand")), "--print").stdout
        done = subprocess.run([nsupdate, "-v", "-k", made["public_key"]], input=script, capture_output=True, text=True, timeout=30, check=False)
        require(done.returncode == 0, done.stderr)
        require(statement_at(server, "byhand")["fp"] == made["fingerprint"], "another fp")


def write_anchor(server, publisher):
    anchor = publisher.folder / "anchor.ds"
    keys = json.loads(server.run("zone", "keys", ZONE, "--json").stdout)["keys"]
    anchor.write_text("".join(line + "\n" for key in keys for line in key.get("ds", [])))
    return anchor


def seen_by_clients(report, server, publisher):
    anchor = write_anchor(server, publisher)
    with report.case("resolve and verify: what was published is validated from the trust anchor, through both rotations"):
        found = publisher.done("resolve", "planner", "--trust-anchor", anchor)
        require(found["version"] == statement_at(server, "planner")["version"], found)
        publisher.done("verify", "planner", "--trust-anchor", anchor)


def registry_gone(report, server, publisher):
    path = publisher.write("planner.json", steward_manifest("planner", "3.0.0"))
    with report.case("the registry is gone: said so, with who was asked; back again, with all that was answered"):
        server.kill()
        said = publisher.refused("publish", path)
        require(server_address(server) in said, said)
        server.start()
        server.wait_ready()
        require(status_of(server, "weather") == "revoked", "the revocation is gone")
        publisher.done("publish", path)
        require(statement_at(server, "planner")["version"] == "3.0.0", "another version")


def publish_by_dns():
    """In a network and mount namespace of its own: the registry at port 53, the system's resolver leads to it, and nobody says its address."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    with tempfile.TemporaryDirectory(prefix="steward-day-") as name:
        folder = pathlib.Path(name)
        (folder / "resolv.conf").write_text("nameserver 127.0.0.1\n")
        subprocess.run(["mount", "--bind", folder / "resolv.conf", "/etc/resolv.conf"], check=True)
        certificates = Certificates(folder)
        certificates.make("registry", "DNS:registry.example")
        server = make_registry(folder, certificates)
        server.port = 53
        with server:
            server.wait_ready()
            publisher = Publisher(folder / "home", server_address(server))
            anchor = write_anchor(server, publisher)
            (publisher.config / "config.yaml").write_text(f"namespace: {NAMESPACE}\ntrust-anchor: {anchor}\n")
            server.allow(publisher.done("keygen")["fingerprint"], "acme's")
            done = publisher.done("publish", publisher.write("found.json", steward_manifest("found")))
            require(done["registry"] == "127.0.0.1@53" and status_of(server, "found") == "active", done)
            anchor.write_text(anchor.read_text()[:-5] + "0000\n")
            publisher.refused("publish", publisher.write("found.json", steward_manifest("found", "2.0.0")))


def found_by_dns(report):
    with report.case("the registry is found by the DNS, validated from the trust anchor; not where that does not fit"):
        unshare = ["unshare", "-rmn", "--propagation", "private"]
        if not servers.find_program("unshare") or subprocess.run([*unshare, "true"], capture_output=True, check=False).returncode != 0:
            raise Skipped("no network and mount namespace to be had")
        done = subprocess.run([*unshare, sys.executable, __file__, "--found-by-dns"], capture_output=True, text=True, timeout=90, check=False)
        require(done.returncode == 0, done.stderr[-1500:])


def main():
    if sys.argv[1:] == ["--found-by-dns"]:
        publish_by_dns()
        return 0
    report = Report("publisher's day")
    with tempfile.TemporaryDirectory(prefix="steward-day-") as name:
        folder = pathlib.Path(name)
        certificates = Certificates(folder)
        certificates.make("registry", "DNS:registry.example")
        with make_registry(folder, certificates) as server:
            server.wait_ready()
            shutil.copy(certificates.path("ca.pem"), server.folder / "ca.pem")
            publisher = Publisher(folder / "home", server_address(server))
            first_publish(report, server, publisher)
            versions(report, server, publisher)
            rotation(report, server, publisher)
            endings(report, server, publisher)
            claim(report, server, publisher)
            race(report, server, publisher, folder)
            by_hand(report, server, publisher)
            seen_by_clients(report, server, publisher)
            registry_gone(report, server, publisher)
    found_by_dns(report)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
