#!/usr/bin/python3
"""A registry that nobody can reach: it sends its feed to its parent, which answers for its namespace. Published, rotated and withdrawn there, seen at
the parent and at the root; over `kill -9` of either, a parent that was restored, and what strangers send.

    behind_nat.py

A root, com, and acme.com and beta.com behind NAT, which listen for their own network alone; each at port 53 of an address of its own: as root, or in a
user and network namespace.
"""

import itertools
import json
import os
import pathlib
import socket
import ssl
import struct
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "support"), str(HERE.parent / "conformance")]

import dns.edns
import dns.message
import dns.rcode
import dns.rdatatype
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

import namespaces
import sig0_key
from publisher import Publisher, a2a_card, steward_manifest
from registrant import NONCE_OPTION, Registrant, record
from registries import ADDRESS, APEX, TLS_PORT, Node, delegated
from registry import eventually
from report import require

SOON = 20
UPDATE, IN, SOA, TXT, OPT = 5 << 11, 1, 6, 16, 41


class Hidden(Node):
    """A registry that no other can call: it has no endpoint for TLS, and names no server."""

    def __init__(self, folder, space, number, push="hosted"):
        super().__init__(folder, space, number)
        self.options.pop("tls")
        self.options["registry"]["push"] = push

    def push(self):
        return json.loads(self.run("status", "--json").stdout)["push"]

    def feed(self):
        return f"{self.replica()}._feed.{self.zone}"


class Day:
    def __init__(self, folder, root, com, acme):
        self.folder, self.root, self.com, self.acme = pathlib.Path(folder), root, com, acme
        self.publisher = Publisher(self.folder / "publisher", f"{acme.address}@53", acme.space)
        self.publisher.done("keygen")
        self.reader = Publisher(self.folder / "reader", f"{com.address}@53", com.space)
        self.anchor = self.folder / "anchor.ds"

    def publish(self, label, version="1.0.0", manifest=steward_manifest):
        self.publisher.done("publish", self.publisher.write(f"{label}.json", manifest(label, version)))
        return f"{label}.{self.acme.zone}"

    def import_crew(self, word, count):
        """Imports so many agents: their names."""
        folder = self.folder / word
        folder.mkdir()
        labels = [f"{word}-{number}" for number in range(count)]
        for label in labels:
            (folder / f"{label}.json").write_text(json.dumps(steward_manifest(label)))
        self.acme.run("import", str(folder))
        return {f"{label}.{self.acme.zone}" for label in labels}

    def client(self, *words, status=0):
        """The client in the world, which can reach com alone."""
        self.anchor.write_text("\n".join(self.com.ds()) + "\n")
        done = self.reader.run(*words, "--trust-anchor", self.anchor, "--json")
        require(done.returncode == status, f"{words} ended with {done.returncode}: {done.stdout}{done.stderr}")
        return json.loads(done.stdout) if done.stdout else {}


def joined(parent, child):
    token = json.loads(parent.run("invite", "--namespace", child.space, "--json").stdout)["token"]
    return child.join("--token", token, "--wait", check=True)


def found(node, term="plan"):
    """Agents on all pages of a term."""
    agents, page = set(), f"{term}._find._agents.{node.zone}"
    while page:
        reply = node.ask(page, "PTR", False)
        agents |= {rdata.target.to_text() for rrset in reply.answer for rdata in rrset}
        following = [text[5:].decode() for rdata in texts(node, page) for text in rdata if text.startswith(b"next=")]
        page = f"_p{following[0]}.{term}._find._agents.{node.zone}" if following and following[0] else None
    return agents


def texts(node, name):
    return [rdata.strings for rrset in node.ask(name, "TXT", False).answer for rdata in rrset]


def fields(node, name):
    return {key.decode(): value.decode() for strings in texts(node, name) for key, _, value in (text.partition(b"=") for text in strings)}


def row(parent, child):
    rows = {each["child"]: each for each in json.loads(parent.run("peers", "--json").stdout)["children"]}
    return rows.get(child.zone, {})


def wait_found(node, agents, term="plan", seconds=SOON):
    eventually(lambda: f"{agents} by {term} at {node.zone}; it finds {found(node, term)}\n{node.log_tail(12)}", lambda: found(node, term) == set(agents), seconds)


def wait_fields(node, name, **wanted):
    eventually(lambda: f"{wanted} at {name}; {node.zone} says {fields(node, name)}\n{node.log_tail(8)}",
               lambda: wanted.items() <= fields(node, name).items(), SOON)


def register(report, day):
    root, com, acme = day.root, day.com, day.acme
    with report.case("register: a registry without a server that the parent could reach is let in, and told that it is hosted"):
        done = joined(com, acme)
        require("answers for" in done.stdout, done.stdout + done.stderr)
        require(com.children()[acme.space]["state"] == "hosted" and not delegated(com, acme), com.children())
        require(not [rrset for rrset in com.ask(acme.zone, "NS").authority if rrset.rdtype == dns.rdatatype.NS], "it is delegated")
    with report.case("what was published before and since is found at the parent and at the root, and the parent fetches nothing"):
        wait_found(com, ["early." + acme.zone])
        agents = ["early." + acme.zone, day.publish("planner")]
        wait_found(com, agents)
        wait_found(root, agents)
        seen = row(com, acme)
        require(seen["pushed"] and seen["hosted"] and seen["primary"] == "" and seen["agents"] == 2, seen)
        require("transfer.out" not in acme.log_text(), acme.log_tail())
        eventually(lambda: f"all acknowledged: {acme.push()}", lambda: acme.push()["current"] and acme.push()["error"] == "", SOON)
        require("the parent has our feed up to serial" in acme.run("status").stdout, acme.run("status").stdout)
        require("push" in acme.run("health").stdout, acme.run("health").stdout)
    with report.case("each message is known by its certificates and its signature, as every registry's request"):
        require(com.requests()["accepted"] >= acme.push()["messages"] > 0 and not com.requests()["by_rule"], com.requests())


def hosting(report, day):
    com, acme = day.com, day.acme
    agent = f"planner.{acme.zone}"
    with report.case("the parent answers the agent at its own name, signed: statement, KEY, the registry's word"):
        for name, rdtype in ((agent, "TXT"), (agent, "KEY"), (f"_registry.{agent}", "TXT")):
            answer = com.ask(name, rdtype).answer
            kinds = {rrset.rdtype for rrset in answer}
            require(dns.rdatatype.from_text(rdtype) in kinds and dns.rdatatype.RRSIG in kinds, f"{name} {rdtype}: {answer}")
        require(fields(com, agent)["version"] == "1.0.0" and fields(com, f"_registry.{agent}")["registry"] == "com.acme", fields(com, f"_registry.{agent}"))
        require(com.ask(acme.zone, "TXT").rcode() == dns.rcode.NOERROR, "the namespace is no empty non-terminal")
    with report.case("and an agent with endpoints: SRV, SVCB, and the listings below its namespace"):
        translator = day.publish("translator", manifest=a2a_card)
        wait_fields(com, translator, version="1.0.0")
        for rdtype in ("SRV", "SVCB"):
            require(com.ask(translator, rdtype, False).answer, rdtype)
        listed = com.ask(f"_a2a._tcp.{acme.zone}", "PTR", False).answer
        require("translator._a2a._tcp" in listed[0].to_text(), listed)
    with report.case("resolve, verify and discover find it in the world, where its registry is not to be reached"):
        require(day.client("resolve", agent.rstrip("."))["version"] == "1.0.0", "another version")
        day.client("verify", agent.rstrip("."))
        names = {each["agent"].rstrip(".") + "." for each in day.client("discover", "plan", "--namespace", com.space)["agents"]}
        require(agent in names, names)


def changes(report, day):
    root, com, acme = day.root, day.com, day.acme
    agent = f"planner.{acme.zone}"
    with report.case("a new version, a rotated key and a withdrawal go the same way"):
        day.publish("planner", "1.1.0")
        wait_fields(com, agent, version="1.1.0")
        day.publisher.done("keygen", "--agent-id", "planner")
        made = day.publisher.done("keygen", "--agent-id", "planner", "--rotate")
        day.publisher.done("rotate", "planner")
        wait_fields(com, f"_keys.{agent}", n="1")
        wait_fields(com, agent, fp=made["fingerprint"])
        day.client("verify", agent.rstrip("."))
        day.publisher.done("withdraw", "translator")
        wait_fields(com, f"translator.{acme.zone}", status="withdrawn")
        require(not com.ask(f"_a2a._tcp.{acme.zone}", "PTR", False).answer, "it is listed")
        wait_found(root, [], "translate")
    with report.case("many agents in messages that each hold whole ones, and fewer than 64 KiB"):
        everyone = day.import_crew("crew", 60) | {f"{label}.{acme.zone}" for label in ("early", "planner")}
        wait_found(com, everyone)
        wait_found(root, everyone)
        require(acme.push()["messages"] > 2, acme.push())
        return everyone


def endure(report, day, everyone):
    root, com, acme = day.root, day.com, day.acme
    with report.case("parent down: the child tries again, and nothing is lost"):
        com.kill()
        everyone.add(day.publish("patient"))
        eventually(lambda: f"a push that failed: {acme.push()}", lambda: acme.push()["error"] != "" and acme.push()["retry_at"], SOON)
        com.start()
        wait_found(com, everyone)
        wait_found(root, everyone)
    with report.case("the child killed behind a publish goes on where the parent says it is"):
        everyone.add(day.publish("steady"))
        acme.kill()
        acme.start()
        everyone.add(day.publish("again"))
        wait_found(root, everyone)
    with report.case("both killed right behind an import, of which the parent may have some"):
        late = day.import_crew("late", 30)
        com.kill()
        acme.kill()
        com.start()
        acme.start()
        everyone |= late
        wait_found(com, everyone)
        wait_found(root, everyone)


def resync(report, day, everyone):
    root, com, acme = day.root, day.com, day.acme
    data = com.folder / "data"
    with report.case("a parent that was restored is behind: the child finds it so, and sends what lacks"):
        backup = day.folder / "com.backup"
        com.run("backup", str(backup))
        everyone.add(day.publish("after-the-backup"))
        day.publisher.done("withdraw", "steady")
        everyone.discard(f"steady.{acme.zone}")
        wait_found(com, everyone)
        com.stop()
        (data / "store").rename(data / "store-before")
        com.run("restore", str(backup))
        com.start()
        everyone.add(day.publish("after-the-restore"))
        wait_found(com, everyone)
        wait_found(root, everyone)
        wait_fields(com, f"steady.{acme.zone}", status="withdrawn")
    with report.case("a child whose feed is another since it was restored sends all of it"):
        backup = day.folder / "acme.backup"
        acme.run("backup", str(backup))
        acme.stop()
        before = acme.folder / "data"
        (before / "store").rename(before / "store-before")
        acme.run("restore", str(backup))
        acme.start()
        everyone.add(day.publish("reborn"))
        wait_found(com, everyone, seconds=40)
        wait_found(root, everyone)


class Stranger:
    """Sends com what it likes, with a registry's own key and certificates, or a key that nobody knows."""

    ids = itertools.count(1)

    def __init__(self, com, certificate, key, signer):
        self.com, self.certificate = com, certificate
        self.key = sig0_key.Sig0Key(signer)
        if key is not None:
            self.key.private = key
            public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
            self.key.rdata = self.key.rdata[:4] + public

    @classmethod
    def of(cls, com, node):
        private = load_pem_private_key(pathlib.Path(node.key["private_key"]).read_bytes(), None)
        label = node.space.split(".")[0]
        return cls(com, (node.key["private_key"] + ".crt", node.key["private_key"]), private, f"{label}._registries._agents.{com.zone}")

    def message(self, feed, updates=(), prerequisites=(), signed=True):
        option = struct.pack("!HH", NONCE_OPTION, 16) + os.urandom(16)
        opt = b"\0" + struct.pack("!HHIH", OPT, 1232, 0, len(option)) + option
        header = struct.pack("!HHHHHH", next(self.ids), UPDATE, 1, len(prerequisites), len(updates), 1)
        octets = header + dns.name.from_text(feed).to_wire() + struct.pack("!HH", SOA, IN) + b"".join(prerequisites) + b"".join(updates) + opt
        return self.key.sign(octets) if signed else octets

    def send(self, octets):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.set_alpn_protocols(["dot"])
        if self.certificate:
            context.load_cert_chain(*self.certificate)
        with socket.create_connection((self.com.address, TLS_PORT), timeout=10) as plain, context.wrap_socket(plain) as stream:
            stream.sendall(struct.pack("!H", len(octets)) + octets)
            answer = stream.recv(65535)
            while len(answer) < 2 or len(answer) < 2 + struct.unpack("!H", answer[:2])[0]:
                answer += stream.recv(65535)
        return dns.rcode.to_text(answer[5] & 15), answer


def strangers(report, day, beta):
    com, acme = day.com, day.acme
    feed = acme.feed()
    child, other = Stranger.of(com, acme), Stranger.of(com, beta)
    rules = lambda: com.requests()["by_rule"]
    evil = [record(f"evil.{feed}", TXT, b"\x04evil")]
    with report.case("what the parent holds is told to the child alone"):
        code, answer = child.send(child.message(feed))
        require(code == "NOERROR" and b"steward-push1" in answer, f"{code} {answer}")
    with report.case("refused, counted and told in the log: the same message again"):
        message = child.message(feed)
        require(child.send(message)[0] == "NOERROR", "the first")
        before = rules().get("replay", 0)
        require(child.send(message)[0] == "REFUSED" and rules()["replay"] == before + 1, rules())
    with report.case("likewise: another child's word on this feed, a key that nobody knows, no signature, no certificate"):
        before = rules()
        nobody = Registrant("nobody", com.zone, APEX)
        unknown = Stranger(com, (nobody.certificate(day.folder),), None, f"acme._registries._agents.{com.zone}")
        bare = Stranger.of(com, acme)
        bare.certificate = None
        for sender, signed in ((other, True), (unknown, True), (child, False), (bare, True)):
            require(sender.send(sender.message(feed, evil, signed=signed))[0] == "REFUSED", f"{sender.key.owner} {signed}")
        after = rules()
        grown = {rule: after[rule] - before.get(rule, 0) for rule in after if after[rule] != before.get(rule, 0)}
        require(sum(grown.values()) == 4 and grown.get("key", 0) >= 2 and grown["request"] == 1, grown)
        require("registry.refused" in com.log_text(), com.log_tail())
    with report.case("likewise: the child's own, where it is no message of a feed: no prerequisite, a record that no feed has, a name elsewhere"):
        before = rules().get("form", 0)
        for updates in (evil, [record(f"planner.{feed}", 1, bytes(4))], [record(f"evil.{com.zone}", TXT, b"\x04evil")]):
            require(child.send(child.message(feed, updates))[0] == "FORMERR", updates)
        require(rules()["form"] == before + 3, rules())
    with report.case("a feed of a registry that is no child, and one that is fetched, take no UPDATE"):
        require(child.send(child.message(f"main-0000._feed.gamma.{com.zone}"))[0] in ("NOTAUTH", "REFUSED"), "taken")
        require(child.send(child.message(f"main-0000._feed.{com.zone}"))[0] in ("NOTAUTH", "REFUSED"), "taken")
    require("evil" not in json.dumps(sorted(found(com, "evil"))), "it is listed")


def move(report, day, everyone):
    root, com, acme = day.root, day.com, day.acme
    agent = f"planner.{acme.zone}"

    def restarted(push, reached):
        acme.stop()
        acme.options["registry"]["push"] = push
        acme.options.pop("tls", None)
        if reached:
            acme.options["tls"] = {"listen": [f"{acme.address}@{TLS_PORT}"]}
        acme.start()

    with report.case("with an address of its own it is delegated to, and its feed is fetched; until then the parent answers"):
        restarted("none", True)
        silent = []

        def leads_on():
            reply = com.ask(agent, "TXT")
            if not reply.answer and not any(rrset.rdtype == dns.rdatatype.NS for rrset in reply.authority):
                silent.append(reply.to_text())
            return delegated(com, acme)

        eventually(lambda: f"delegated: {com.children()}\n{com.log_tail(12)}", leads_on, SOON)
        require(not silent, silent)
        eventually(lambda: f"fetched: {row(com, acme)}", lambda: not row(com, acme)["pushed"] and row(com, acme)["agents"] == len(everyone), SOON)
        everyone.add(day.publish("in-the-open"))
        wait_found(root, everyone)
        reply = com.ask(agent, "TXT")
        require(not reply.answer and any(rrset.rdtype == dns.rdatatype.NS for rrset in reply.authority), reply)
    with report.case("and back behind NAT, with all its agents"):
        restarted("hosted", False)
        eventually(lambda: f"hosted: {com.children()}\n{com.log_tail(12)}", lambda: not delegated(com, acme) and fields(com, agent).get("version"), SOON)
        everyone.add(day.publish("hidden-again"))
        wait_found(com, everyone)
        wait_found(root, everyone)
    with report.case("a zone file of the parent's that is read again leaves what it hosts"):
        com.write_zone(["more 300 TXT more"])
        com.run("zone", "reload", com.zone)
        require(com.ask(f"more.{com.zone}", "TXT").answer and fields(com, agent).get("version"), com.log_tail())


def leave(report, day, everyone):
    root, com, acme = day.root, day.com, day.acme
    with report.case("a child that is removed has nothing listed or answered any more"):
        com.run("pending", "remove", acme.space)
        wait_found(com, [])
        wait_found(root, [])
        require(com.ask(f"planner.{acme.zone}", "TXT").rcode() == dns.rcode.NXDOMAIN, com.ask(f"planner.{acme.zone}", "TXT"))
        require(com.ask(acme.zone, "TXT").rcode() == dns.rcode.NXDOMAIN, "its namespace is there")
    with report.case("and comes back with all of them when it is invited again, though the parent's zone of its feed begins anew"):
        joined(com, acme)
        wait_found(com, everyone)
        wait_found(root, everyone)
        wait_fields(com, f"planner.{acme.zone}", v="steward1")


def run(report, folder, started):
    def up(node):
        node.options["registry"] |= {"open": True, "custody-key": "custody.pem"}
        started.append(node)
        return node.start()

    root = up(Node(folder, ".", 1))
    com = up(Node(folder, "com", 2, "rsa4096").below(root, root))
    acme = up(Hidden(folder, "acme.com", 3).below(com, root))
    day = Day(folder, root, com, acme)
    day.publish("early")
    joined(root, com)
    register(report, day)
    hosting(report, day)
    everyone = changes(report, day)
    endure(report, day, everyone)
    resync(report, day, everyone)
    move(report, day, everyone)
    beta = up(Hidden(folder, "beta.com", 4, push="delegated").below(com, root))
    with report.case("one whose servers the parent can reach, but not its feed: delegated to, and sent"):
        token = json.loads(com.run("invite", "--namespace", beta.space, "--json").stdout)["token"]
        beta.join("--token", token, check=True)
        eventually(lambda: f"delegated: {com.children()}", lambda: delegated(com, beta), SOON)
        require(row(com, beta)["pushed"] and not row(com, beta)["hosted"], row(com, beta))
        eventually(lambda: f"all acknowledged: {beta.push()}", lambda: beta.push()["current"], SOON)
    strangers(report, day, beta)
    leave(report, day, everyone)


def main():
    return namespaces.report_at_port_53("behind_nat", ADDRESS[APEX], "steward-nat-", "a registry behind NAT sends its feed", run)


if __name__ == "__main__":
    sys.exit(main())
