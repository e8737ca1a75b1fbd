#!/usr/bin/python3
"""A client that was told nothing: no registry, no configuration, only /etc/resolv.conf and the system's root key. Agents are
resolved, verified, proved and found through a resolver of the system, and what it says is not taken on trust; agents are
published to the registry that the DNS names, in the clear and over TLS.

    system_resolver.py

In a user, mount and network namespace of its own: a root of the DNS, the apex and two registries on 127.0.0.1, Unbound beside
them on another address, and files of ours in place of the system's.
"""

import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import threading

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "support")]

import dns.flags
import dns.message
import dns.rdatatype

import peers
import servers
from certificates import Certificates
from client_world import APEX, NAMESPACE, World
from publisher import Publisher, steward_manifest
from report import Report, Skipped, require
from steward import Client

RESOLVER, LIAR = "127.53.61.9", "127.53.61.10"
ROOT_KEY = "/usr/share/dns/root.key"
ORCHESTRATOR = f"vibe-agency-orchestrator.{NAMESPACE}.{APEX}".rstrip(".")
ACME = f"acme-corp.com.{APEX}"
HOST = f"ns1.{ACME}"


class Liar:
    """A resolver that passes on what the good one says, with AD set, and another text in every TXT."""

    def __enter__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((LIAR, 53))
        threading.Thread(target=self.take, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.socket.close()

    def take(self):
        while True:
            try:
                octets, client = self.socket.recvfrom(65535)
            except OSError:
                return
            threading.Thread(target=self.answer, args=(octets, client), daemon=True).start()

    def answer(self, octets, client):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as upstream:
            upstream.settimeout(3)
            upstream.sendto(octets, (RESOLVER, 53))
            reply = dns.message.from_wire(upstream.recv(65535))
        reply.flags |= dns.flags.AD
        for rrset in reply.answer:
            if rrset.rdtype == dns.rdatatype.TXT:
                text = rrset[0].to_wire().replace(b"status=active", b"status=ACTIVE")
                forged = dns.rdata.from_wire(rrset.rdclass, rrset.rdtype, text, 0, len(text))
                rrset.clear()
                rrset.add(forged)
        self.socket.sendto(reply.to_wire(), client)


class System:
    """The system's files, ours in their place."""

    def __init__(self, folder):
        self.resolv, self.key = folder / "resolv.conf", folder / "root.key"
        for own, place in ((self.resolv, "/etc/resolv.conf"), (self.key, ROOT_KEY)):
            own.write_text("")
            subprocess.run(["mount", "--bind", own, place], check=True)

    def ask(self, address):
        self.resolv.write_text(f"nameserver {address}\n")

    def trust(self, ds):
        self.key.write_text(ds + "\n")


def add_zone(world, folder, name, lines):
    """A zone of the world's server, from its next reload or start on."""
    file = folder / f"{name.strip('.') or 'root'}.zone"
    below = "" if name == "." else name
    file.write_text("\n".join([f"$ORIGIN {name}", "$TTL 300", f"@ SOA ns1.{below} hostmaster.{below} 1 3600 600 604800 60", *lines, ""]))
    world.server.entries.append({"name": name.rstrip(".") or ".", "file": str(file), "dnssec": True})


def make_world(folder, certificates, tls_port):
    """vibe-agency.com below the apex, and acme-corp.com, which is a registry that takes publishes."""
    options = {"registry": {"namespace": "acme-corp.com", "custody-key": str(folder / "custody.pem"), "discover": False},
               "tls": {"listen": [f"127.0.0.1@{tls_port}"], "certificate": certificates.path("registry.pem"),
                       "key": certificates.path("registry.key")}}
    world = World(folder, options=options)
    world.server.port = 53
    add_zone(world, folder, ACME, [f"@ NS {HOST}", f"{HOST} A 127.0.0.1", '_schema._agents TXT "v=steward1"',
                                   f"_registry._agents SRV 0 0 {tls_port} {HOST}"])
    return world


def delegate(world, folder):
    """From the root down; the root's DS."""
    apex = world.apex_file.read_text().replace(" hostmaster 1 ", " hostmaster 2 ")
    world.apex_file.write_text(f"{apex}{ACME} NS {HOST}\n{HOST} A 127.0.0.1\n{world.ds_of(ACME)}\n")
    add_zone(world, folder, ".", [f"@ NS ns1.{APEX}", f"{APEX} NS ns1.{APEX}", f"ns1.{APEX} A 127.0.0.1", world.anchor])
    world.server.reload()
    return world.ds_of(".")


def reads(report, system, client, folder):
    with report.case("resolve: with nothing but the system's resolver and root key, validated here"):
        got = client.ask("resolve", ORCHESTRATOR)
        require(got["usable"] and got["dnssec"] == "secure", got)
    with report.case("verify and prove: down from the root; the bundle needs no network"):
        require(client.ask("verify", ORCHESTRATOR)["verified"], "verify")
        client.ask("prove", ORCHESTRATOR, "-o", folder / "a.proof")
        system.ask("127.53.61.77")
        require(client.ask("verify", "--bundle", folder / "a.proof")["verified"], "bundle")
        system.ask(RESOLVER)
    with report.case("an agent that is not there is proved not to be"):
        require("that is proved" in client.refused("resolve", f"nobody.{NAMESPACE}.{APEX}".rstrip(".")), "absent")
    with report.case("trust: the registry's own sum"):
        client.run("trust", ORCHESTRATOR)


def distrusts(report, system, client, root_ds):
    with report.case("a resolver that forges an answer and sets AD is found out"), Liar():
        system.ask(LIAR)
        said = client.refused("resolve", ORCHESTRATOR)
        require("DNSSEC" in said or "bogus" in said.lower(), said)
    system.ask(RESOLVER)
    with report.case("another root key proves nothing"):
        system.trust(f". DS 1 13 2 {'00' * 32}")
        client.refused("resolve", ORCHESTRATOR)
        system.trust(root_ds)
        require(client.ask("resolve", ORCHESTRATOR)["usable"], "with the right one")
    with report.case("a resolver that is gone: no registry is asked in its place"):
        system.ask("127.53.61.77")
        said = client.refused("resolve", ORCHESTRATOR)
        require("the system's resolver" in said, said)
        system.ask(RESOLVER)


def publishes(report, world, folder, certificates, tls_port):
    publisher = Publisher(folder / "publisher", "unused")
    config = publisher.config / "config.yaml"
    config.write_text("namespace: acme-corp.com\ntimeout: 5\n")
    world.server.run("publisher", "allow", publisher.done("keygen")["fingerprint"])
    with report.case("publish: to the registry that the zone's SOA names"):
        done = publisher.done("publish", publisher.write("planner.json", steward_manifest("planner")))
        require(done["registry"] == "127.0.0.1@53", done)
    with report.case("publish with `tls`: at the SRV of _registry._agents, whose target is the certificate's name"):
        config.write_text(f"namespace: acme-corp.com\ntimeout: 5\ntls: {{authorities: {certificates.path('ca.pem')}}}\n")
        done = publisher.done("publish", publisher.write("planner.json", steward_manifest("planner", "1.1.0")))
        require(done["registry"] == f"127.0.0.1@{tls_port} over TLS", done)
    with report.case("publish with a pin: that key at that place, and with another nothing is sent"):
        for pin, works in ((certificates.pin("registry"), True), (certificates.pin("other"), False)):
            config.write_text(f"namespace: acme-corp.com\ntimeout: 5\ntls: {{pin: {pin}}}\n")
            path = publisher.write("planner.json", steward_manifest("planner", "1.2.0" if works else "1.3.0"))
            done = publisher.run("publish", path)
            require((done.returncode == 0) == works, done.stdout + done.stderr)
    with report.case("what was published is resolved by whoever was told nothing"):
        require(Client(folder / "stranger").ask("resolve", f"planner.{ACME}".rstrip("."))["version"] == "1.2.0", "another version")


def in_namespace():
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    report = Report("system resolver")
    with tempfile.TemporaryDirectory(prefix="steward-system-") as name:
        folder = pathlib.Path(name)
        system = System(folder)
        certificates = Certificates(folder)
        certificates.make("registry", f"DNS:{HOST.rstrip('.')}")
        certificates.make("other", f"DNS:{HOST.rstrip('.')}")
        tls_port = servers.free_port(["127.0.0.1"])
        world = make_world(folder, certificates, tls_port)
        with world:
            root_ds = delegate(world, folder)
            system.trust(root_ds)
            resolver = peers.Unbound({".": "127.0.0.1@53"}, root_ds.splitlines(), addresses=[RESOLVER])
            resolver.port = 53
            with resolver:
                system.ask(RESOLVER)
                client = Client(folder / "client", timeout=3)
                client.config.unlink()
                reads(report, system, client, folder)
                distrusts(report, system, client, root_ds)
                publishes(report, world, folder, certificates, tls_port)
    return report.finish()


def main():
    if sys.argv[1:] == ["--in-namespace"]:
        return in_namespace()
    unshare = ["unshare", "-rmn", "--propagation", "private"]
    missing = next((program for program in ("unbound", "ip", "mount") if not servers.find_program(program)), None)
    can = servers.find_program("unshare") and subprocess.run([*unshare, "true"], capture_output=True, check=False).returncode == 0
    if missing or not can or not os.path.exists(ROOT_KEY):
        report = Report("system resolver")
        with report.case("all of it"):
            raise Skipped(f"no {missing}" if missing else "no network and mount namespace to be had" if not can else f"no {ROOT_KEY}")
        return report.finish()
    return subprocess.run([*unshare, sys.executable, __file__, "--in-namespace"], timeout=300, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
