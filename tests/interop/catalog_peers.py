#!/usr/bin/python3
"""Catalog zones (RFC 9432) between us and others: what knotd generates we serve, what we produce knotd and named serve.

    catalog_peers.py [--probe build/tests/support/zone-probe] [--keep FILE]

Members come and go on both sides while they run. `zone-probe catalog` reads knotd's catalog by our rules as well; --keep writes it as it was
transferred.
"""

import argparse
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))

import dns.exception
import dns.query
import dns.zone

import peers
from registry import Registry, eventually, outcome
from report import Failed, Report, require
from servers import ROOT, Zone

CATALOG = "catalog.test."
MEMBERS = {"one.test.": "", "two.test.": "fast", "a\\.b.three.test.": ""}
WAIT_SECONDS = 30


def member_file(folder, name):
    path = folder / f"member-{len(name)}.zone"
    path.write_text(f"$TTL 60\n@ SOA ns hostmaster 1 3600 600 86400 60\n@ NS ns\nns A 192.0.2.{len(name)}\n")
    return path


def member_zones(folder):
    return [Zone(name, member_file(folder, name)) for name in MEMBERS]


class GeneratingKnot(peers.Knot):
    """knotd with a catalog of all its zones but the catalog itself."""

    def write_config(self):
        super().write_config()
        path = self.folder / "knot.conf"
        lines = []
        for line in path.read_text().splitlines():
            lines.append(line)
            for zone in self.zones:
                if line == f'  - domain: "{zone.name}"':
                    lines += ["    catalog-role: member", f"    catalog-zone: {CATALOG}"]
                    if MEMBERS[zone.name]:
                        lines.append(f"    catalog-group: {MEMBERS[zone.name]}")
        lines += [f"  - domain: {CATALOG}", "    catalog-role: generate"]
        path.write_text("\n".join(lines) + "\n")


class ConsumingKnot(peers.Knot):
    """knotd that takes the members of the catalog from the primary."""

    def __init__(self, zones, primary, **arguments):
        super().__init__(zones, **arguments)
        self.primary = primary

    def write_config(self):
        super().write_config()
        path = self.folder / "knot.conf"
        before, zones = path.read_text().split("\nzone:\n")
        remote = f"remote:\n  - id: primary\n    address: 127.0.0.1@{self.primary.port}\n"
        template = f'  - id: member\n    storage: "{self.folder}"\n    master: primary\n    zonefile-sync: -1\n    acl: loopback\n'
        before = before.replace("\npolicy:", "\n  - id: notified\n    address: [127.0.0.0/8]\n    action: notify\npolicy:", 1)
        head, tail = before.split("\ntemplate:\n")
        catalog = (f"  - domain: {CATALOG}\n    master: primary\n    acl: notified\n"
                   "    catalog-role: interpret\n    catalog-template: member\n")
        path.write_text(f"{head}\n{remote}template:\n{tail}\n{template}zone:\n{zones}{catalog}")


class ConsumingNamed(peers.Bind):
    """named that takes the members of the catalog from the primary."""

    def __init__(self, zones, primary, **arguments):
        super().__init__(zones, **arguments)
        self.primary = primary

    def write_config(self):
        super().write_config()
        path = self.folder / "named.conf"
        primaries = f"{{ 127.0.0.1 port {self.primary.port}; }}"
        catalogs = f'catalog-zones {{ zone "{CATALOG}" default-primaries {primaries} in-memory yes min-update-interval 1; }};\n'
        text = path.read_text().replace("options {", "options {\n" + catalogs, 1)
        path.write_text(text + f'zone "{CATALOG}" {{ type secondary; primaries {primaries}; file "catalog.db"; }};\n')


def transfer(server, name):
    """knotd keeps its catalog from queries, so that only a transfer tells that it is there."""
    end = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < end:
        try:
            return dns.zone.from_xfr(dns.query.xfr("127.0.0.1", name, port=server.port, relativize=False), relativize=False)
        except dns.exception.DNSException as why:
            reason = why
            time.sleep(0.05)
    raise Failed(f"no transfer of {name}: {reason}")


def wait_for(server, names):
    """Until the server answers for all of them; what is missing when the time is over."""
    end = time.monotonic() + WAIT_SECONDS
    missing = list(names)
    while missing and time.monotonic() < end:
        missing = [name for name in missing if not server.answers(Zone(name, "/dev/null"))]
        time.sleep(0.05)
    return missing


def probe_lines(probe, *words):
    done = subprocess.run([probe, *map(str, words)], capture_output=True, text=True, check=False)
    require(done.returncode == 0, done.stderr)
    return done.stdout.splitlines()


def we_read(report, probe, folder, keep):
    """knotd lists all that it serves; a zone less after its reload."""
    knot = GeneratingKnot(member_zones(folder))
    with knot, Registry([{"name": CATALOG, "primaries": [f"127.0.0.1@{knot.port}"], "catalog": "consume", "min-refresh": "1s"}]) as ours:
        with report.case("what knotd generates is a catalog by our rules"):
            zone = transfer(knot, CATALOG)
            path = pathlib.Path(keep) if keep else folder / "knot-catalog.zone"
            zone.to_file(str(path), relativize=False, sorted=True)
            found = {line.split()[0]: line.split()[3:] for line in probe_lines(probe, "catalog", CATALOG, path)}
            require(found == {name: [group] if group else [] for name, group in MEMBERS.items()}, str(found))
        with report.case("and we serve its members"):
            missing = wait_for(ours, MEMBERS)
            require(not missing, f"missing: {missing}\n{ours.log_tail()}")
            require(ours.show("two.test.")["groups"] == ["fast"], str(ours.show("two.test.")))
        with report.case("a zone that knotd drops we drop"):
            knot.zones = [zone for zone in knot.zones if zone.name != "one.test."]
            knot.write_config()
            knot.signal(signal.SIGHUP)
            eventually("gone at knotd", lambda: outcome(knot, "one.test.") == "REFUSED")
            ours.run("zone", "reload", CATALOG)
            eventually(lambda: f"gone here\n{ours.log_tail()}", lambda: outcome(ours, "one.test.") == "REFUSED")
            require(not wait_for(ours, ["two.test."]), ours.log_tail())


def entry(folder, name, group):
    listed = {"catalog-group": [group]} if group else {}
    return {"name": name, "file": str(member_file(folder, name)), "catalog-member": CATALOG, "allow-transfer": ["127.0.0.0/8"], **listed}


def others_read(report, folder):
    for consumer in (ConsumingNamed, ConsumingKnot):
        catalog = {"name": CATALOG, "catalog": "produce", "allow-transfer": ["127.0.0.0/8"]}
        primary = Registry([catalog, *(entry(folder, name, group) for name, group in MEMBERS.items())])
        with primary, consumer([], primary, addresses=["127.0.0.1"]) as server:
            catalog["notify"] = [f"127.0.0.1@{server.port}"]
            primary.reload()
            with report.case(f"{consumer.program} takes the members of our catalog"):
                missing = wait_for(server, MEMBERS)
                require(not missing, f"missing: {missing}\n{server.log_tail()}")
            with report.case(f"{consumer.program} follows when a member is added and another is dropped"):
                primary.entries = [row for row in primary.entries if row["name"] != "one.test."] + [entry(folder, "more.test.", "")]
                primary.reload()
                missing = wait_for(server, ["more.test."])
                require(not missing, f"missing: {missing}\n{server.log_tail()}")
                eventually(lambda: f"one.test. is gone\n{server.log_tail()}", lambda: outcome(server, "one.test.") == "REFUSED")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--probe", default=str(ROOT / "build/tests/support/zone-probe"))
    parser.add_argument("--keep")
    arguments = parser.parse_args()
    report = Report("catalog zones with peers")
    with tempfile.TemporaryDirectory(prefix="steward-catalog-") as name:
        folder = pathlib.Path(name)
        we_read(report, arguments.probe, folder, arguments.keep)
        others_read(report, folder)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
