#!/usr/bin/python3
"""The life of a registration: a child rolls its key and its DS at the parent follows, told by NOTIFY(CDS) (RFC 7344, RFC 9859); it moves to other
name servers; certificates are renewed in time, with the clock in our hand, and the proof of its domain looked at again then; a parent that is known by the trust anchor alone and loses its KEY is refused.

    register_life.py

A root, com and acme.com, each at port 53 of an address of its own: as root, or in a user and network namespace.
"""

import datetime
import json
import os
import pathlib
import struct
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "support"), str(HERE.parent / "conformance")]

import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.query
import dns.rcode
import dns.rdatatype

import clock_shift
import namespaces
import peers
import servers
from publisher import Publisher, steward_manifest
from registries import ADDRESS, APEX, NET, Node, World, delegated
from registry import eventually
from report import require

SHORT = {"dnskey-ttl": "1s", "ds-ttl": "1s", "propagation-delay": "1s"}
SOON = 60
DSYNC = 66
LATER = 250  # days


def rdatas(node, name, rdtype):
    reply = node.ask(name, rdtype)
    return {rdata.to_text() for section in (reply.answer, reply.authority) for rrset in section if rrset.rdtype == dns.rdatatype.from_text(rdtype) for rdata in rrset}


def notify(node, name, rdtype):
    message = dns.message.make_query(name, rdtype)
    message.flags = dns.flags.AA
    message.set_opcode(dns.opcode.NOTIFY)
    return dns.rcode.to_text(dns.query.udp(message, node.address, port=53, timeout=5).rcode())


def signals(report, com, acme):
    with report.case("the parent says where NOTIFY(CDS) goes, takes it of its children, and of nobody else [RFC 9859 §3, §4]"):
        wanted = struct.pack("!HBH", dns.rdatatype.CDS, 1, 53) + dns.name.from_text(f"ns.{com.zone}").to_wire()
        said = [rdata.to_generic().data for rrset in com.ask(f"acme._dsync.{com.zone}", DSYNC).answer if rrset.rdtype == DSYNC for rdata in rrset]
        require(said == [wanted], said)
        require(notify(com, acme.zone, "CDS") == "NOERROR", "refused")
        require(notify(com, f"other.{com.zone}", "CDS") == "NOTAUTH", "taken")
        require(notify(com, acme.zone, "DNSKEY") == "FORMERR", "taken")


def key_roll(report, root, com, acme):
    with report.case("a child rolls its key: the DS follows its CDS, the child sees it, and the old key is retired"):
        before = rdatas(com, acme.zone, "DS")

        def states():
            keys = json.loads(acme.run("zone", "keys", acme.zone, "--json").stdout)["keys"]
            return {key["state"] for key in keys if key["role"].lower() == "ksk"}

        eventually(lambda: f"{states()}\n{acme.log_tail(12)}", lambda: states() == {"active"}, SOON)
        acme.run("zone", "keys", "rollover", acme.zone, "--role", "ksk")
        eventually(lambda: f"another DS than {before}: {rdatas(com, acme.zone, 'DS')}\n{com.log_tail(8)}\n{acme.log_tail(12)}",
                   lambda: before.isdisjoint(rdatas(com, acme.zone, "DS")) and rdatas(com, acme.zone, "DS"), SOON)
        # The old key itself goes once all that a younger ZSK replaced is out of caches: minutes later.
        old = {text.split()[0] for text in before}

        def keys():
            rows = json.loads(acme.run("zone", "keys", acme.zone, "--json").stdout)["keys"]
            return {(str(key["tag"]) in old, key["state"]) for key in rows if key["role"].lower() == "ksk"}

        eventually(lambda: f"{keys()}\n{acme.log_tail(12)}", lambda: (False, "active") in keys() and keys() <= {(False, "active"), (True, "retired")}, SOON)
        require("registry.cds" in acme.log_text() and "registration.look" in com.log_text(), acme.log_tail())
    with report.case("a resolver validates through the new DS"):
        with peers.Unbound({APEX: root.address}, root.ds(), addresses=["127.0.0.1"]) as resolver:
            reply = dns.query.udp(dns.message.make_query(f"_registry._agents.{acme.zone}", "TXT", want_dnssec=True), resolver.address,
                                  port=resolver.port, timeout=10)
            require(reply.rcode() == dns.rcode.NOERROR and reply.flags & dns.flags.AD, reply.to_text())


def move(report, com, acme, secondary):
    with report.case("a child moves to more name servers: it says so itself at its next start, and the parent delegates once all answer"):
        acme.ns = [("ns", acme.address), ("ns2", secondary.address)]
        acme.write_zone()
        acme.stop()
        acme.start()
        eventually("the parent looks again", lambda: com.children()[acme.space]["problem"], SOON)
        require(len(rdatas(com, acme.zone, "NS")) == 1, "delegated to a server that is silent")
        secondary.start()
        eventually(lambda: f"{rdatas(com, acme.zone, 'NS')} {com.children()[acme.space]}", lambda: len(rdatas(com, acme.zone, "NS")) == 2, 120)
        require(com.children()[acme.space]["state"] == "delegated", com.children())


def followed(node):
    return [row for row in json.loads(node.run("peers", "--json").stdout)["children"] if row["serial"] is not None]


def stored(node):
    """How many zones its database has."""
    return json.loads(node.run("store", "stat", "--json").stdout)["zones"]


def leave(report, root, com, acme):
    with report.case("a child leaves by itself: delegation, KEY, CERT and listings go"):
        feed = f"{acme.replica()}._feed.{acme.zone}"
        eventually(lambda: f"{feed} at {com.zone}\n{com.log_tail()}", lambda: feed in {row["feed"] for row in followed(com)}, SOON)
        before = stored(com)
        done = acme.join("--leave")
        require(done.returncode == 0 and "no more" in done.stdout, done.stdout + done.stderr)
        require(not delegated(com, acme) and acme.space not in com.children(), com.children())
        eventually(lambda: f"its feed is dropped\n{com.log_tail()}", lambda: f"feed.drop feed={feed}" in com.log_text(), SOON)
        require(stored(com) == before - 1, f"{stored(com)} zones are stored, {before} were")
        for rdtype in ("KEY", "CERT"):
            require(not rdatas(com, f"acme._registries._agents.{com.zone}", rdtype), rdtype)
        again = acme.join("--leave")
        require(again.returncode == 1 and "no child with this key" in again.stdout + again.stderr, again.stdout + again.stderr)


def proven(report, world, com, acme):
    """It comes back by a proof of its domain: the record."""
    with report.case("it comes back with a proof of its domain"):
        asked = acme.join()
        text = asked.stdout.split('TXT "')[1].split('"')[0]
        line = f'_steward-challenge.{acme.space}. 60 TXT "{text}"'
        world.publish(line)
        done = acme.join("--wait")
        require(done.returncode == 0 and com.children()[acme.space]["way"] == "proof" and delegated(com, acme), done.stdout + done.stderr)
    return line


def proof_is_gone(report, world, com, acme, line):
    with report.case("certificates are not renewed where the proof of the domain is gone; once it is back they are"):
        before = com.children()[acme.space]["certified_until"]
        eventually(lambda: f"{com.children()[acme.space]}\n{com.log_tail(15)}", lambda: "the proof is gone" in com.children()[acme.space]["problem"], SOON)
        child = com.children()[acme.space]
        require(child["certified_until"] == before and child["state"] == "delegated" and delegated(com, acme), child)
        world.publish(line)
        notify(com, acme.zone, "CDS")
        eventually(lambda: f"{com.children()[acme.space]}\n{com.log_tail(15)}",
                   lambda: com.children()[acme.space]["certified_until"] > before and not com.children()[acme.space]["problem"], SOON)


def days_left(node):
    """Of its certificate, as programs of the shifted clock see it."""
    text = subprocess.run(["openssl", "x509", "-noout", "-enddate", "-in", f"{node.key['private_key']}.crt"], capture_output=True, text=True, check=True).stdout
    end = datetime.datetime.strptime(text.strip().split("=")[1], "%b %d %H:%M:%S %Y %Z").replace(tzinfo=datetime.timezone.utc)
    shifted = int(os.environ.get("CLOCK_SHIFT", "0")) if "LD_PRELOAD" in os.environ else 0
    return (end - datetime.datetime.now(datetime.timezone.utc)).total_seconds() / 86400 - shifted / 86400


def year_goes_by(report, folder, world, line, publisher, root, com, acme):
    with report.case("a certificate lasts a year"):
        before = days_left(acme)
        require(before > 360, before)
        for node in (acme, com, root):
            node.stop()
        world.withdraw(line)
        clock_shift.shift(folder, LATER)
        # Children first, for the parent's look at them has to find them.
        for node in (com, acme, root):
            node.start()
        require(days_left(acme) < 120, days_left(acme))
    proof_is_gone(report, world, com, acme, line)
    with report.case("250 days later certificates are renewed by themselves, for a year again, from the root down"):
        renewed = f"{com.zone}: certificates"
        for parent, child in ((root, com), (com, acme)):
            eventually(lambda: f"{renewed}\n{parent.log_tail(15)}", lambda: parent.children()[child.space]["certified_until"] > time.time() + (LATER + 300) * 86400, SOON)
            child.stop()
            child.start()
            eventually(lambda: f"{child.zone}: {days_left(child)}\n{child.log_tail(15)}", lambda: days_left(child) > 360, SOON)
    with report.case("and the feed goes on with them"):
        publisher.done("keygen")
        publisher.done("publish", publisher.write("late.json", steward_manifest("late")))
        eventually(lambda: root.log_tail(12) + com.log_tail(12), lambda: rdatas(root, f"plan._find._agents.{APEX}", "PTR") == {f"late.{acme.zone}"}, SOON)


def parent_revoked(report, publisher, root, com, acme):
    with report.case("a parent whose KEY was removed gets no feed any more: refused by the trust anchor's word, counted, told in the log"):
        root.revoke(com)
        acme.stop()
        acme.start()
        eventually(lambda: acme.log_tail(), lambda: "registry.revoked" in acme.log_text(), SOON)
        publisher.done("publish", publisher.write("denied.json", steward_manifest("denied")))
        com.stop()
        com.start()
        eventually(lambda: f"{acme.requests()}\n{acme.log_tail()}", lambda: acme.requests()["by_rule"].get("key", 0) > 0, SOON)


def run(report, folder, started):
    def up(node):
        node.options["registry"] |= {"open": True, "custody-key": "custody.pem"}
        started.append(node)
        return node.start()

    world = World(folder)
    started.append(world)
    world.start()
    root = up(Node(folder, ".", 1))
    anchor = pathlib.Path(folder) / "root.ds"
    eventually("the root's keys", root.ds)
    anchor.write_text("\n".join(root.ds()) + "\n")

    def anchored(node, parent):
        """Below the parent, known by the trust anchor and nothing else."""
        node.below(parent, root)
        del node.options["registry"]["root-ca"]
        node.options["registry"] |= {"root": [f"{root.address}@53"], "trust-anchor": str(anchor)}
        return node

    com = up(anchored(Node(folder, "com", 2, registration={"resolvers": [f"{ADDRESS['.']}@53"]}), root))
    second = NET + "7"
    acme = anchored(Node(folder, "acme.com", 3), com)
    acme.zones[0].dnssec = SHORT
    acme.zones[0].options |= {"allow-transfer": ["127.0.0.0/8"], "notify": [f"{second}@53"]}
    up(acme)
    with report.case("a parent is known by the trust anchor alone: its KEY and the root's authority are in the DNS"):
        root.let_in(com)
        com.let_in(acme)
    signals(report, com, acme)
    secondary = peers.Ours([servers.Zone(acme.zone, acme.file, True, {"primaries": [f"{acme.address}@53"]})], addresses=[second])
    secondary.port = 53
    started.append(secondary)
    move(report, com, acme, secondary)
    leave(report, root, com, acme)
    line = proven(report, world, com, acme)
    publisher = Publisher(pathlib.Path(folder) / "publisher", f"{acme.address}@53", acme.space)
    year_goes_by(report, folder, world, line, publisher, root, com, acme)
    key_roll(report, root, com, acme)
    parent_revoked(report, publisher, root, com, acme)


def main():
    return namespaces.report_at_port_53("register_life", ADDRESS[APEX], "steward-life-", "the life of a registration", run)


if __name__ == "__main__":
    sys.exit(main())
