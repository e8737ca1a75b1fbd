"""Registries that register with each other: each on an address of its own and port 53, with an identity, and the DNS of the real domains
beside them, which stands for a validating resolver."""

import json
import pathlib
import subprocess

import dns.message
import dns.query
import dns.rdatatype

import peers
import servers
from registry import eventually
from report import require

APEX = "steward-registry.org."
NET = "127.53.61."
ADDRESS = {".": NET + "9", APEX: NET + "1"}
TLS_PORT = 8530
OPERATOR = ("operator.", "b3BlcmF0b3ItYXQtaGlzLWtleWJvYXJk")  # a TSIG key, and its secret


class Node(peers.Ours):
    """A registry on its own address, with an identity."""

    def __init__(self, folder, space, number, algorithm="ed25519", registration=None, more=(), servers_of=None):
        self.space = space
        self.zone = APEX if space == "." else f"{space}.{APEX}"
        self.folder_of_zone = pathlib.Path(folder) / (space if space != "." else "root")
        self.folder_of_zone.mkdir()
        self.file = self.folder_of_zone / "zone"
        self.ns = servers_of or [("ns", NET + str(number))]
        self.write_zone(more)
        self.key = None
        options = {"registry": {"namespace": space, "registration": registration or {}}, "outgoing": [NET + str(number)]}
        super().__init__([servers.Zone(self.zone, self.file, True)], addresses=[NET + str(number)], options=options, update_key=OPERATOR)
        self.port = 53
        self.zones[0].options["allow-update"] = [{"key": OPERATOR[0], "names": [f"subdomain _registries._agents.{self.zone}"], "types": ["KEY"]}]
        keygen = subprocess.run([self.program, "keygen", "--algorithm", algorithm, "--out", str(self.folder_of_zone), "--json"],
                                capture_output=True, text=True, check=True)
        self.key = json.loads(keygen.stdout)
        self.options["registry"]["identity"] = self.key["private_key"]
        self.options["tls"] = {"listen": [f"{self.address}@{TLS_PORT}"]}

    def write_zone(self, more=()):
        lines = [f"$ORIGIN {self.zone}", "$TTL 300", "@ 60 SOA ns hostmaster 1 3600 600 604800 60"]
        lines += [line for name, address in self.ns for line in (f"@ NS {name}", f"{name} A {address}")]
        self.file.write_text("\n".join([*lines, *more]) + "\n")

    def below(self, parent, root):
        self.options["registry"] |= {"parent": parent.zone.rstrip("."), "root-ca": f"{root.key['private_key']}.ca"}
        self.parent = parent
        return self

    def join(self, *words, check=False):
        """`register`: the finished process."""
        return self.run("register", "--parent", self.parent.zone, "--namespace", self.space, "--pubkey", self.key["public_key"],
                        "--at", f"{self.parent.address}@{TLS_PORT}", *words, check=check, timeout=120)

    def let_in(self, child):
        """Invites the child, which joins, and waits until it is delegated to."""
        token = json.loads(self.run("invite", "--namespace", child.space, "--json").stdout)["token"]
        done = child.join("--token", token, "--wait")
        require(done.returncode == 0 and delegated(self, child), done.stdout + done.stderr)

    def revoke(self, child):
        """Removes the child's KEY."""
        words = f"server {self.address} 53\nzone {self.zone}\nupdate delete {child.space.split('.')[0]}._registries._agents.{self.zone} KEY\nsend\n"
        done = subprocess.run(["nsupdate", "-y", "hmac-sha256:" + ":".join(OPERATOR)], input=words, capture_output=True, text=True, timeout=30, check=False)
        if done.returncode != 0:
            raise servers.ServerError(done.stdout + done.stderr)

    def children(self):
        return {row["namespace"]: row for row in json.loads(self.run("pending", "list", "--json").stdout)["children"]}

    def replica(self):
        return json.loads(self.run("status", "--json").stdout)["replica"]

    def requests(self):
        """Of registries, beside registrations: accepted, refused, by_rule."""
        return json.loads(self.run("status", "--json").stdout)["registrations"]["requests"]

    def refusals(self):
        return json.loads(self.run("status", "--json").stdout)["registrations"]["by_rule"]

    def ask(self, name, rdtype, dnssec=True):
        return dns.query.tcp(dns.message.make_query(name, rdtype, want_dnssec=dnssec), self.address, port=53, timeout=5)

    def ds(self):
        keys = json.loads(self.run("zone", "keys", self.zone, "--json").stdout)
        return [line for key in keys["keys"] for line in key["ds"]]


def delegated(parent, child):
    """NS and DS of the child as its parent answers them."""
    reply = parent.ask(child.zone, "DS")
    return any(rrset.rdtype == dns.rdatatype.DS for rrset in reply.answer)


class World(peers.Ours):
    """The DNS of the real domains."""

    def __init__(self, folder):
        self.file = pathlib.Path(folder) / "world.zone"
        self.lines = ["$TTL 60", ". SOA ns.invalid. hostmaster.invalid. 1 3600 600 604800 60", ". NS ns.invalid.", f"ns.invalid. A {ADDRESS['.']}"]
        self.publish(None)
        super().__init__([servers.Zone(".", self.file)], addresses=[ADDRESS["."]])
        self.port = 53

    def withdraw(self, line):
        """It is no longer there."""
        self.lines.remove(line)
        self.file.write_text("\n".join(self.lines) + "\n")
        name = line.split()[0]
        eventually(f"{name} is gone", lambda: not dns.query.udp(dns.message.make_query(name, "TXT"), self.address, port=53, timeout=5).answer)

    def publish(self, line):
        if line:
            self.lines.append(line)
        self.file.write_text("\n".join(self.lines) + "\n")
        if line:
            eventually(line, lambda: dns.query.udp(dns.message.make_query(line.split()[0], "TXT"), self.address, port=53, timeout=5).answer)
