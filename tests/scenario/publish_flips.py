#!/usr/bin/python3
"""Bits that flip in the messages of publishers, each of them: on the way, under a SIG(0), and before the message was signed, by one who
has its key and not the statement's. All is refused with its rule and changes nothing, but for what no signature covers.

    publish_flips.py
"""

import collections
import pathlib
import sys
from dataclasses import replace

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "support")]

import publish_wire as wire
import publishing
from agent_registry import ZONE, rrset, served_statement
from hostile_ground import MANIFEST, NOT_AUTHORITATIVE, PROHIBITED, open_ground, still_up
from report import Report, require


def flip_all(ground, octets, make):
    """{place: answers to its eight flips}, one after the other; `make` puts them into the message."""
    answers = collections.defaultdict(list)
    with wire.Line(ground.server) as line:
        for at in range(len(octets)):
            for bit in range(8):
                # No response is ever due to what says that it is one (RFC 1035 §4.1.1).
                is_response = make(octets).startswith(octets) and (at, bit) == (2, 7)
                answers[at].append(line.send(make(wire.flipped(octets, at, bit)), 0.3 if is_response else wire.RESPONSE_SECONDS))
    return answers


def flips_in_transit(report, ground):
    agent = f"planner.{ZONE}"
    message = replace(ground.publish(agent, manifest=MANIFEST), prerequisites=())
    octets, sig0_at = message.wire, len(message.unsigned)
    # RFC 2931 §3: the signature covers RDATA of the SIG, and the message before it. Owner, type, class and TTL of the
    # SIG record itself stand in neither; an owner that is no name and another type are no SIG(0), the rest is nobody's.
    uncovered = range(sig0_at + 3, sig0_at + 9)
    with report.case(f"a bit that is flipped on the way, each of {8 * len(octets)}: refused, and nothing changes"):
        before = ground.state()
        answers = flip_all(ground, octets[:uncovered[0]], lambda flipped: flipped + octets[uncovered[0]:])
        tail = flip_all(ground, octets[uncovered[-1] + 1:], lambda flipped: octets[:uncovered[-1] + 1] + flipped)
        answers.update({uncovered[-1] + 1 + at: told for at, told in tail.items()})
        wrong = [(at, told) for at, all_told in answers.items() for told in all_told if not is_refusal(message, at, told)]
        require(not wrong, f"{len(wrong)}: {wrong[:5]}")
        require(ground.state() == before, "the zone is another")
        counts = collections.Counter(told.rcode for all_told in answers.values() for told in all_told)
        require(counts["NOTAUTH"] > 7 * len(octets) * 0.8, counts)
    with report.case("class and TTL of the SIG record are covered by no signature, and a flip there is harmless"):
        first = wire.flipped(octets, uncovered[0], 0)
        ground.accepted(first)
        require(publishing.in_strings(served_statement(ground.server, agent)) == message.updates[message.index_of(wire.TXT)].rdata, "another statement")
        after = ground.state()
        for at in uncovered:
            for bit in range(8):
                ground.accepted(wire.flipped(octets, at, bit))
        ground.accepted(octets)
        require(ground.state() == after, "what was flipped has changed something")


def is_refusal(message, at, told):
    """Whether a flip at this place in transit was refused as documented: by the SIG(0), or before one was looked for."""
    if told.rcode == "no answer":
        return at == 2
    if told.rcode in ("NOTIMP", "BADVERS", "FORMERR"):
        return True  # it is no UPDATE any more, of no version that is known, or no message
    has_lost_opt = len(message.unsigned) - len(wire.OPT_RECORD) <= at < len(message.unsigned)
    has_other_class = at in (12 + len(wire.wire_name(ZONE)) + 2, 12 + len(wire.wire_name(ZONE)) + 3)
    if told.rcode == "NOTAUTH":
        return told.code in (PROHIBITED, NOT_AUTHORITATIVE) or has_lost_opt or has_other_class
    return told.rcode == "REFUSED" and (told.code == PROHIBITED or has_lost_opt)


def flips_before_signing(report, ground):
    """By one who has the message's key and not the statement's word: the SIG(0) is good over what was flipped."""
    agent = f"reviewer.{ZONE}"
    message = ground.publish(agent, manifest=MANIFEST)
    rules = {
        "statement": (wire.TXT, agent, ("statement", "the message is signed with", "KEY of ", "key sha256:", "label")),
        "KEY": (wire.KEY, agent, ("key sha256:", "no usable KEY", f"{agent} has no key", "SIG(0) does not fit")),
        "SRV": (wire.SRV, agent, ("statement: ep is",)),
        "SVCB": (wire.SVCB, agent, ("statement: ep is",)),
        "_manifest": (wire.TXT, f"_manifest.{agent}", ("statement: digest is not that of _manifest", "_manifest")),
    }
    for what, (rdtype, owner, words) in rules.items():
        index = message.index_of(rdtype, owner)
        row = message.updates[index]
        spared = host_letters(row.rdata) if what == "SRV" else set()
        with report.case(f"a bit of the {what} that is flipped and signed over with SIG(0), each of {8 * len(row.rdata)}: refused with the rule"):
            before = ground.state()
            wrong = []
            with wire.Line(ground.server) as line:
                for at in range(len(row.rdata)):
                    for bit in set(range(8)) - ({5} if at in spared else set()):
                        told = line.send(message.with_row(index, replace(row, rdata=wire.flipped(row.rdata, at, bit))).wire)
                        is_rule = told.rcode in ("REFUSED", "NOTAUTH") and told.code == PROHIBITED and told.text.startswith(words)
                        if not is_rule and told.rcode != "FORMERR":
                            wrong.append((at, bit, told))
            require(not wrong, f"{len(wrong)}: {wrong[:5]}")
            require(ground.state() == before, "the zone is another")
    with report.case("the case of an SRV's host is covered by no signature of the publisher's (RFC 4034 §6.2), and a flip there is harmless"):
        index = message.index_of(wire.SRV)
        row = message.updates[index]
        shouted = row.rdata
        for at in host_letters(row.rdata):
            shouted = wire.flipped(shouted, at, 5)
        ground.accepted(message.with_row(index, replace(row, rdata=shouted)))
        found = rrset(ground.server.ask(agent, "SRV"), agent, "SRV")[0]
        require(found.to_digestable() == row.rdata, f"another host: {found}")


def host_letters(srv_rdata):
    return {at for at in range(6, len(srv_rdata)) if chr(srv_rdata[at]).isalpha()}


def main():
    report = Report("flipped bits")
    with open_ground() as ground:
        flips_in_transit(report, ground)
        flips_before_signing(report, ground)
        still_up(report, ground)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
