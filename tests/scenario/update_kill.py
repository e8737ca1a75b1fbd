#!/usr/bin/python3
"""kill -9 under a load of UPDATEs, and of a secondary while it transfers: what was answered NOERROR is there after the
restart, nothing is half done, the journal leads from every older version to the present one, and the secondaries agree.

    update_kill.py [--kills 60] [--secondary-kills 30] [--long] [--seed N]

Half of the kills of the primary come at a random moment of the load, half within a millisecond or two after an update
was sent. `--long` is 200 kills of the primary for each of NSEC and NSEC3.
"""

import argparse
import pathlib
import random
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "support")]

import peers
import servers
import update_load
import zone_wire
from report import Failed, Report, require
from signing import run_tool
from update_load import Client, Ledger, Load
from zone_wire import digest, fetch, serial_of, soa_of

ZONE = "kill.test."      # its changes are transferred as such
WHOLE = "whole.test."    # without a journal: always whole
KEY = ("update.", "Iv3MA1ZK14F9zGYudy8xtfB8JUrMetqYs1HTRo/2L0o=")
LOOPBACK = "127.0.0.1"
CLIENTS = 6
VERSIONS_KEPT = 40
AGREEMENT_SECONDS = 30


def zone_text(names):
    lines = ["$TTL 300", "@ SOA ns1 hostmaster 1 3600 600 604800 60", "@ NS ns1", "ns1 A 127.0.0.1"]
    return "\n".join(lines + [f'f{number} A 192.0.2.1' for number in range(names)]) + "\n"


def made_by_updates(version):
    """The names that clients made: their first label holds a hyphen."""
    zone = zone_wire.wire_name(ZONE)
    return {owner[1:1 + owner[0]].decode() for owner, rtype, _, rdata in version
            if rtype == 16 and owner.endswith(zone) and b"-" in owner[1:1 + owner[0]]}


class World:
    """A primary of both zones and a secondary, each on a port that it keeps."""

    def __init__(self, folder, denial, rng):
        self.folder, self.rng = folder, rng
        paths = {}
        for zone in (ZONE, WHOLE):
            paths[zone] = folder / f"{denial}-{zone}zone"
            paths[zone].write_text(zone_text(600 if zone == ZONE else 1500))
        ports = servers.free_port([LOOPBACK]), servers.free_port([LOOPBACK])
        rights = {"allow-transfer": ["127.0.0.0/8"], "notify": [f"{LOOPBACK}@{ports[1]}"],
                  "allow-update": [{"key": KEY[0]}, "127.0.0.0/8"]}
        keys = {"keys": [{"name": KEY[0], "algorithm": "hmac-sha256", "secret": KEY[1]}]}
        dnssec = {"nsec3": denial == "nsec3"}
        self.primary = peers.Ours(
            [servers.Zone(ZONE, paths[ZONE], dnssec=dnssec, options=rights),
             servers.Zone(WHOLE, paths[WHOLE], dnssec=dnssec, options={**rights, "journal": {"max-size": 0}})],
            addresses=[LOOPBACK], options={"zone-files": {"watch": False}, **keys})
        self.primary.port = ports[0]
        come_from = {"primaries": [f"{LOOPBACK}@{ports[0]}"], "allow-transfer": ["127.0.0.0/8"]}
        self.secondary = peers.Ours([servers.Zone(zone, "/dev/null", options=come_from) for zone in (ZONE, WHOLE)],
                                    addresses=[LOOPBACK])
        self.secondary.port = ports[1]
        self.ledger = Ledger()
        self.load = Load([Client(number, (LOOPBACK, ports[0]), ZONE, self.ledger, rng, KEY if number == 0 else None)
                          for number in range(CLIENTS)])
        self.differences = 0  # incremental transfers that were looked at
        self.versions = {}  # serial: the zone as it was transferred then

    def __enter__(self):
        self.primary.start()
        self.secondary.start()
        return self

    def __exit__(self, *_):
        self.secondary.__exit__()
        self.primary.__exit__()

    def fetch(self, server, zone=ZONE, since=None):
        return fetch(LOOPBACK, server.port, zone, since)

    def version(self):
        """The primary's zone now, kept among the versions."""
        transfer = self.fetch(self.primary)
        require(transfer.records is not None, "an AXFR that is none")
        known = self.versions.setdefault(transfer.serial, transfer.records)
        require(known == transfer.records, f"two versions have the serial {transfer.serial}")
        if len(self.versions) > VERSIONS_KEPT:
            del self.versions[self.rng.choice(list(self.versions)[:-1])]
        return transfer

    def check_journal(self, count):
        """From older versions, through the differences, to the present one."""
        now = self.version()
        older = [serial for serial in self.versions if serial != now.serial]
        # Those of lately come as differences, the oldest perhaps whole, as what is smaller.
        for serial in {*older[-count // 2:], *self.rng.sample(older, min(count // 2, len(older)))}:
            since = self.versions[serial]
            transfer = self.fetch(self.primary, since=soa_of(since))
            require(transfer.serial == now.serial, f"IXFR leads to {transfer.serial}, not to {now.serial}")
            self.differences += transfer.differences is not None
            records = transfer.records or zone_wire.apply(since, transfer.differences)
            require(records == now.records, f"IXFR from {serial} leads to another zone than AXFR: "
                                            f"{list(records ^ now.records)[:4]}")

    def verify_store(self):
        done = self.primary.run("store", "verify", check=False)
        require(done.returncode == 0, f"store verify: {done.stdout}{done.stderr}")

    def agree(self, zone=ZONE):
        """Waits until the secondary has what the primary has."""
        end = time.monotonic() + AGREEMENT_SECONDS
        while True:
            here = self.fetch(self.primary, zone)
            try:
                there = self.fetch(self.secondary, zone)
            except (OSError, zone_wire.TransferError):
                there = None
            if there and there.serial == here.serial:
                require(digest(there.records) == digest(here.records),
                        f"{zone} {here.serial} differs: {list(there.records ^ here.records)[:4]}")
                return here
            if time.monotonic() > end:
                raise Failed(f"after {AGREEMENT_SECONDS} s the secondary has {zone} "
                             f"{there.serial if there else 'not at all'}, the primary {here.serial}")
            time.sleep(0.02)

    def validate(self):
        for zone in (ZONE, WHOLE):
            path = self.folder / "export"
            path.write_text(self.primary.run("zone", "export", zone).stdout)
            run_tool("dnssec-verify", "-q", "-o", zone, path)


def kill_primary(world, number):
    """One kill, and what is seen after the restart."""
    rng = world.rng
    before = world.version().serial
    world.load.connect()
    world.load.run(rng.uniform(0.0, 0.12))
    if number % 2 == 0:
        # Aimed: into the making, the commit and the answering of updates that were just sent.
        world.load.finish()
        for client in world.load.clients[:rng.randint(1, CLIENTS)]:
            client.send()
        time.sleep(rng.uniform(0.0, 0.002))
    world.primary.kill()
    world.load.after_kill()
    moment = f"kill {number + 1}"
    if number % 10 == 3:
        world.verify_store()
    world.primary.start()
    now = world.version()
    require(now.serial >= before, f"{moment}: the serial went back from {before} to {now.serial}")
    world.ledger.settle(made_by_updates(now.records), moment)
    if number % 5 == 4:
        world.check_journal(4)


def primary_rounds(report, world, kills, denial):
    with report.case(f"{denial}: killed {kills} times, the primary has what it acknowledged, its journal is whole"):
        for number in range(kills):
            kill_primary(world, number)
        print(f"        {world.ledger.acknowledged} updates acknowledged, {world.ledger.refused} refused, "
              f"{len(world.ledger.there)} names left")
        require(world.ledger.acknowledged >= 5 * kills, "there was hardly any load")
    with report.case(f"{denial}: the secondary agrees without another change"):
        world.agree()
    with report.case(f"{denial}: differences from {VERSIONS_KEPT} older versions lead to the present one"):
        world.check_journal(VERSIONS_KEPT)
        print(f"        {world.differences} of the transfers were incremental")
        require(world.differences > kills // 5, "hardly any transfer was incremental")
    with report.case(f"{denial}: the zones validate and the database is right"):
        world.validate()
        world.primary.kill()
        world.verify_store()
        world.primary.start()
        world.ledger.settle(made_by_updates(world.version().records), "the last restart")


def kill_secondary(world, zone, number):
    """A kill while a new version is on its way, which one update of many records makes."""
    rng = world.rng
    old = world.agree(zone)
    apex = zone_wire.wire_name(zone)
    records = [update_load.record(update_load.label(f"s{number}-{index}") + apex, 16, 1, 300, update_load.txt("new"))
               for index in range(300)]
    rcode = update_load.update_by_stream((LOOPBACK, world.primary.port), zone, [], records)
    require(rcode == 0, f"the update was answered with RCODE {rcode}")
    time.sleep(rng.uniform(0.0, 0.03))
    world.secondary.kill()
    new = world.fetch(world.primary, zone)
    # Nobody is asked until it was looked at.
    world.primary.kill()
    world.secondary.start()
    found = world.fetch(world.secondary, zone)
    wanted = {old.serial: old, new.serial: new}.get(found.serial)
    world.primary.start()
    require(wanted is not None, f"the secondary has {found.serial}, neither {old.serial} nor {new.serial}")
    require(digest(found.records) == digest(wanted.records), f"a mixture of {old.serial} and {new.serial}")
    return found.serial == new.serial


def secondary_rounds(report, world, kills, denial):
    world.ledger.there.clear()
    for zone, sentence in ((ZONE, "an incremental"), (WHOLE, "a whole")):
        with report.case(f"{denial}: killed {kills // 2} times in {sentence} transfer, the secondary has one version whole"):
            new = sum(kill_secondary(world, zone, number) for number in range(kills // 2))
            print(f"        the new version {new} times, the old one {kills // 2 - new} times")
            world.agree(zone)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, help="kills of the primary, for each kind of denial")
    parser.add_argument("--secondary-kills", type=int, default=30)
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    arguments = parser.parse_args()
    kills = arguments.kills or (200 if arguments.long else 30)
    print(f"seed {arguments.seed}")
    report = Report("update and kill")
    if not pathlib.Path(peers.our_program()).exists():
        sys.exit(f"{peers.our_program()} is not built")
    for denial in ("nsec", "nsec3"):
        with tempfile.TemporaryDirectory(prefix="steward-kill-") as name:
            with World(pathlib.Path(name), denial, random.Random(arguments.seed)) as world:
                primary_rounds(report, world, kills, denial)
                if denial == "nsec" or arguments.long:
                    secondary_rounds(report, world, arguments.secondary_kills, denial)
                if report.failed:
                    for server in (world.primary, world.secondary):
                        lines = [line for line in server.log_text().splitlines() if " transfer.out " not in line]
                        print(*lines[-25:], sep="\n")
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
