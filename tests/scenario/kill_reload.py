#!/usr/bin/python3
"""kill -9 at random moments of a reload and of re-signing, then a restart: nothing that was acknowledged is lost,
nothing is half done.

    kill_reload.py [--rounds 6] [--names 1500] [--seed 1]

Every name of the zone holds the zone file's generation, so that a mixture of two is seen. After each kill the database
alone must tell the truth: the file is broken before the restart, so that what is served comes from the database and not
from the file.
"""

import argparse
import pathlib
import random
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]

import peers
import servers
from report import Report, require
from signing import run_tool

ZONE = "kill.test."
DERIVED = {"RRSIG", "NSEC", "NSEC3", "NSEC3PARAM", "DNSKEY", "CDS", "CDNSKEY", "SOA"}


def zone_text(generation, names):
    lines = ["$TTL 300", f"@ SOA ns1 hostmaster {generation} 3600 600 604800 60", "@ NS ns1", "ns1 A 127.0.0.1"]
    return "\n".join(lines + [f'n{number} TXT "generation {generation}"' for number in range(names)]) + "\n"


def write_file(path, text):
    part = path.with_suffix(".new")
    part.write_text(text)
    part.replace(path)


def export(server):
    """The zone from the running server, as lines of five fields."""
    text = server.run("zone", "export", ZONE).stdout
    path = server.folder / "export"
    path.write_text(text)
    run_tool("dnssec-verify", "-q", "-o", ZONE, path)
    compiled = run_tool("named-compilezone", "-q", "-k", "ignore", "-i", "none", "-s", "full", "-o", "-", ZONE, path)
    return [line.split(None, 4) for line in compiled.splitlines() if line and not line.startswith(";")]


def generation_of(records, names):
    """The one generation that every name has; fails on a mixture and on missing names."""
    texts = [record[4] for record in records if record[3] == "TXT"]
    require(len(texts) == names, f"{len(texts)} names of {names}")
    require(len(set(texts)) == 1, f"a mixture: {sorted(set(texts))}")
    return int(texts[0].strip('"').split()[1])


def serial_of(records):
    return int(next(record[4] for record in records if record[3] == "SOA").split()[2])


def digest(records):
    """What the operator wrote, without what signing derives."""
    return sorted((record[0].lower(), record[3], record[4]) for record in records if record[3] not in DERIVED)


def command(server, *words):
    """An operator command in the background."""
    return subprocess.Popen([server.program, *words, "--config", str(server.config_path)],
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def kill_during(server, words, delay):
    """Whether the command was acknowledged before the kill, `delay` seconds after it began."""
    asked = command(server, *words)
    try:
        acknowledged = asked.wait(delay) == 0
    except subprocess.TimeoutExpired:
        acknowledged = False
    server.kill()
    asked.wait(10)
    return acknowledged


def reload_rounds(report, server, file, arguments, rng):
    generation = 1
    for number in range(arguments.rounds):
        patient = number % 3 == 2  # in every third round the answer is awaited
        delay = 30.0 if patient else rng.uniform(0.0, 0.25)
        moment = "after an acknowledged" if patient else f"{delay * 1000:.0f} ms into a"
        with report.case(f"round {number + 1}: killed {moment} reload"):
            before = serial_of(export(server))
            new = 100 * (number + 2)
            write_file(file, zone_text(new, arguments.names))
            acknowledged = kill_during(server, ["zone", "reload", ZONE], delay)
            require(acknowledged or not patient, "the reload was not acknowledged")
            write_file(file, zone_text(new, 1) + "broken A not-an-address\n")
            server.start()
            records = export(server)
            found = generation_of(records, arguments.names)
            require(found in (generation, new), f"generation {found}, neither {generation} nor {new}")
            require(found == new or not acknowledged, "an acknowledged reload was lost")
            require(serial_of(records) >= before, f"the serial went back from {before} to {serial_of(records)}")
            write_file(file, zone_text(new, arguments.names))
            server.run("zone", "reload", ZONE)
            require(generation_of(export(server), arguments.names) == new,
                    "the reload after the restart was not applied")
        generation = 100 * (number + 2)
        if server.process.poll() is not None:
            server.start()


def signing_rounds(report, server, arguments, rng):
    for number in range(arguments.rounds):
        patient = number % 3 == 2
        delay = 60.0 if patient else rng.uniform(0.0, 0.4)
        moment = "after" if patient else f"{delay * 1000:.0f} ms into"
        with report.case(f"round {number + 1}: killed {moment} re-signing"):
            before = export(server)
            kill_during(server, ["zone", "sign", ZONE, "--all"], delay)
            server.start()
            after = export(server)
            require(digest(after) == digest(before), "the records are others than before")
            require(serial_of(after) >= serial_of(before), "the serial went back")
        if server.process.poll() is not None:
            server.start()


def restart_case(report, server):
    with report.case("a killed server answers at once after the restart"):
        server.kill()
        began = time.monotonic()
        server.start()
        print(f"        first signed answer after {(time.monotonic() - began) * 1000:.0f} ms")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--names", type=int, default=1500)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    report = Report("kill and reload")
    if not pathlib.Path(peers.our_program()).exists():
        sys.exit(f"{peers.our_program()} is not built")
    rng = random.Random(arguments.seed)
    with tempfile.TemporaryDirectory(prefix="steward-kill-") as name:
        file = pathlib.Path(name) / "kill.zone"
        file.write_text(zone_text(1, arguments.names))
        # Not watched, so that a reload begins when it is commanded.
        server = peers.Ours([servers.Zone(ZONE, file, dnssec=True)], addresses=["127.0.0.1"],
                            options={"zone-files": {"watch": False}})
        with server:
            reload_rounds(report, server, file, arguments, rng)
            signing_rounds(report, server, arguments, rng)
            restart_case(report, server)
            if report.failed:
                print(server.log_tail(25))
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
