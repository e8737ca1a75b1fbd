#!/usr/bin/python3
"""Catalog zones (RFC 9432) at work: one of our servers lists its zones, another serves what is listed.

Members come and go with NOTIFY and a transfer; a restart, a broken catalog, a reset and a change of owner; a thousand members at once. Every
step waits for what it expects, for a bounded time.
"""

import json
import pathlib
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))

import dns.exception
import dns.query

from registry import Registry, eventually, outcome, wait_for
from report import Report, require
from servers import free_port

CATALOG = "catalog.test."
MANY = 1000
REFUSED = "REFUSED"
LOOPBACK = ["127.0.0.0/8"]


def zone_file(folder, name, serial=1, address="192.0.2.1"):
    path = folder / f"{name}zone"
    path.write_text(f"$TTL 60\n@ SOA ns hostmaster {serial} 3600 600 86400 60\n@ NS ns\nns A {address}\n")
    return str(path)


def member(folder, name, **options):
    return {"name": name, "file": zone_file(folder, name), "catalog-member": CATALOG, "allow-transfer": LOOPBACK, **options}


def catalog_text(members, serial, version="2"):
    """A catalog's file: `members` is a list of (label, zone) or (label, zone, {property: record})."""
    lines = ["$TTL 0", f"@ SOA invalid. invalid. {serial} 3600 600 2419200 0", "@ NS invalid.", f'version TXT "{version}"']
    for label, zone, *more in members:
        lines.append(f"{label}.zones PTR {zone}")
        lines += [f"{key}.{label}.zones {record}" for key, record in (more[0] if more else {}).items()]
    return "\n".join(lines) + "\n"


class Pair:
    """A producer, and a consumer that is told of every change."""

    def __init__(self, folder):
        self.folder = folder
        # The consumer's port is wanted by the producer's configuration, and the other way round.
        self.consumer = Registry([], folder=folder / "consumer")
        self.producer = Registry([], folder=folder / "producer")
        for server in (self.consumer, self.producer):
            server.port = free_port(server.addresses)
        told = [f"127.0.0.1@{self.consumer.port}"]
        self.catalog = {"name": CATALOG, "catalog": "produce", "allow-transfer": LOOPBACK, "notify": told}
        self.members = {name: member(folder, name, notify=told) for name in ("one.test.", "two.test.")}
        self.members["two.test."]["catalog-group"] = ["fast"]
        primaries = [f"127.0.0.1@{self.producer.port}"]
        self.consumer.entries = [{"name": CATALOG, "primaries": primaries, "catalog": "consume",
                                  "catalog-groups": [{"group": "fast", "template": "quick"}]}]
        self.consumer.templates = [{"name": "quick", "primaries": primaries, "allow-transfer": LOOPBACK}]

    def write_producer(self):
        self.producer.entries = [self.catalog, *self.members.values()]

    def __enter__(self):
        self.write_producer()
        self.producer.start()
        self.consumer.start()
        return self

    def __exit__(self, *_):
        self.consumer.stop()
        self.producer.stop()


def transferable(server, name):
    try:
        return len(list(dns.query.xfr("127.0.0.1", name, port=server.port, relativize=False, lifetime=5))) > 0
    except (dns.exception.DNSException, OSError, EOFError):
        return False


def two_of_ours(report, folder):
    with Pair(folder) as pair:
        producer, consumer = pair.producer, pair.consumer
        with report.case("what one server lists the other serves"):
            for name in pair.members:
                wait_for(consumer, name, 1)
            rows = consumer.rows()
            require(all(rows[name]["catalog"] == CATALOG for name in pair.members), str(rows))
            require(rows[CATALOG]["catalog"] == "", str(rows[CATALOG]))
            require(sorted(consumer.show(CATALOG)["members"]) == sorted(pair.members), str(consumer.show(CATALOG)))
            require(sorted(producer.show(CATALOG)["members"]) == sorted(pair.members), str(producer.show(CATALOG)))
            require(consumer.show("two.test.")["groups"] == ["fast"], str(consumer.show("two.test.")))
        with report.case("a group chooses the template"):
            require(transferable(consumer, "two.test.") and not transferable(consumer, "one.test."), "allow-transfer")
        serial = outcome(producer, CATALOG)
        with report.case("a zone that is added is served by the other at once, by NOTIFY and IXFR"):
            pair.members["three.test."] = member(folder, "three.test.", notify=pair.catalog["notify"])
            pair.write_producer()
            producer.reload()
            wait_for(consumer, "three.test.", 1)
            require(outcome(producer, CATALOG) == serial + 1, f"{serial}, then {outcome(producer, CATALOG)}")
            require("kind=ixfr" in consumer.log_text(), consumer.log_tail())
        with report.case("a member changes as any secondary does"):
            zone_file(folder, "three.test.", 2, "192.0.2.2")
            producer.run("zone", "reload", "three.test.")
            wait_for(consumer, "three.test.", 2)
        with report.case("a reload without a change leaves the catalog's serial"):
            before = outcome(producer, CATALOG)
            producer.reload()
            producer.restart()
            require(outcome(producer, CATALOG) == before, "the serial moved")
        with report.case("a zone that is dropped is gone there, with its data"):
            stored = json.loads(consumer.run("store", "stat", "--json").stdout)["zones"]
            del pair.members["one.test."]
            pair.write_producer()
            producer.reload()
            wait_for(consumer, "one.test.", REFUSED)
            require(json.loads(consumer.run("store", "stat", "--json").stdout)["zones"] == stored - 1, "it is stored")
            require("one.test." not in consumer.rows(), "it is listed")
        restarts(report, pair)
        leaves(report, pair)


def restarts(report, pair):
    consumer = pair.consumer
    pair.producer.stop()
    with report.case("members serve at once after a restart, with no primary to be had"):
        consumer.restart()
        wait_for(consumer, "three.test.", 2, seconds=2)
        require(consumer.rows()["two.test."]["catalog"] == CATALOG, str(consumer.rows()))
    with report.case("a backup has them"):
        path = consumer.folder / "backup"
        consumer.run("backup", str(path))
        consumer.stop()
        consumer.run("restore", str(path), "--replace")
        consumer.start()
        wait_for(consumer, "three.test.", 2)
        require(sorted(consumer.show(CATALOG)["members"]) == ["three.test.", "two.test."], str(consumer.show(CATALOG)))


def leaves(report, pair):
    consumer = pair.consumer
    entries = consumer.entries
    with report.case("a catalog that leaves the configuration takes its members with it, and brings them back"):
        consumer.entries = []
        consumer.reload()
        wait_for(consumer, "three.test.", REFUSED)
        consumer.entries = entries
        consumer.reload()
        wait_for(consumer, "three.test.", 2)
        require(sorted(consumer.show(CATALOG)["members"]) == ["three.test.", "two.test."], str(consumer.show(CATALOG)))
    with report.case("a member that is configured is no catalog's any more"):
        consumer.entries = [*entries, {"name": "three.test.", "primaries": [f"127.0.0.1@{pair.producer.port}"]}]
        consumer.reload()
        wait_for(consumer, "three.test.", 2)
        eventually("no catalog", lambda: consumer.rows()["three.test."]["catalog"] == "")
        require(consumer.show(CATALOG)["members"] == ["two.test."], str(consumer.show(CATALOG)))
    with report.case("and one again when it is not"):
        consumer.entries = entries
        consumer.reload()
        eventually("a member", lambda: consumer.rows().get("three.test.", {}).get("catalog") == CATALOG)
        wait_for(consumer, "three.test.", 2)


class FromFiles:
    """A consumer of two catalogs that it has as files, and the primary of their members."""

    def __init__(self, folder, names):
        self.folder = folder
        self.serials = {}
        self.primary = Registry([{"name": name, "file": zone_file(folder, name), "allow-transfer": LOOPBACK} for name in names],
                                folder=folder / "primary")
        self.consumer = Registry([], folder=folder / "consumer")

    def write(self, catalog, members, version="2"):
        self.serials[catalog] = self.serials.get(catalog, 0) + 1
        path = self.folder / f"{catalog}file"
        path.write_text(catalog_text(members, self.serials[catalog], version))
        if self.consumer.process:
            self.consumer.run("zone", "reload", catalog)

    def __enter__(self):
        self.primary.start()
        self.consumer.templates = [{"name": "plain", "primaries": [f"127.0.0.1@{self.primary.port}"]}]
        self.consumer.entries = [{"name": name, "file": str(self.folder / f"{name}file"), "catalog": "consume", "catalog-template": "plain"}
                                 for name in ("a.catalog.", "b.catalog.")]
        self.consumer.start()
        return self

    def __exit__(self, *_):
        self.consumer.stop()
        self.primary.stop()


def rules(report, folder):
    world = FromFiles(folder, ["m.test.", "n.test."])
    world.write("a.catalog.", [("l1", "m.test.")])
    world.write("b.catalog.", [])
    with world:
        consumer = world.consumer
        loads = lambda: consumer.log_text().count("outcome=done")
        with report.case("a catalog from a file brings its member"):
            wait_for(consumer, "m.test.", 1)
        with report.case("a broken catalog changes nothing, and is told once [RFC 9432 section 5.1]"):
            world.write("a.catalog.", [], version="3")
            eventually("told", lambda: consumer.log_text().count("catalog.broken") == 1)
            consumer.run("zone", "reload", "a.catalog.")
            consumer.reload()
            require(consumer.log_text().count("catalog.broken") == 1, "told again")
            require(outcome(consumer, "m.test.") == 1, "the member is gone")
            require("schema version" in consumer.run("zone", "show", "a.catalog.").stderr, consumer.run("zone", "show", "a.catalog.").stderr)
            consumer.restart()
            require(outcome(consumer, "m.test.") == 1, "the member is gone after a restart")
        with report.case("another label means another zone: it is transferred anew [RFC 9432 section 5.4]"):
            before = loads()
            world.write("a.catalog.", [("l2", "m.test.")])
            eventually("a transfer", lambda: loads() == before + 1)
            wait_for(consumer, "m.test.", 1)
            require("catalog.reset" in consumer.log_text(), consumer.log_tail())
        with report.case("no other catalog takes a member away [RFC 9432 section 5.2]"):
            world.write("b.catalog.", [("l2", "m.test."), ("x", "n.test.")])
            wait_for(consumer, "n.test.", 1)
            require(consumer.rows()["m.test."]["catalog"] == "a.catalog.", str(consumer.rows()))
            require("belongs to catalog a.catalog." in consumer.log_text(), consumer.log_tail())
        with report.case("unless it is handed over, with its data under the same label [RFC 9432 section 4.3.1]"):
            before = loads()
            world.write("a.catalog.", [("l2", "m.test.", {"coo": "PTR b.catalog."})])
            eventually("moved", lambda: consumer.rows()["m.test."]["catalog"] == "b.catalog.")
            require(outcome(consumer, "m.test.") == 1, "it is not served")
            world.write("a.catalog.", [])
            require(outcome(consumer, "m.test.") == 1, "the old owner took it away")
            require(loads() == before, "it was transferred anew")
        with report.case("a catalog is gone with its last member, and says so"):
            world.write("b.catalog.", [])
            wait_for(consumer, "m.test.", REFUSED)
            wait_for(consumer, "n.test.", REFUSED)
            require("lists none of its 2 members" in consumer.log_text(), consumer.log_tail())


def many(report, folder):
    names = [f"z{number}.test." for number in range(MANY)]
    world = FromFiles(folder, names)
    world.write("a.catalog.", [])
    world.write("b.catalog.", [])
    with world:
        consumer = world.consumer
        with report.case(f"{MANY} members are there within seconds"):
            began = time.monotonic()
            world.write("a.catalog.", [(f"u{number}", name) for number, name in enumerate(names)])
            eventually(lambda: f"all serving: {serving(consumer)} are\n{consumer.log_tail(5)}", lambda: serving(consumer) == MANY, 30)
            print(f"        {MANY} members served after {time.monotonic() - began:.1f} s", flush=True)
        with report.case("and gone"):
            world.write("a.catalog.", [])
            eventually("gone", lambda: len(consumer.rows()) == 2)
            wait_for(consumer, names[-1], REFUSED)


def serving(consumer):
    return sum(1 for row in consumer.rows().values() if row["catalog"] and row["state"] == "serving")


def main():
    report = Report("catalogs")
    with tempfile.TemporaryDirectory(prefix="steward-catalogs-") as name:
        for number, part in enumerate((two_of_ours, rules, many)):
            folder = pathlib.Path(name) / str(number)
            folder.mkdir()
            part(report, folder)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
