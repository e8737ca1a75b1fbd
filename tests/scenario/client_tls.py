#!/usr/bin/python3
"""A client that reads over TLS: agents resolved, verified, proved and found; and servers that are not the one that was meant,
which get no question, in the clear least of all.

    client_tls.py
"""

import contextlib
import pathlib
import select
import socket
import ssl
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "support")]

import find_zones
import servers
from certificates import Certificates
from client_world import APEX, NAMESPACE, ZONE, World
from report import Report, Skipped, require
from steward import Client

NAME = "ns1.example"
LABEL = "vibe-agency-orchestrator"
ORCHESTRATOR = f"{LABEL}.{NAMESPACE}"
CROWD = 150
FAR = "127.53.0.77"


class Wire:
    """Passes TCP connections on to a port, and keeps what the clients sent, datagrams to the same port too. The first
    connection is cut once the server has sent `cut` octets on it."""

    def __init__(self, target, cut=0):
        self.target, self.cut = target, cut
        self.connections, self.sent, self.datagrams = 0, [], []
        self.ending = threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", self.port))

    def __enter__(self):
        threading.Thread(target=self.take, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.ending.set()
        self.listener.close()
        self.udp.close()

    def take(self):
        with contextlib.suppress(OSError, ValueError):
            while not self.ending.is_set():
                for ready in select.select([self.listener, self.udp], [], [], 0.2)[0]:
                    if ready is self.udp:
                        self.datagrams.append(self.udp.recv(65535))
                        continue
                    client, _ = self.listener.accept()
                    self.connections += 1
                    cut = self.cut if self.connections == 1 else 0
                    threading.Thread(target=self.carry, args=(client, cut), daemon=True).start()

    def carry(self, client, cut):
        with client, contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.target)) as server:
            came = 0
            while not self.ending.is_set():
                for ready in select.select([client, server], [], [], 0.2)[0]:
                    octets = ready.recv(65536)
                    if ready is client:
                        self.sent.append(octets)
                        server.sendall(octets)
                    else:
                        came += len(octets)
                        client.sendall(octets)
                    if not octets or (cut and came > cut):
                        return

    def require_silent(self):
        """Nothing that a client may say before it knows whom it talks to: TLS records, and no agent's name in them."""
        require(not self.datagrams, f"datagrams: {self.datagrams}")
        said = b"".join(self.sent)
        require(said.startswith(b"\x16\x03"), f"no handshake: {said[:40]!r}")
        require(LABEL.encode() not in said and b"vibe-agency" not in said, "an agent's name in the clear")


class Impostor:
    """Takes TLS with a certificate, and keeps what comes once a handshake has succeeded."""

    def __init__(self, certificates, name, version=ssl.TLSVersion.TLSv1_3):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self.context.maximum_version = version
        self.context.load_cert_chain(certificates.path(name + ".pem"), certificates.path(name + ".key"))
        self.heard = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]

    def __enter__(self):
        threading.Thread(target=self.take, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.listener.close()

    def take(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                client.settimeout(5)
                with client, contextlib.suppress(OSError), self.context.wrap_socket(client, server_side=True) as stream:
                    while octets := stream.recv(65536):
                        self.heard.append(octets)


def make_certificates(folder):
    certificates = Certificates(folder)
    certificates.make("server", f"DNS:{NAME}")
    certificates.make("other", "DNS:ns2.example")
    certificates.make("stranger", f"DNS:{NAME}", "rogue")
    certificates.make("old", f"DNS:{NAME}", days="-1")
    certificates.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", f"/CN={NAME}",
                         "-addext", f"subjectAltName=DNS:{NAME}", "-keyout", "self.key", "-out", "self.pem")
    return certificates


def tls_options(certificates, port):
    return {"tls": {"listen": [f"127.0.0.1@{port}"], "certificate": certificates.path("server.pem"), "key": certificates.path("server.key")}}


class Place:
    """Clients of one world over TLS, each with a home of its own."""

    def __init__(self, folder, anchor, certificates):
        self.folder, self.anchor, self.certificates, self.made = folder, anchor, certificates, 0

    def client(self, port, name=NAME, timeout=5, **more):
        self.made += 1
        return Client(self.folder / f"client-{self.made}", port, self.anchor, timeout, (name, self.certificates.path("ca.pem")), **more)

    def pinning(self, port, *pins, **tls):
        self.made += 1
        return Client(self.folder / f"client-{self.made}", port, self.anchor, 5, {"pin": list(pins), **tls})


def reads(report, place, port):
    with report.case("an agent is resolved over one TLS connection, and nothing of it is in the clear"), Wire(port) as wire:
        got = place.client(wire.port).ask("resolve", ORCHESTRATOR)
        require(got["usable"] and got["dnssec"] == "secure" and got["label"] == LABEL, str(got))
        require(wire.connections == 1, f"{wire.connections} connections")
        wire.require_silent()
    client = place.client(port)
    with report.case("it is verified and proved, and an absent one said to be so"):
        require(client.ask("verify", ORCHESTRATOR)["verified"], "verify")
        client.ask("prove", ORCHESTRATOR, "-o", place.folder / "a.proof")
        require(client.ask("verify", "--bundle", place.folder / "a.proof")["verified"], "bundle")
        require("that is proved" in client.refused("resolve", f"nobody.{NAMESPACE}"), "absent")
    with report.case("--registry with the port of TLS is asked over TLS where the configuration names no other registry"):
        bare = place.client(None)
        require(bare.ask("resolve", ORCHESTRATOR, "--registry", f"127.0.0.1@{port}")["usable"], "resolve")
    with report.case("a connection that is cut is made once more, and no question is lost"), Wire(port, cut=3000) as wire:
        require(place.client(wire.port).ask("resolve", ORCHESTRATOR)["usable"], "resolve")
        require(wire.connections == 2, f"{wire.connections} connections")


def refuses(report, place, certificates):
    for name, what, why in (("other", "of another name", "hostname mismatch"), ("stranger", "of another authority", "unable to get local issuer"),
                            ("self", "that signed itself", "self-signed"), ("old", "that is out of date", "expired")):
        with report.case(f"a certificate {what} is refused, with the registry and the rule"), Impostor(certificates, name) as server, Wire(server.port) as wire:
            said = place.client(wire.port).refused("resolve", ORCHESTRATOR)
            require(f"127.0.0.1@{wire.port}" in said and why in said.lower(), said)
            wire.require_silent()
            require(not server.heard and wire.connections == 1, f"{server.heard}, {wire.connections} connections")
    with report.case("so is TLS 1.2"), Impostor(certificates, "server", ssl.TLSVersion.TLSv1_2) as server, Wire(server.port) as wire:
        require("steward: " in place.client(wire.port).refused("resolve", ORCHESTRATOR), "not said")
        wire.require_silent()
        require(not server.heard, str(server.heard))
    with report.case("verify and discover tell the same, and remember nothing"), Impostor(certificates, "other") as server, Wire(server.port) as wire:
        client = place.client(wire.port)
        for words in (("verify", ORCHESTRATOR), ("prove", ORCHESTRATOR, "-o", place.folder / "none.proof"), ("discover", "plan", "--namespace", NAMESPACE)):
            done = client.run(*words)
            require(done.returncode == 1 and "hostname mismatch" in (done.stdout + done.stderr).lower(), f"{words}: {done.stdout}{done.stderr}")
        require(not client.known_agents.exists() and not (place.folder / "none.proof").exists(), "something was written")
        wire.require_silent()


def pins(report, place, certificates, port):
    own, others = certificates.pin("server"), certificates.pin("other")
    with report.case("a registry whose key is pinned is asked, whoever issued its certificate, with a name and without [RFC 7858 §4.2]"), Wire(port) as wire:
        require(place.pinning(wire.port, own).ask("resolve", ORCHESTRATOR)["usable"], "resolve")
        require(place.pinning(wire.port, others, own, name="any.example").ask("resolve", ORCHESTRATOR)["usable"], "one of two")
        wire.require_silent()
    for name in ("other", "stranger"):
        with report.case(f"another key is not, though its certificate is {'sound' if name == 'other' else 'of the same name'}"), \
                Impostor(certificates, name) as server, Wire(server.port) as wire:
            said = place.pinning(wire.port, own).refused("resolve", ORCHESTRATOR)
            require("the one whose key is pinned" in said and f"127.0.0.1@{wire.port}" in said, said)
            wire.require_silent()
            require(not server.heard, str(server.heard))
    with report.case("a pin beside authorities is refused as a setting, with the place"):
        said = place.pinning(port, own, name=NAME, authorities=certificates.path("ca.pem")).run("resolve", ORCHESTRATOR)
        require(said.returncode != 0 and "config.yaml:" in said.stderr and "pin" in said.stderr, said.stderr)


def never_in_the_clear(report, place, world):
    with report.case("a plain server at that port gets a handshake and no question"), Wire(world.server.port) as wire:
        said = place.client(wire.port).refused("resolve", ORCHESTRATOR)
        require(f"127.0.0.1@{wire.port}" in said, said)
        wire.require_silent()
    with report.case("a server that says nothing is given up after the time limit"), socket.create_server(("127.0.0.1", 0)) as silent:
        began = time.monotonic()
        place.client(silent.getsockname()[1], timeout=1).refused("resolve", ORCHESTRATOR)
        require(time.monotonic() - began < 4, "too late")
    with report.case("a port where nobody listens is told at once"):
        port = servers.free_port(["127.0.0.1"])
        began = time.monotonic()
        said = place.client(port, timeout=10).refused("resolve", ORCHESTRATOR)
        require(f"127.0.0.1@{port}" in said and "refused" in said, said)
        require(time.monotonic() - began < 5, "too late")


def finds(report, folder, certificates):
    port = servers.free_port(["127.0.0.1"])
    zone, root = find_zones.FindZone(NAMESPACE), find_zones.FindZone()
    for number in range(CROWD):
        zone.publish(f"crowd-{number:03}", "0.50", terms=["crowd"])
    far = [(f"far.com.{APEX}", FAR, f"far.com.{APEX} DS 1 13 2 {'00' * 32}")]
    with find_zones.serve(folder, [zone, root], {APEX: far}, options=tls_options(certificates, port)) as server, Wire(port) as wire:
        place = Place(folder, server.ds[APEX], certificates)
        with report.case(f"{CROWD} agents are found over TLS, with all their questions on one connection a resolver"):
            found = place.client(wire.port).ask("discover", "crowd", "--namespace", NAMESPACE, "--limit", "0")
            require(len(found["agents"]) == CROWD and found["complete"], f"{len(found['agents'])} agents, {found['warnings']}")
            require(wire.connections <= 3, f"{wire.connections} connections")
        with report.case("a server that the registry refers to is not asked in the clear, and that is told"):
            if not servers.can_serve(FAR, 53):
                raise Skipped(f"port 53 of {FAR} is not to be had")
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp, socket.create_server((FAR, 53)) as tcp:
                udp.bind((FAR, 53))
                said = place.client(port).refused("resolve", "bot.far.com")
                require("refers to other servers" in said and f"far.com.{APEX}".rstrip(".") in said, said)
                require(not select.select([udp, tcp], [], [], 0)[0], "it was asked")


def main():
    report = Report("client over TLS")
    with tempfile.TemporaryDirectory(prefix="steward-client-tls-") as name:
        folder = pathlib.Path(name)
        certificates = make_certificates(folder)
        port = servers.free_port(["127.0.0.1"])
        with World(folder, options=tls_options(certificates, port)) as world:
            place = Place(folder, world.anchor, certificates)
            reads(report, place, port)
            refuses(report, place, certificates)
            pins(report, place, certificates, port)
            never_in_the_clear(report, place, world)
        (folder / "find").mkdir()
        finds(report, folder / "find", certificates)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
