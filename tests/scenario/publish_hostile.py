#!/usr/bin/python3
"""Hostile publishers, octet by octet over the wire: replays, foreign names, what is too long, look-alikes, strings out of order, derived
records. All is refused with its rule and changes nothing.

    publish_hostile.py
"""

import pathlib
import sys
import time
from dataclasses import replace

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "support")]

import publish_wire as wire
import publishing
from agent_registry import ROWS, ZONE
from hostile_ground import LONG_NAMESPACE, MANIFEST, NAMESPACE, NOT_AUTHORITATIVE, PROHIBITED, open_ground, still_up
from report import Report, require

FOREIGN = "other.test.steward-registry.org."
LONG = ZONE.replace(NAMESPACE, LONG_NAMESPACE)


def replays(report, ground):
    agent = f"planner.{ZONE}"
    first = replace(ground.publish(agent, manifest=MANIFEST), prerequisites=())
    ground.accepted(first)
    time.sleep(1.05)
    second = replace(ground.publish(agent, "1.1.0", manifest=MANIFEST), prerequisites=())
    with report.case("a message that was accepted and stands is answered once more, and changes nothing"):
        ground.accepted(second)
        before = ground.state()
        ground.accepted(second.wire)
        require(ground.state() == before, "the zone is another")
    with report.case("one that was superseded is refused, whole or signed anew by its own publisher"):
        ground.refused(first.wire, "is not after")
        ground.refused(first, "is not after")
    with report.case("an old version is refused, however fresh"):
        time.sleep(1.05)
        ground.refused(replace(ground.publish(agent, "1.0.9"), prerequisites=()), "version 1.0.9 is not above 1.1.0")
        ground.refused(replace(ground.publish(agent, "1.1.0+build"), prerequisites=()), "version 1.1.0+build is not above 1.1.0")
        ground.refused(replace(ground.publish(agent, "1.1.0-rc.1"), prerequisites=()), "version 1.1.0-rc.1 is not above 1.1.0")
    with report.case("one that is not of our time is refused, early or late"):
        for shift in (-301, 303):
            late = ground.publish(agent, "1.2.0", modified=publishing.now_text(shift))
            ground.refused(replace(late, prerequisites=()), "is not within 300 s of the registry's clock")
    with report.case("another's key is refused, though it is allowed; so is a message that another's key signed"):
        other = ground.key("other")
        ground.refused(replace(ground.publish(agent, "2.0.0", key=other), prerequisites=()), "the name is held by key")
        ground.refused(replace(ground.publish(agent, "2.0.0"), prerequisites=(), key=other), "no usable KEY", rcode="NOTAUTH")
    with report.case("one who read another statement is told by compare-and-swap [RFC 2136 §3.2]"):
        stale = ground.publish(agent, "2.0.0", before=[b"v=steward1", b"sig=x"])
        ground.refused(stale, "prerequisite 1", rcode="NXRRSET", code=0)
        ground.refused(ground.publish(agent, "2.0.0"), "prerequisite 1", rcode="YXRRSET", code=0)


def foreign(report, ground):
    agent = f"walker.{ZONE}"
    message = ground.publish(agent)
    own = ground.key(agent)
    with report.case("a statement for another name, zone or namespace is refused"):
        moved = replace(message, updates=tuple(replace(row, owner=f"stolen.{ZONE}") for row in message.updates),
                        prerequisites=(), agent=f"stolen.{ZONE}")
        ground.refused(moved, "sig does not verify with the key")
        ground.refused(replace(message, signer=f"stolen.{ZONE}", prerequisites=()), f"stolen.{ZONE} has no key")
        ground.refused(message.adding(wire.Row(f"walker.{FOREIGN}", wire.TXT, b"\1x")), "", rcode="NOTZONE", code=0)
        ground.refused(message.adding(wire.Row(f"stolen.{ZONE}", wire.TXT, publishing.in_strings([b"v=x"]))), "a publish has TXT, KEY, SRV and SVCB")
        outside = f"walker.{FOREIGN}"
        abroad = wire.make_publish(ZONE, outside, own, publishing.make_statement(outside, own, "1.0.0", ROWS), ROWS)
        ground.refused(abroad, "")  # whose signer has no right at all
        ground.refused(replace(abroad, zone=FOREIGN), "", rcode="NOTAUTH", code=NOT_AUTHORITATIVE)
        ground.refused(replace(abroad, signer=agent), f"{agent} has no key, and the message brings no KEY for it")
        deep = f"walker.team.{ZONE}"
        ground.refused(wire.make_publish(ZONE, deep, own, publishing.make_statement(deep, own, "1.0.0", ROWS), ROWS), "")
    with report.case("names that are reserved, or the registry's own, are nobody's"):
        for label in ("www", "ns", "ns1", "ns99", "localhost", "replicas", "_agents", "_registry", "*"):
            name, rule = f"{label}.{ZONE}", "" if label[0] in "_*" else "is reserved"
            ground.refused(wire.make_publish(ZONE, name, own, publishing.make_statement(name, own, "1.0.0", ROWS), ROWS), rule)
    with report.case("what the registry derives is refused in a publish, whatever it says"):
        for owner in (f"_registry.{agent}", f"_trust.{agent}", f"_log.{agent}", f"_a2a._tcp.{ZONE}", f"plan._find._agents.{ZONE}",
                      f"_index._agents.{ZONE}", f"x.y._ref._agents.{ZONE}", ZONE):
            for row in (wire.Row(owner, wire.TXT, publishing.in_strings([b"v=steward-registry1", b"trust=1.00"])),
                        wire.Row(owner, wire.ANY, klass=wire.ANY, ttl=0)):
                ground.refused(message.adding(row), "all else is derived")
        for rdtype, rdata in ((1, b"\xc0\0\2\1"), (2, wire.wire_name(agent)), (43, b"\0\1\x0d\2" + bytes(32))):
            ground.refused(message.adding(wire.Row(agent, rdtype, rdata)), "all else is derived")


def spelled(report, ground):
    agent = f"speller.{ZONE}"
    key, message = ground.key(agent), ground.publish(agent)
    index = message.index_of(wire.TXT, agent)
    parts = publishing.make_statement(agent, key, "1.0.0", ROWS)

    def said(parts, words, rcode="REFUSED", code=PROHIBITED):
        row = replace(message.updates[index], rdata=publishing.in_strings(parts))
        ground.refused(message.with_row(index, row), words, rcode, code)

    with report.case("strings that are missing, twice there or in another order are refused"):
        for number, part in enumerate(parts):
            name = part.partition(b"=")[0].decode()
            said(parts[:number] + parts[number + 1:], "statement")
            if name != "sig":
                said(wire.statement_of(agent, key, [*parts[:-1], part]) if name != "ep" else wire.statement_of(agent, key, [part, *parts[:-1]]), "statement")
            said([*parts[:number], part, part, *parts[number + 1:]], "statement")
        for number in range(len(parts) - 1):
            swapped = [*parts[:number], parts[number + 1], parts[number], *parts[number + 2:]]
            said(swapped, "statement")
        said([*parts, b"more=1"], "sig must come last")
        said([], "", rcode="FORMERR", code=0)
    with report.case("two statements in one message are refused"):
        ground.refused(message.adding(replace(message.updates[index], rdata=publishing.in_strings(wire.statement_of(agent, key, [*parts[:-1], b"desc=x"])))),
                       "exactly one statement")
    with report.case("control characters, and those that change the direction of text, are refused, signed or not"):
        for spoiled in (b"\0", b"\n", b"\x1b[2J", b"\x7f", b"\xc2\x85", "\u202e".encode(), "\u2066".encode(), b"\xff", b"\xed\xa0\x80", b"\xc0\xaf"):
            said(wire.statement_of(agent, key, [*parts[:-1], b"desc=good" + spoiled + b"bad"]), "statement: desc: UTF-8 without control characters")
    with report.case("custody, which only the registry may say, is refused"):
        said(wire.statement_of(agent, key, [*parts[:-1], b"custody=com.acme-corp"]), "custody is the registry's to say")
    with report.case("a statement over 8,192 octets, a manifest over 32 KiB and a name over 180 octets are refused; at the limit they are not"):
        empty = len(publishing.in_strings(wire.statement_of(agent, key, parts)))
        fill = [b"desc=" + b"d" * 250] * ((8192 - empty) // 256)
        rest = (8192 - empty) % 256 - len(b"ldesc=")
        said(wire.statement_of(agent, key, [*parts[:-1], *fill, b"desc=" + b"d" * (rest + 1)]), "statement: 8193 octets, at most 8192")
        large = f"large.{ZONE}"
        ground.refused(ground.publish(large, manifest=b"m" * 32769), "_manifest: 32769 octets, at most 32768")
        ground.accepted(ground.publish(large, manifest=b"m" * 32768))
        room = 180 - len(wire.wire_name(LONG)) - 1
        ground.refused(ground.publish(f"{'a' * (room + 1)}.{LONG}"), "an agent's name has at most 180 octets, this one 181")
        ground.accepted(ground.publish(f"{'a' * room}.{LONG}"))
        row = wire.statement_of(agent, key, [*parts[:-1], *fill, b"desc=" + b"d" * rest])
        ground.accepted(message.with_row(index, replace(message.updates[index], rdata=publishing.in_strings(row))))


def look_alikes(report, ground):
    thief = ground.key("thief")
    ground.accepted(ground.publish(f"reviewer.{ZONE}"))
    with report.case("names that look like another publisher's are refused, as letters, digits and A-labels of other scripts"):
        cyrillic = "xn--plnner-4nf"  # planner with U+0430 for the a
        for label in ("planer", "plan-ner", "p1anner", "pl4nner", "planners", "plannner", "plamner", "rev1ewer", cyrillic):
            ground.refused(ground.publish(f"{label}.{ZONE}", key=thief), "could be taken for")
    with report.case("a U-label is no name of an agent, nor is an A-label that stands for none [RFC 5891 §5.4]"):
        ground.refused(ground.publish(f"pl\\208\\176nner.{ZONE}", key=thief), "other scripts as an A-label")
        ground.refused(ground.publish(f"ｗ.{ZONE}".encode().decode("latin-1").translate({n: f"\\{n:03d}" for n in range(128, 256)}), key=thief),
                       "other scripts as an A-label")
        for label in ("xn--planner-", "xn--a", "xn--pl\\000nner", "-planner", "planner-", "plan_ner"):
            ground.refused(ground.publish(f"{label}.{ZONE}", key=thief), "label")
    with report.case("upper case is folded: it is the same name, and held by its key"):
        ground.refused(replace(ground.publish(f"PLANNER.{ZONE}", "9.0.0", key=thief), prerequisites=()), "the name is held by key")


def main():
    report = Report("hostile publishers")
    with open_ground() as ground:
        replays(report, ground)
        foreign(report, ground)
        spelled(report, ground)
        look_alikes(report, ground)
        still_up(report, ground)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
