#!/usr/bin/python3
"""backup, restore, store verify, store stat and zone export, with a running server and without one, on a signed zone of
some size; kill -9 at random moments of a restore.

    store_commands.py [--names 100000] [--rounds 8] [--seed 1]

What is restored must be what was backed up to the octet, and a server that starts on it must answer the same and sign
nothing anew. A restore that is killed leaves the old database or the new one.
"""

import argparse
import json
import os
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

BIG, PLAIN, LEFT = "big.test.", "plain.test.", "left.test."
START_SECONDS = 120


def big_zone(names):
    lines = ["$TTL 300", "@ SOA ns1 hostmaster 1 3600 600 604800 60", "@ NS ns1", "ns1 A 127.0.0.1", "*.wild A 192.0.2.1"]
    for number in range(names):
        lines.append(f'agent-{number}.org-{number % 100} TXT "v=1" "id={number:032x}" "cap=sort"')
        lines.append(f"agent-{number}.org-{number % 100} SRV 0 10 443 ns1")
    return "\n".join(lines) + "\n"


def small_zone():
    return "$TTL 60\n@ SOA ns1 hostmaster 7 3600 600 604800 60\n@ NS ns1\nns1 A 127.0.0.1\n@ MX 10 Mail\nMail AAAA ::1\n"


class Place:
    """The server's folder, and commands on it: with its configuration, or on its data alone."""

    def __init__(self, server):
        self.server = server
        self.data = server.folder / "data"

    def ran(self, *words):
        return self.server.run(*words, check=False, timeout=300)

    def offline(self, *words, **options):
        return subprocess.run([self.server.program, *words, "--data", str(self.data)], capture_output=True, timeout=300,
                              check=False, **options)

    def backup(self, name):
        path = self.server.folder / name
        self.server.run("backup", str(path), timeout=300)
        return path.read_bytes()

    def start(self):
        self.server.start(wait=False)
        self.server.wait_ready(START_SECONDS)

    def entries(self):
        return sorted(entry.name for entry in self.data.iterdir() if entry.name.startswith("store"))


def running_cases(report, place):
    server, state = place.server, {}
    with report.case("a running server is backed up: to a file, and the same octets to standard output"):
        state["backup"] = place.backup("first.backup")
        require(state["backup"].startswith(b"steward-registry backup 1\n"), "no backup")
        piped = subprocess.run([server.program, "backup", "-", "--config", str(server.config_path)], capture_output=True,
                               timeout=300, check=True).stdout
        require(piped == state["backup"], "standard output has other octets")
        require((server.folder / "first.backup").stat().st_mode & 0o777 == 0o600, "others may read it")
        require(not list(server.folder.glob("first.backup.*")), "something is left beside it")
    with report.case("the running server's database is verified and measured"):
        verified = json.loads(place.ran("store", "verify", "--json").stdout)
        require(verified["sound"] and verified["zones"] == 3, f"{verified}")
        state["names"] = verified["names"]
        figures = json.loads(place.ran("store", "stat", "--json").stdout)
        require(figures["names"] == verified["names"] and figures["live_octets"] == verified["octets"], f"{figures}")
        require(figures["zones_served"] == 2, f"{figures}")
        require("sound: 3 zones" in place.ran("store", "verify").stdout, "no words for people")
    with report.case("a restore is refused while the server runs"):
        before = place.entries()
        refused = place.ran("restore", str(server.folder / "first.backup"), "--replace")
        require(refused.returncode == 1 and "stop the server first" in refused.stderr, refused.stderr)
        require(place.entries() == before, f"{place.entries()}")
        require(place.offline("store", "verify").returncode == 1, "a second process opened the database")
    state["text"] = server.run("zone", "export", BIG, timeout=300).stdout
    return state


def offline_cases(report, place, state):
    server = place.server
    with report.case("without a server the same commands open the database, and say so"):
        exported = place.ran("zone", "export", BIG)
        require(exported.returncode == 0 and exported.stdout == state["text"], "the zone has another text")
        require("no server is asked" in exported.stderr, exported.stderr)
        require(LEFT in place.ran("zone", "export", LEFT).stdout, "a zone that is no longer served is not exported")
        require(place.backup("offline.backup") == state["backup"], "the backup has other octets")
        verified = json.loads(place.ran("store", "verify", "--json").stdout)
        require(verified["sound"] and verified["names"] == state["names"], f"{verified}")
        require(json.loads(place.ran("store", "stat", "--json").stdout)["names"] == state["names"], "other figures")
    with report.case("a restore does not replace a database unless told to"):
        refused = place.ran("restore", str(server.folder / "first.backup"))
        require(refused.returncode == 1 and "--replace" in refused.stderr, refused.stderr)
    with report.case("a damaged backup is refused, and nothing is changed"):
        damaged = bytearray(state["backup"])
        damaged[len(damaged) // 2] ^= 1
        for octets in (damaged, state["backup"][:-1], b""):
            path = server.folder / "damaged.backup"
            path.write_bytes(octets)
            refused = place.ran("restore", str(path), "--replace")
            require(refused.returncode == 1 and "nothing is changed" in refused.stderr, refused.stderr)
            require(place.entries() == ["store"], f"{place.entries()}")


def restored_cases(report, place, state):
    server = place.server
    with report.case("what is restored is answered and exported the same, and nothing is signed anew"):
        done = place.ran("restore", str(server.folder / "first.backup"), "--replace")
        require(done.returncode == 0, done.stderr)
        require(len(place.entries()) == 2, f"{place.entries()}")
        place.start()
        require(place.backup("second.backup") == state["backup"], "the backup has other octets")
        require(server.run("zone", "export", BIG, timeout=300).stdout == state["text"], "the zone has another text")
        signed = json.loads(server.run("zone", "sign", BIG, "--json").stdout)
        require(signed["signatures"] == 0, f"{signed}")
    server.stop()
    with report.case("a backup is restored from standard input into a folder that is not there"):
        elsewhere = server.folder / "elsewhere"
        done = subprocess.run([server.program, "restore", "-", "--data", str(elsewhere)], input=state["backup"],
                              capture_output=True, timeout=300, check=False)
        require(done.returncode == 0, done.stderr.decode())
        again = subprocess.run([server.program, "backup", "-", "--data", str(elsewhere)], capture_output=True, timeout=300,
                               check=True).stdout
        require(again == state["backup"], "the backup has other octets")


def kill_cases(report, place, rounds, rng, state):
    """Two databases that differ; after each kill the one or the other is there."""
    server = place.server
    small = server.folder / "small.backup"
    subprocess.run([server.program, "restore", "-", "--data", str(server.folder / "empty")], capture_output=True,
                   input=b"steward-registry backup 1\n" + empty_end(), check=True, timeout=60)
    small.write_bytes(subprocess.run([server.program, "backup", "-", "--data", str(server.folder / "empty")],
                                     capture_output=True, check=True, timeout=60).stdout)
    first = server.folder / "first.backup"
    began = time.monotonic()
    require(place.ran("restore", str(first), "--replace").returncode == 0, "cannot be restored")
    whole = time.monotonic() - began
    print(f"        a restore takes {whole:.1f} s")
    there, killed = first, 0
    for number in range(rounds):
        wanted = small if there == first else first
        limit = whole * 1.05 if wanted == first else 0.08
        delay = rng.uniform(0.0, limit)
        with report.case(f"round {number + 1}: a restore is killed after {delay * 1000:.0f} ms"):
            process = subprocess.Popen([server.program, "restore", str(wanted), "--replace", "--data", str(place.data)],
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                process.wait(delay)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                killed += 1
            acknowledged = process.returncode == 0
            found = place.offline("backup", "-")
            require(found.returncode == 0, found.stderr.decode())
            require(found.stdout in (first.read_bytes(), small.read_bytes()), "neither the old database nor the new one")
            now = first if found.stdout == first.read_bytes() else small
            require(now == wanted or not acknowledged, "an acknowledged restore was lost")
            there = now
    with report.case("a restore after those that were killed"):
        require(place.offline("restore", str(first), "--replace").returncode == 0, "refused")
        require("store.restoring" not in place.entries(), f"{place.entries()}")
        require(place.offline("backup", "-").stdout == state["backup"], "the backup has other octets")
    print(f"        {killed} of {rounds} were killed")


def empty_end():
    """The end of a backup of nothing, with its checksum (src/store/FORMAT.md)."""
    body = b'{"hashes":0,"names":0,"records":0,"zones":0}'
    frame = b"E" + len(body).to_bytes(4, "big") + body
    return frame + crc32c(b"steward-registry backup 1\n" + frame).to_bytes(4, "big")


def crc32c(octets):
    value = 0xFFFFFFFF
    for octet in octets:
        value ^= octet
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
    return value ^ 0xFFFFFFFF


def damage_case(report, place):
    with report.case("damage in the node log is found and named"):
        segment = place.data / "store" / "nodes" / "00000000.nodes"
        octets = segment.read_bytes()[:1 << 20]
        at = octets.index(b"cap=sort")
        with open(segment, "r+b") as file:
            file.seek(at)
            file.write(b"C")
        found = place.offline("store", "verify", text=True)
        require(found.returncode == 1, "it was not found")
        require(f"zone {BIG}: agent-" in found.stdout and "checksum" in found.stdout, found.stdout + found.stderr)
        require(json.loads(place.offline("store", "verify", "--json").stdout)["sound"] is False, "not for programs")
        require(place.offline("backup", str(place.server.folder / "bad.backup")).returncode == 1, "it was backed up")
        require(not (place.server.folder / "bad.backup").exists(), "a backup of a damaged database is there")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--names", type=int, default=100000)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    report = Report("store commands")
    if not pathlib.Path(peers.our_program()).exists():
        sys.exit(f"{peers.our_program()} is not built")
    with tempfile.TemporaryDirectory(prefix="steward-store-") as name:
        folder = pathlib.Path(name)
        (folder / "big.zone").write_text(big_zone(arguments.names))
        for other in ("plain", "left"):
            (folder / f"{other}.zone").write_text(small_zone())
        for file in folder.iterdir():  # a file of this very second is read again by the next start
            os.utime(file, (time.time() - 3600,) * 2)
        zones = [servers.Zone(BIG, folder / "big.zone", dnssec=True), servers.Zone(PLAIN, folder / "plain.zone"),
                 servers.Zone(LEFT, folder / "left.zone", dnssec={"nsec3": True})]
        server = peers.Ours(zones, addresses=["127.0.0.1"], folder=folder / "server")
        place = Place(server)
        place.start()
        try:
            # A zone that leaves the configuration stays in the database.
            server.zones = zones[:2]
            server.write_config()
            server.run("reload", timeout=120)
            state = running_cases(report, place)
            server.stop()
            offline_cases(report, place, state)
            restored_cases(report, place, state)
            kill_cases(report, place, arguments.rounds, random.Random(arguments.seed), state)
            damage_case(report, place)
            if report.failed:
                print(server.log_tail(25))
        finally:
            server.kill()
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
