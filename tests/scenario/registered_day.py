#!/usr/bin/python3
"""Registries that have registered follow each other with nothing in their configurations: the parent takes the child's feed, over TLS with both
certificates and signed requests, is told of each change, leaves off when the child leaves or its KEY is removed, and takes no word of it for what is
another's.

    registered_day.py

A root, com and acme.com, each at port 53 of an address of its own: as root, or in a user and network namespace.
"""

import json
import pathlib
import socket
import ssl
import struct
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "support"), str(HERE.parent / "conformance")]

import dns.message
import dns.query
import dns.rcode

import namespaces
import peers
import publishing
import servers
from feeds import Feed
from publisher import Publisher, steward_manifest
from registries import ADDRESS, APEX, TLS_PORT, Node
from registry import eventually
from report import require

SOON = 20
MOST_AGENTS = 4


def rows(node):
    return {row["child"]: row for row in json.loads(node.run("peers", "--json").stdout)["children"]}


def found(node, term):
    reply = node.ask(f"{term}._find._agents.{node.zone}", "PTR", False)
    return {rdata.target.to_text() for rrset in reply.answer for rdata in rrset}


def wait_found(node, agent, term="plan", there=True):
    eventually(lambda: f"{agent} {'at' if there else 'off'} {node.zone}: {found(node, term)}\n{node.log_tail(12)}",
               lambda: (agent in found(node, term)) == there, SOON)


def publish(folder, node, label, version="1.0.0"):
    home = pathlib.Path(folder) / f"home-{node.space}"
    publisher = Publisher(home, f"{node.address}@53", node.space) if not home.exists() else publish.homes[home]
    if home not in publish.homes:
        publish.homes[home] = publisher
        publisher.done("keygen")
    publisher.done("publish", publisher.write(f"{label}.json", steward_manifest(label, version)))
    return f"{label}.{node.zone}"


publish.homes = {}


def transfer(node, feed, certificate=None):
    """Response code of an AXFR of the feed over TLS, unsigned."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["dot"])
    if certificate:
        context.load_cert_chain(certificate + ".crt", certificate)
    message = dns.message.make_query(feed, "AXFR").to_wire()
    with socket.create_connection((node.address, TLS_PORT), timeout=10) as plain, context.wrap_socket(plain) as stream:
        stream.sendall(struct.pack("!H", len(message)) + message)
        octets = stream.recv(65535)
        while len(octets) < 6:
            octets += stream.recv(65535)
        return dns.rcode.to_text(octets[5] & 15)


def follow(report, folder, root, com, acme):
    with report.case("what was published before the registration is found at the parent and at the root, with no word in their configurations"):
        early = publish(folder, acme, "early")
        root.let_in(com)
        com.let_in(acme)
        wait_found(com, early)
        wait_found(root, early)
    with report.case("peers shows the child, and where its feed is had"):
        row = rows(com)[acme.zone]
        require(row["primary"] == f"{acme.address}@{TLS_PORT}" and row["error"] == "" and row["agents"] == 1, row)
        require(row["feed"] == f"{row['replica']}._feed.{acme.zone}", row)
    with report.case("who has registered has the ceiling of trust and the quota that the parent gives to all of them"):
        require(row["registered"] and row["trust_ceiling"] == 0.05 and row["agents_limit"] == MOST_AGENTS, row)
        texts = [rdata.to_text() for rrset in com.ask(f"early.acme._ref._agents.{com.zone}", "TXT", False).answer for rdata in rrset]
        require(any('"v=steward-registry1"' in text and '"trust=0.05"' in text for text in texts), texts)
    with report.case("the child tells its parent of a change, which is at the root within two seconds"):
        begun = time.monotonic()
        late = publish(folder, acme, "late")
        wait_found(root, late)
        require(time.monotonic() - begun < 2, f"{time.monotonic() - begun:.1f} s")
    with report.case("the feed goes over TLS 1.3 with both certificates, each request signed"):
        text = acme.log_text()
        require("transfer.out" in text and f"registry={com.zone}" in text, acme.log_tail())
        require("tls=TLSv1.3" in com.log_text() or 'tls="TLSv1.3' in com.log_text(), com.log_tail())
        require(acme.requests()["accepted"] > 0 and com.requests()["accepted"] > 0, f"{acme.requests()} {com.requests()}")


def refuse(report, root, com, acme):
    feed = rows(com)[acme.zone]["feed"]
    with report.case("refused: the feed, to who shows no certificate"):
        require(transfer(acme, feed) == "REFUSED", "it was sent")
    with report.case("refused: the feed, to another registry's certificate, and to the parent's without a signature"):
        before = acme.requests()["refused"]
        require(transfer(acme, feed, root.key["private_key"]) == "REFUSED", "sent to the root")
        require(transfer(acme, feed, com.key["private_key"]) == "REFUSED", "sent without a signature")
        after = acme.requests()
        require(after["refused"] == before + 2 and after["by_rule"].get("request", 0) >= 2, after)
        require("registry.refused" in acme.log_text(), acme.log_tail())


def endure(report, folder, com, acme, root):
    with report.case("a parent that was down follows on, by itself"):
        com.kill()
        lost = publish(folder, acme, "unheard")
        com.start()
        wait_found(com, lost)
        wait_found(root, lost)
    with report.case("a child that was restored is another replica: it says so, and is followed"):
        old = rows(com)[acme.zone]["replica"]
        backup = pathlib.Path(folder) / "acme.backup"
        acme.run("backup", str(backup))
        acme.stop()
        data = acme.folder / "data"
        (data / "store").rename(data / "store-before")
        acme.run("restore", str(backup))
        acme.start()
        eventually(lambda: f"another replica than {old}: {rows(com)}\n{acme.log_tail()}", lambda: rows(com)[acme.zone]["replica"] != old, SOON)
        again = publish(folder, acme, "restored")
        wait_found(root, again)


def limit(report, folder, com, acme):
    with report.case("one agent more than the quota is refused, listed with the reason, and told in the log"):
        require(rows(com)[acme.zone]["agents"] == MOST_AGENTS, rows(com))
        agent = publish(folder, acme, "toomany")
        eventually(lambda: f"{rows(com)}\n{com.log_tail()}", lambda: rows(com)[acme.zone]["refused"] == 1, SOON)
        refused = json.loads(com.run("peers", "--refused", "--json").stdout)["refused"]
        require([(row["agent"], row["rule"], row["listed"]) for row in refused] == [(agent, "quota", False)], refused)
        require(agent not in found(com, "plan") and "feed.refused" in com.log_text(), com.log_tail())


class Liar(peers.Ours):
    """Serves as the child what the child's own program never would: at its address, with its key and its certificates, a feed that is made by hand."""

    def __init__(self, folder, child, feed):
        self.feed, self.file = feed, pathlib.Path(folder) / "liar.zone"
        identity = child.key["private_key"]
        super().__init__([servers.Zone(feed.name, self.file, False, {"allow-transfer": ["127.53.0.0/16"]})], addresses=[child.address],
                         options={"tls": {"listen": [f"{child.address}@{TLS_PORT}"], "certificate": f"{identity}.crt", "key": identity}})
        self.port = 53


def lie(report, folder, root, com, acme):
    """A registered child turns to lying about what is not its own."""
    com.let_in(acme)
    agent = f"early.{acme.zone}"
    wait_found(com, agent)
    before = rows(com)[acme.zone]
    feed = Feed(acme.space, before["replica"])
    feed.serial = before["serial"] + 1000
    key = publishing.Key(pathlib.Path(folder) / "lie", feed.agent("posing"))
    feed.publish("posing", key, capabilities="pose")
    feed.registry = "com.beta"  # and all that is said is said in a sibling's name
    feed.publish("moved", key, capabilities="pose", signer_of=f"bot.beta.{com.zone}")
    victim = f"planner.beta.{com.zone}"
    feed.publish(victim.rstrip("."), key, capabilities="pose", signer_of=victim)
    acme.stop()
    liar = Liar(folder, acme, feed)
    feed.write(liar.file)
    with liar:
        liar.wait_ready()
        # It cannot tell of a change, for it keeps to the lie; a parent asks when it starts.
        com.stop()
        com.start()
        with report.case("a child that lies: others' agents, at its names or at theirs, are refused one by one, counted, listed and logged"):
            eventually(lambda: f"{rows(com)[acme.zone]}\n{com.log_tail(12)}", lambda: rows(com)[acme.zone]["followed_to"] == feed.serial, SOON)
            refused = {row["agent"]: row for row in json.loads(com.run("peers", "--refused", "--json").stdout)["refused"]}
            lies = {f"moved.{acme.zone}", f"{victim}{acme.zone}"}
            require(set(refused) == lies and all(row["rule"] == "unsound" and not row["listed"] for row in refused.values()), refused)
            require(rows(com)[acme.zone]["refused"] == len(lies) and all(f"agent={name}" in com.log_text() for name in lies), com.log_tail())
        with report.case("what it signs itself stands below its own name, in its parent's words; what it left out is gone"):
            posing = f"posing.{acme.zone}"
            for node in (com, root):
                wait_found(node, posing, "pose")
                require(found(node, "pose") == {posing}, found(node, "pose"))
                wait_found(node, agent, there=False)
            texts = [rdata.to_text() for rrset in com.ask(f"posing.acme._ref._agents.{com.zone}", "TXT", False).answer for rdata in rrset]
            require(any('"registry=com"' in text for text in texts) and not any("com.beta" in text for text in texts), texts)
            for name in (f"planner.beta._ref._agents.{com.zone}", f"bot.beta._ref._agents.{com.zone}"):
                require(not com.ask(name, "TXT", False).answer, name)


def end(report, folder, root, com, acme):
    with report.case("its KEY removed, the child is revoked: not followed, not listed, counted, told in the log"):
        agent = f"late.{acme.zone}"
        com.revoke(acme)
        wait_found(com, agent, there=False)
        wait_found(root, agent, there=False)
        require(acme.zone not in rows(com), rows(com))
        require(json.loads(com.run("status", "--json").stdout)["registrations"]["revoked"] == 1 and "registry.revoked" in com.log_text(), com.log_tail())
    with report.case("a child that is removed ends likewise, and comes back with all its agents when it is invited again"):
        com.run("pending", "remove", acme.space)
        com.let_in(acme)
        wait_found(root, agent)
        com.run("pending", "remove", acme.space)
        wait_found(root, agent, there=False)


def run(report, folder, started):
    def up(node):
        node.options["registry"] |= {"open": True, "custody-key": "custody.pem"}
        started.append(node)
        return node.start()

    root = up(Node(folder, ".", 1))
    com = up(Node(folder, "com", 2, "rsa4096", registration={"trust-ceiling": 0.05, "agents": MOST_AGENTS}).below(root, root))
    acme = Node(folder, "acme.com", 3).below(com, root)
    acme.options["registry"]["trust"] = {"unknown": 0.9}
    up(acme)
    follow(report, folder, root, com, acme)
    refuse(report, root, com, acme)
    endure(report, folder, com, acme, root)
    limit(report, folder, com, acme)
    end(report, folder, root, com, acme)
    lie(report, folder, root, com, acme)


def main():
    return namespaces.report_at_port_53("registered_day", ADDRESS[APEX], "steward-registered-", "registered registries follow each other", run)


if __name__ == "__main__":
    sys.exit(main())
