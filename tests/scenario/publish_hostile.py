#!/usr/bin/python3
"""Hostile publishers, octet by octet over the wire: flipped bits before and after a message is signed, replays, foreign names, what is too long,
look-alikes, strings out of order, derived records; then a crowd that races for each version. All is refused with its rule and changes nothing.

    publish_hostile.py
"""

import collections
import pathlib
import sys
import tempfile
import threading
import time
from dataclasses import replace

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "support")]

import dns.name

import publishing
import publish_wire as wire
import zone_wire
from publish_day import HEAD, LOOPBACK, ROWS, ZONE, Registry, rrset, served_statement
from report import Report, require

FOREIGN = "other.test.steward-registry.org."
NAMESPACE = "acme-corp.com"
LONG_NAMESPACE = f"{'n' * 63}.{'m' * 50}.{NAMESPACE}"  # leaves a label of less than 63 octets
LONG = ZONE.replace(NAMESPACE, LONG_NAMESPACE)
MANIFEST = b'{"steward_version": "1.0.0", "agent": {"id": "planner"}, "padding": "' + b"p" * 300 + b'"}'
VERSIONS, RACERS, LINES = 10, 100, 8
RACE_SECONDS = 30
# Code and beginning of the text of an extended error (RFC 8914).
PROHIBITED, NOT_AUTHORITATIVE = 18, 20


class Ground:
    """The registry, and what nothing refused may change."""

    def __init__(self, server, folder):
        self.server, self.folder, self.keys = server, folder, {}

    def key(self, agent, label=None):
        """A key that the operator allows where the agent may stand."""
        label = label or agent
        if label not in self.keys:
            self.keys[label] = publishing.Key(self.folder / f"key{len(self.keys)}", f"key{len(self.keys)}.{ZONE}")
            for space in (NAMESPACE, LONG_NAMESPACE):
                self.server.run("publisher", "allow", self.keys[label].fingerprint, "--namespace", space)
        return self.keys[label]

    def publish(self, agent, version="1.0.0", key=None, rows=ROWS, manifest=None, before=None, has_opt=True, **fields):
        key = key or self.key(agent)
        parts = publishing.make_statement(agent, key, version, rows, manifest=manifest, **fields)
        return wire.make_publish(ZONE, agent, key, parts, rows, manifest, before, has_opt=has_opt)

    def state(self):
        """Serial and all records of the zone, as a transfer has them, and the history of all."""
        found = zone_wire.fetch(LOOPBACK, self.server.port, ZONE)
        return found.serial, found.records

    def send(self, message):
        with wire.Line(self.server) as line:
            return line.send(message if isinstance(message, bytes) else message.wire)

    def refused(self, message, words, rcode="REFUSED", code=PROHIBITED):
        """With the rule where the message has an OPT record, and without a word of it where it has none; nothing changes."""
        before = self.state()
        answer = self.send(message)
        require((answer.rcode, answer.code) == (rcode, code) and words in answer.text, f"{answer}\nwanted {rcode} {code} '{words}'")
        if not isinstance(message, bytes):
            bare = self.send(replace(message, has_opt=False))
            require(bare == wire.Answer(rcode), f"without an OPT record: {bare}")
        require(self.state() == before, "the zone is another")
        require(self.server.process.poll() is None, "the server has ended")

    def accepted(self, message):
        answer = self.send(message)
        require(answer.rcode == "NOERROR", f"{answer}\n{self.server.log_tail(3)}")


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
    return message


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


def replays(report, ground, first):
    agent = f"planner.{ZONE}"
    second = ground.publish(agent, "1.1.0", before=None)
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
            name = f"{label}.{ZONE}"
            ground.refused(wire.make_publish(ZONE, name, own, publishing.make_statement(name, own, "1.0.0", ROWS), ROWS), "")
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


def race(server, messages):
    """Sends all over LINES connections at once: {message: Answer}, in the order in which they came back, and the seconds it took."""
    answers, waiting, lock = {}, collections.deque(messages), threading.Lock()
    start = threading.Barrier(LINES + 1)

    def run():
        with wire.Line(server) as line:
            start.wait()
            while True:
                with lock:
                    if not waiting:
                        return
                    name, octets = waiting.popleft()
                answer = line.send(octets, RACE_SECONDS)
                with lock:
                    answers[name] = answer

    threads = [threading.Thread(target=run) for _ in range(LINES)]
    for thread in threads:
        thread.start()
    start.wait()
    began = time.monotonic()
    for thread in threads:
        thread.join(RACE_SECONDS)
    require(len(answers) == len(messages), f"{len(answers)} of {len(messages)} have an answer after {RACE_SECONDS} s")
    return answers, time.monotonic() - began


def winners_of(answers):
    return [name for name, answer in answers.items() if answer.rcode == "NOERROR"]


def check_history(server, label, versions):
    log = server.json("zone", "log", ZONE, label)
    require(log["sound"], log)
    require(sorted(entry["version"] for entry in log["entries"]) == sorted(versions), log["entries"])


def races(report, ground):
    server, agent = ground.server, f"racing.{ZONE}"
    key = ground.key(agent)
    with report.case(f"{RACERS} publishers race for each of {VERSIONS} versions by compare-and-swap: one wins each, all others are told NXRRSET"):
        present, took = None, 0.0
        won = []
        for number in range(1, VERSIONS + 1):
            version, messages, said = f"1.0.{number}", [], {}
            for racer in range(RACERS):
                said[racer] = publishing.make_statement(agent, key, version, ROWS, modified=publishing.now_text(number), desc=f"racer {racer}")
                messages.append((racer, wire.make_publish(ZONE, agent, key, said[racer], ROWS, before=present, identity=racer).wire))
            answers, seconds = race(server, messages)
            took += seconds
            winners = winners_of(answers)
            require(len(winners) == 1, f"{version}: {winners} have won")
            loser = "NXRRSET" if present else "YXRRSET"
            others = collections.Counter(answer.rcode for answer in answers.values())
            require(others == {"NOERROR": 1, loser: RACERS - 1}, f"{version}: {others}")
            present = said[winners[0]]
            require(served_statement(server, agent) == present, f"{version}: another than the winner's is served")
            won.append(version)
        print(f"        {VERSIONS * RACERS} messages in {took:.2f} s")
        require(took < RACE_SECONDS, f"{took} s")
        check_history(server, "racing", won)
    with report.case(f"{VERSIONS * RACERS} publishers of {VERSIONS} versions at once, without a prerequisite: one wins a version at most, and never an older one"):
        messages, version_of = [], {}
        for racer in range(RACERS):
            for number in range(VERSIONS):
                version = f"2.0.{(number * 7 + racer) % VERSIONS}"
                name = (version, racer)
                version_of[name] = version
                parts = publishing.make_statement(agent, key, version, ROWS, modified=publishing.now_text(60 + racer), desc=f"racer {racer}")
                messages.append((name, replace(wire.make_publish(ZONE, agent, key, parts, ROWS), prerequisites=()).wire))
        answers, took = race(server, messages)
        print(f"        {len(messages)} messages in {took:.2f} s")
        winners = [version_of[name] for name in winners_of(answers)]
        require(winners and len(set(winners)) == len(winners), f"{winners} have won")
        others = [answer for answer in answers.values() if answer.rcode != "NOERROR"
                  and not (answer.rcode == "REFUSED" and answer.code == PROHIBITED and ("is not after" in answer.text or "is not above" in answer.text))]
        require(not others, others[:3])
        check_history(server, "racing", won + winners)
        require(max(winners) in [part.decode()[8:] for part in served_statement(server, agent) if part.startswith(b"version=")], winners)


def still_up(report, ground):
    with report.case("after all of it the server answers, says that it is well, and has all of it after kill -9"):
        before, listed = ground.state(), ground.server.json("agent", "list")
        health = ground.server.json("health")
        checks = {check["check"]: check for check in health["checks"]}
        require(health["healthy"] and "0 of them failed" in checks["publishing"]["detail"], health)
        require({"custody", "leases"} <= checks.keys(), health)
        ground.server.crash()
        require(ground.state() == before and ground.server.json("agent", "list") == listed, "the zone is another")
    with report.case("health fails where the custodial key cannot be read, and says which file it is"):
        ground.server.registry["custody-key"] = str(ground.folder / "no.pem")
        (ground.folder / "no.pem").write_text("no key")
        ground.server.write_config()
        ground.server.stop()
        ground.server.start()
        done = ground.server.run("health", check=False)
        require(done.returncode == 1 and "no.pem: no key at hand" in done.stdout, done.stdout + done.stderr)


def main():
    report = Report("hostile publishers")
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        file = folder / "acme.zone"
        file.write_text(HEAD.format(zone=ZONE, serial=1))
        with Registry(file, registry={"namespaces": [LONG_NAMESPACE]}) as server:
            ground = Ground(server, folder)
            first = flips_in_transit(report, ground)
            flips_before_signing(report, ground)
            replays(report, ground, first)
            foreign(report, ground)
            spelled(report, ground)
            look_alikes(report, ground)
            races(report, ground)
            still_up(report, ground)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
