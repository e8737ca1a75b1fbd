#!/usr/bin/python3
"""Crowds of publishers that race for each version of one agent, with compare-and-swap and without: one wins a version, and never an
older one. Then what `health` says of the registry, and of its custodial key.

    publish_races.py
"""

import collections
import pathlib
import sys
import threading
import time
from dataclasses import replace

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "support")]

import publish_wire as wire
import publishing
from agent_registry import ROWS, ZONE, served_statement
from hostile_ground import PROHIBITED, open_ground, still_up
from report import Report, require

VERSIONS, RACERS, LINES = 10, 100, 8
RACE_SECONDS = 30


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


def custody(report, ground):
    with report.case("health fails where the custodial key cannot be read, and says which file it is"):
        ground.server.registry["custody-key"] = str(ground.folder / "no.pem")
        (ground.folder / "no.pem").write_text("no key")
        ground.server.write_config()
        ground.server.stop()
        ground.server.start()
        done = ground.server.run("health", check=False)
        require(done.returncode == 1 and "no.pem: the key is there, and cannot be read" in done.stdout, done.stdout + done.stderr)


def main():
    report = Report("races of publishers")
    with open_ground() as ground:
        races(report, ground)
        still_up(report, ground)
        custody(report, ground)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
