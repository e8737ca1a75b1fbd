#!/usr/bin/python3
"""A search at the closest of a registry's servers: all of them are measured, one that is far, one that is silent and one that does not know the zone
among them; where the closest fails, the next is asked.

    geo_day.py

The registry's own server is one of ours; the far one is it behind a wait.
"""

import json
import pathlib
import socket
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "support")]

import dns.message
import dns.query
import dns.rcode

import namespaces
import peers
import servers
from federation import Federation, address_of, zone_of
from publisher import Publisher, steward_manifest
from registry import eventually
from report import Report, require

LEAF = "acme-corp"
NEAR, FAR, SILENT, STRANGE = "127.53.66.1", "127.53.66.2", "127.53.66.3", "127.53.66.4"
WAIT = 0.06  # s


class Responder:
    """A server at port 53 of an address, over UDP: `answer(query)` gives the octets, or None."""

    def __init__(self, address, answer):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((address, 53))
        self.answer = answer
        self.asked = 0
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                query, peer = self.socket.recvfrom(4096)
            except OSError:
                return
            self.asked += 1
            threading.Thread(target=self.respond, args=(query, peer), daemon=True).start()

    def respond(self, query, peer):
        octets = self.answer(query)
        if octets is not None:
            self.socket.sendto(octets, peer)

    def close(self):
        self.socket.close()


def far(server):
    """Its answers, later."""
    def answer(query):
        time.sleep(WAIT)
        return dns.query.udp(dns.message.from_wire(query), server.address, port=53, timeout=5).to_wire()
    return answer


def strange(query):
    """Somebody who does not have the zone."""
    reply = dns.message.make_response(dns.message.from_wire(query))
    reply.set_rcode(dns.rcode.REFUSED)
    return reply.to_wire()


class Day:
    def __init__(self, folder, federation):
        self.federation, self.leaf = federation, federation[LEAF]
        self.folder = pathlib.Path(folder)
        self.anchor = self.folder / "anchor.ds"
        self.anchor.write_text(federation.anchor())
        self.client = Publisher(self.folder / "publisher", self.leaf.at, LEAF)
        self.client.done("keygen")
        self.client.done("publish", self.client.write("planner.json", steward_manifest("planner")))
        lines = [f"{name} A {address}" for name, address in (("far", FAR), ("silent", SILENT), ("strange", STRANGE))]
        zone = self.leaf.zones[0].file
        zone.write_text(zone.read_text() + "\n".join([*lines, "@ NS far", "@ NS silent", "_replicas._agents SRV 0 0 53 far",
                                                      "_replicas._agents SRV 0 0 53 strange"]) + "\n")
        self.leaf.run("zone", "reload", self.leaf.zone)

    def run(self, *words):
        return self.client.run("discover", "make_plan", "--namespace", LEAF, "--registry", self.federation[""].at, "--trust-anchor", self.anchor,
                               "--geo-aware", *words, timeout=60)

    def found(self):
        done = self.run("--json")
        require(done.returncode == 0, done.stdout + done.stderr)
        return json.loads(done.stdout)


def measures(report, day, responders):
    with report.case("all servers are measured, each address once; the closest is used, and the agent found there"):
        found = day.found()
        rows = {row["address"].split("@")[0]: row for row in found["replicas"]}
        require(set(rows) == {day.leaf.address, FAR, SILENT, STRANGE} and len(found["replicas"]) == 4, found["replicas"])
        near, away = rows[day.leaf.address], rows[FAR]
        require(near["used"] and not away["used"] and near["latency_ms"] < WAIT * 1000 <= away["latency_ms"], found["replicas"])
        require(found["replicas"][0] == near and found["replicas"][1] == away, "not sorted")
        require(not rows[SILENT]["answered"] and rows[SILENT]["latency_ms"] is None and not rows[STRANGE]["answered"], found["replicas"])
        require([row["agent"].rstrip(".") for row in found["agents"]] == [f"planner.{zone_of(LEAF)}".rstrip(".")], found["agents"])
        require(responders[FAR].asked >= 3, f"the far one was asked {responders[FAR].asked} times")
    with report.case("a table for people says the times and which was used"):
        shown = day.run().stdout
        require("closest, used" in shown and "no answer" in shown and "planner" in shown, shown)


def falls_over(report, day):
    with report.case("the closest is down: the next one is used, and who did not answer is named"):
        slow = day.leaf.address
        mirror = peers.Ours([servers.Zone(day.leaf.zone, day.leaf.zones[0].file, False, {"primaries": [day.leaf.at]})], addresses=[NEAR])
        mirror.port = 53
        day.leaf.zones[0].file.write_text(day.leaf.zones[0].file.read_text() + f"near A {NEAR}\n@ NS near\n")
        day.leaf.zones[0].options["allow-transfer"] = ["127.0.0.0/8"]
        day.leaf.write_config()
        day.leaf.run("reload")
        root = day.federation[""]
        root.zones[0].file.write_text(root.zones[0].file.read_text() + f"{day.leaf.zone} NS near.{day.leaf.zone}\nnear.{day.leaf.zone} A {NEAR}\n")
        root.run("zone", "reload", root.zone)
        with mirror:
            eventually("the mirror has the zone", lambda: mirror.answers(mirror.zones[0]))
            require(any(row["address"].startswith(NEAR) and row["answered"] for row in day.found()["replicas"]), "the mirror is not measured")
            day.leaf.stop()
            found = day.found()
            used = [row["address"].split("@")[0] for row in found["replicas"] if row["used"]]
            require(used == [NEAR] and found["agents"], found)
            require(any(slow in warning["what"] for warning in found["warnings"]) or not found["replicas"][0]["address"].startswith(slow), found["warnings"])


def run(report):
    with tempfile.TemporaryDirectory(prefix="steward-geo-") as folder, Federation(folder, {"": None, LEAF: ""}) as federation:
        responders = {FAR: Responder(FAR, far(federation[LEAF])), SILENT: Responder(SILENT, lambda query: None),
                      STRANGE: Responder(STRANGE, strange)}
        day = Day(folder, federation)
        measures(report, day, responders)
        falls_over(report, day)
        for responder in responders.values():
            responder.close()


def main():
    report = Report("geo_day")
    return namespaces.at_port_53(report, address_of(0), "the closest server", lambda: run(report))


if __name__ == "__main__":
    sys.exit(main())
