#!/usr/bin/python3
"""A publisher whose link to the registry fails: answers are lost, connections cut, updates refused, another is faster.

The registry is made of dnspython (fake_registry.py), which checks the UPDATE, its SIG(0) and its prerequisites by itself.
"""

import pathlib
import ssl
import struct
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "support")]

import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

import servers
from certificates import Certificates
from fake_registry import FakeRegistry
from publisher import APEX, Publisher, a2a_card, mcp_server, steward_manifest
from report import Report, Skipped, require
from statement import problems_of, rotation_problems, strings_of, values_of

ZONE = f"acme-corp.com.{APEX}."
TYPES = (dns.rdatatype.SRV, dns.rdatatype.SVCB)


def full(label):
    return f"{label}.acme-corp.com.{APEX}"


def statement_at(registry, label):
    """The values of the statement that stands; its signature and `ep` checked."""
    owner = full(label)
    texts = registry.find(owner, "TXT")
    require(texts and len(texts) == 1, f"{owner}: {texts}")
    keys = [key.to_wire() for key in registry.find(owner, "KEY")]
    rows = [(rdtype, row.to_digestable()) for rdtype in TYPES for row in registry.find(owner, dns.rdatatype.to_text(rdtype)) or []]
    wire = texts[0].to_wire()
    problems = problems_of(dns.name.from_text(owner), wire, keys, rows)
    require(not problems, f"{owner}: {problems}")
    return {key: value.decode() for key, value in values_of(strings_of(wire)).items()}


def keys(report, publisher):
    with report.case("keygen: a key in BIND's format, with its fingerprint and KEY record, the secret the owner's alone"):
        made = publisher.done("keygen", "--agent-id", "planner")
        require(made["agent"] == full("planner"), made)
        require(made["record"].startswith(f"{full('planner')}. IN KEY 512 3 15 "), made["record"])
        require(pathlib.Path(made["private_key"]).stat().st_mode & 0o777 == 0o600, "mode")
        require(publisher.keys.stat().st_mode & 0o777 == 0o700, "mode of the folder")
        require(made["fingerprint"].startswith("sha256:"), made)
    with report.case("keygen: a second one is refused, and says how a key is rotated"):
        require("--rotate" in publisher.refused("keygen", "--agent-id", "planner"), "--rotate is not named")
    with report.case("keygen: one for any agent, and RSA and ECDSA keys"):
        require(publisher.done("keygen")["agent"] == "", "an agent")
        require(publisher.done("keygen", "--agent-id", "rsa", "--algorithm", "rsa4096")["algorithm"] == "RSASHA256", "rsa4096")
        require(publisher.done("keygen", "--agent-id", "ecdsa", "--algorithm", "ecdsap256")["algorithm"] == "ECDSAP256SHA256", "ecdsap256")
    with report.case("keygen: wrong usage is told apart from a refusal"):
        require(publisher.run("keygen", "--algorithm", "dsa").returncode == 2, "not 2")


def first_publishes(report, publisher, registry):
    with report.case("publish: nothing is sent with --dry-run or --print"):
        path = publisher.write("planner.json", steward_manifest("planner"))
        plan = publisher.done("publish", path, "--dry-run")
        require(not plan["sent"] and plan["action"] == "publish" and plan["records"], plan)
        script = publisher.run("publish", path, "--print").stdout
        require(script.startswith(f"server 127.0.0.1 {registry.port}\nzone {ZONE}\nprereq nxrrset {full('planner')}. TXT\n"), script)
        require(registry.received == 0, "something was sent")
    with report.case("publish: a STEWARD manifest, its statement signed, its octets at _manifest"):
        done = publisher.done("publish", path)
        require(done["sent"] and done["zone"] == ZONE.rstrip(".") and done["previous_version"] == "", done)
        require(statement_at(registry, "planner")["fp"] == done["fingerprint"], "another fp")
        octets = b"".join(registry.find(f"_manifest.{full('planner')}", "TXT")[0].strings)
        require(octets == path.read_bytes(), "another manifest")
    with report.case("publish: an A2A card, by the key for any agent; the message is signed as the agent"):
        done = publisher.done("publish", publisher.write("card.json", a2a_card("translator")))
        require(statement_at(registry, "translator")["capabilities"] == "translate", done)
        require(registry.find(full("translator"), "SVCB")[0].priority == 1, "no SVCB")
        require(registry.find(full("translator"), "SRV"), "no SRV")
    with report.case("publish: an MCP server, from the standard input, under a name given here"):
        text = publisher.write("server.json", mcp_server("com.acme/weather")).read_text()
        publisher.done("publish", "-", "--agent", "weather", text_input=text)
        require(statement_at(registry, "weather")["version"] == "1.0.0", "no weather")
    for label in ("rsa", "ecdsa"):
        with report.case(f"publish: with a key of {label}"):
            publisher.done("publish", publisher.write(f"{label}.json", steward_manifest(label)))
            require(registry.find(full(label), "TXT"), "it is not there")
    with report.case("publish: in text, with what to ask dig for"):
        text = publisher.run("publish", publisher.write("text.json", steward_manifest("text"))).stdout
        require(f"published {full('text')}" in text and f"dig @127.0.0.1 -p {registry.port} {full('text')} TXT" in text, text)


def later_publishes(report, publisher, registry):
    path = publisher.folder / "planner.json"
    with report.case("publish: the same version again is refused before anything is sent"):
        before = registry.received
        require("raise the version" in publisher.refused("publish", path), "another reason")
        require(registry.received == before, "something was sent")
    with report.case("publish: a new version, on the condition that the old one still stands [RFC 2136 §2.4.2]"):
        done = publisher.done("publish", publisher.write("planner.json", steward_manifest("planner", "1.1.0")))
        require(done["previous_version"] == "1.0.0" and done["action"] == "update", done)
        require(registry.updates[-1].prerequisite[0].rdtype == dns.rdatatype.TXT, "no prerequisite")
        require(statement_at(registry, "planner")["version"] == "1.1.0", "another version")
    with report.case("rotate: both keys sign, and what stood there is said by the new one"):
        made = publisher.done("keygen", "--agent-id", "planner", "--rotate")
        done = publisher.done("rotate", "planner")
        require(done["fingerprint"] == made["fingerprint"] and done["previous_fingerprint"], done)
        require(statement_at(registry, "planner")["fp"] == made["fingerprint"], "another fp")
        link = registry.find(f"_keys.{full('planner')}", "TXT")[0].to_wire()
        keys_there = [key.to_wire() for key in registry.find(full("planner"), "KEY")]
        require(not rotation_problems(dns.name.from_text(full("planner")), link, keys_there), "the rotation does not verify")
        rotation = values_of(strings_of(link))
        require(rotation["n"] == b"1" and rotation["new"].decode() == made["fingerprint"], rotation)
        require("keygen --rotate" in publisher.refused("rotate", "planner"), "a second time")
    with report.case("withdraw: a signed tombstone without endpoints and manifest; a second time is refused"):
        done = publisher.done("withdraw", "translator")
        require(statement_at(registry, "translator")["status"] == "withdrawn", done)
        require(registry.find(full("translator"), "SVCB")[0].to_text() == "0 .", "SVCB")
        require(not registry.find(f"_manifest.{full('translator')}", "TXT"), "a manifest")
        require("withdrawn already" in publisher.refused("withdraw", "translator"), "another reason")
    with report.case("publish: what was withdrawn returns in the same version"):
        require(publisher.done("publish", publisher.folder / "card.json")["action"] == "return", "another action")
        require(statement_at(registry, "translator")["status"] == "active", "not active")
    with report.case("deprecate: in service, with the successor's name"):
        publisher.done("deprecate", "weather", "--successor", "translator")
        require(statement_at(registry, "weather")["succ"] == full("translator"), "succ")
        require(registry.find(f"_manifest.{full('weather')}", "TXT"), "no manifest")
    with report.case("revoke: needs a reason, and nothing undoes it"):
        require(publisher.run("revoke", "weather").returncode == 2, "without a reason")
        publisher.done("revoke", "weather", "--reason", "key was stolen", "--successor", "translator")
        said = statement_at(registry, "weather")
        require(said["status"] == "revoked" and said["reason"] == "key was stolen", said)
        require("never signs" in publisher.refused("publish", publisher.folder / "server.json", "--agent", "weather"), "published again")
    with report.case("publish: a lease is asked for, and what is granted is told [RFC 9664 §4]"):
        registry.lease = struct.pack("!II", 1800, 86400)
        done = publisher.done("publish", publisher.write("leased.json", steward_manifest("leased")), "--lease", "1h", "--key-lease", "7d")
        require((done["lease"], done["key_lease"]) == (1800, 86400), done)
        require(registry.updates[-1].options[0].otype == 2, "no option")
        require(publisher.done("publish", publisher.folder / "leased.json", "--lease", "1h")["action"] == "renew", "no renewal")
        registry.lease = None


def failing_links(report, publisher, registry):
    def write(version):
        return publisher.write("planner.json", steward_manifest("planner", version))

    with report.case("the answer is lost: what stands there says that it was carried out"):
        registry.faults = ["lose the answer"]
        before = registry.received
        require(publisher.done("publish", write("2.0.0"))["sent"], "not sent")
        require(registry.received == before + 1, f"{registry.received - before} updates")
    with report.case("no answer in time: the same"):
        registry.faults = ["say nothing"]
        require(publisher.done("publish", write("2.1.0"))["sent"], "not sent")
    with report.case("the connection is cut before it: the same message is sent again"):
        registry.faults = ["cut before it"]
        before = registry.received
        require(publisher.done("publish", write("2.2.0"))["sent"], "not sent")
        require(registry.received == before + 2, f"{registry.received - before} updates")
        require(statement_at(registry, "planner")["version"] == "2.2.0", "another version")
    with report.case("again and again: given up, with who was asked"):
        registry.faults = ["cut before it"] * 3
        said = publisher.refused("publish", write("2.3.0"))
        require(registry.address in said and "none of which was carried out" in said, said)
    with report.case("another publish was first: refused, and nothing is lost"):
        registry.faults = ["serve another first"]
        require("another publish was first" in publisher.refused("publish", publisher.write("first.json", steward_manifest("first"))), "no word of it")
    with report.case("a refusal: its code, its reason made safe for a terminal, and what to do"):
        registry.refusal = (dns.rcode.REFUSED, 18, b"key is not allowed \x1b[31m\xe2\x80\xae")
        said = publisher.refused("publish", publisher.write("new.json", steward_manifest("new")))
        for part in ("REFUSED: key is not allowed \\x1b[31m\\u202e", "steward-registry publisher allow", "sha256:", registry.address):
            require(part in said, f"{part!r} is not in {said!r}")
        registry.refusal = None
    with report.case("a registry of another zone, none at all, and none that is configured"):
        said = publisher.refused("publish", publisher.folder / "new.json", "--namespace", "other.com")
        require("REFUSED" in said and "does not serve that name" in said, said)
        said = publisher.refused("publish", publisher.folder / "new.json", "--registry", f"127.0.0.1@{servers.free_port(['127.0.0.1'])}")
        require("refused" in said.lower(), said)
    with report.case("what stands there is forged: refused, and nothing is sent"):
        rrset = registry.find(full("text"), "TXT")
        registry.rrsets[(rrset.name, rrset.rdtype)] = dns.rrset.from_text(
            rrset.name, 300, "IN", "TXT", rrset[0].to_text().replace("version=1.0.0", "version=0.9.0"))
        before = registry.received
        require("does not verify" in publisher.refused("publish", publisher.write("text.json", steward_manifest("text", "2.0.0"))), "another reason")
        require(registry.received == before, "something was sent")


def by_hand(report, publisher, registry):
    with report.case("publish --print and nsupdate with the same key do the same"):
        nsupdate = servers.find_program("nsupdate")
        if not nsupdate:
            raise Skipped("no nsupdate")
        made = publisher.done("keygen", "--agent-id", "byhand")
        script = publisher.run("publish", publisher.write("byhand.json", steward_manifest("byhand")), "--print").stdout
        done = subprocess.run([nsupdate, "-v", "-k", made["public_key"]], input=script, capture_output=True, text=True, timeout=30, check=False)
        require(done.returncode == 0, done.stderr)
        require(statement_at(registry, "byhand")["fp"] == made["fingerprint"], "another fp")


def over_tls(report, folder):
    certificates = Certificates(folder)
    certificates.make("registry", "DNS:registry.example")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.path("registry.pem"), certificates.path("registry.key"))
    with FakeRegistry(ZONE, context) as registry:
        tls = {"name": "registry.example", "authorities": certificates.path("ca.pem")}
        good = Publisher(folder / "good", registry.address, tls=tls)
        good.done("keygen")
        with report.case("publish: over TLS to the registry whose certificate was expected [RFC 8310 §8]"):
            done = good.done("publish", good.write("a.json", steward_manifest("a")))
            require(done["registry"] == f"{registry.address} over TLS", done)
        for what, changed in (("name", {"name": "other.example"}), ("authority", {"authorities": certificates.path("rogue.pem")})):
            with report.case(f"publish: a certificate with another {what} ends it, and nothing is sent"):
                other = Publisher(folder / what, registry.address, tls={**tls, **changed})
                other.done("keygen")
                before = registry.received
                require("TLS" in other.refused("publish", other.write("b.json", steward_manifest("b"))), "no word of TLS")
                require(registry.received == before, "something was sent")


def main():
    report = Report("links of publishers")
    with tempfile.TemporaryDirectory(prefix="steward-publisher-") as name:
        folder = pathlib.Path(name)
        with FakeRegistry(ZONE) as registry:
            publisher = Publisher(folder / "home", registry.address)
            keys(report, publisher)
            first_publishes(report, publisher, registry)
            later_publishes(report, publisher, registry)
            failing_links(report, publisher, registry)
            by_hand(report, publisher, registry)
        with report.case("the registry is gone: who was asked, and that nothing was published"):
            said = publisher.refused("publish", publisher.folder / "new.json")
            require(registry.address in said, said)
        (folder / "tls").mkdir()
        over_tls(report, folder / "tls")
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
