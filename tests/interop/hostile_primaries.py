#!/usr/bin/python3
"""Our secondary beside primaries that send what they must not: the zone of before is served, the log says why, and it asks again.

    hostile_primaries.py [--only NAME] [--keep]

Every transfer of malformed_transfers.py has a zone of its own at one primary of the test's making.
"""

import argparse
import pathlib
import shutil
import ssl
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]

import dns.flags
import dns.message
import dns.opcode
import dns.query
import dns.rrset

import servers
from certificates import Certificates
from fake_primary import Cut, FakePrimary
from links import Key, LinkedZone, Remote, TlsFiles
from malformed_transfers import KEY, MALFORMED, UNFIT, content, good, plain
from report import Report, require
from transfer_peers import LinkedOurs, serial_at
from transfer_zones import fields

PATIENCE = 30.0
FAKE_KEY = Key("fake", "hmac-sha256", "ZmFrZS1mYWtlLWZha2UtZmFrZS1mYWtlLWZha2UtZmFrZQ==")


def wait_until(condition, seconds=PATIENCE):
    end = time.monotonic() + seconds
    while not (got := condition()) and time.monotonic() < end:
        time.sleep(0.05)
    return got


def notify(server, zone, serial=None, source="127.0.0.1"):
    """A NOTIFY by UDP; the response code."""
    message = dns.message.make_query(zone, "SOA")
    message.set_opcode(dns.opcode.NOTIFY)
    message.flags = message.flags | dns.flags.AA
    return dns.query.udp(message, server.address, port=server.port, timeout=3, source=source).rcode()


def refusals(server, zone, outcome="refused"):
    """The fields of our log's lines of transfers of this zone that ended so."""
    lines = [fields(line) for line in server.log_text().splitlines() if " transfer.in " in line]
    return [line for line in lines if line.get("zone") == zone and line.get("outcome", "").strip('"') == outcome]


class Scene:
    """What the fake primary sends: good transfers, or those of its zones that are not."""

    def __init__(self):
        self.bad = False
        self.primary = FakePrimary(self.transfer, keyring={KEY.name: KEY})

    def transfer(self, query, zone):
        name = zone.removesuffix(".test.")
        if self.bad and name in MALFORMED:
            return MALFORMED[name][1](query, zone, self.primary.soa)
        if self.bad and name in UNFIT and query.question[0].rdtype == 251:
            return UNFIT[name][1](query, zone, self.primary.soa)
        return good(query, zone, self.primary.soa)


def malformed(report, folder, only):
    scene = Scene()
    names = [name for name in [*MALFORMED, *UNFIT] if only in (None, name)]
    for name in names:
        scene.primary.serials[f"{name}.test."] = 1
    zones = [LinkedZone(f"{name}.test.", "/nonexistent",
                        primaries=[Remote("127.0.0.1", scene.primary.port, FAKE_KEY if name.startswith("tsig") else None)])
             for name in names]
    scene.primary.start()
    with LinkedOurs(zones=zones, folder=folder / "malformed") as server:
        with report.case("all zones come by a good AXFR first"):
            arrived = wait_until(lambda: all(serial_at(server, zone.name) == 1 for zone in zones))
            require(arrived, f"{[zone.name for zone in zones if serial_at(server, zone.name) != 1]}\n{server.log_tail(5)}")
        if report.failed:
            return
        scene.bad = True
        for zone in zones:
            scene.primary.serials[zone.name] = 2
        for zone in zones:
            notify(server, zone.name)
        for name in names:
            zone = f"{name}.test."
            if name in MALFORMED:
                with report.case(f"{MALFORMED[name][0]}: refused, the old zone is served, the primary is asked again"):
                    refused_case(server, scene, zone, MALFORMED[name][2])
            else:
                with report.case(f"an IXFR that {UNFIT[name][0]} is followed by an AXFR [RFC 1995 §4]"):
                    require(wait_until(lambda zone=zone: serial_at(server, zone) == 2), f"no AXFR\n{about(server, zone)}")
                    require(scene.primary.count(zone, "IXFR") and scene.primary.count(zone, "AXFR") > 1, str(scene.primary.asked))
        scene.bad = False
        for zone in zones:
            scene.primary.serials[zone.name] = 3
        with report.case("all zones come once the primary sends what it should"):
            require(wait_until(lambda: all(serial_at(server, zone.name) == 3 for zone in zones), 30),
                    f"{[zone.name for zone in zones if serial_at(server, zone.name) != 3]}\n{server.log_tail(8)}")
    scene.primary.stop()


def refused_case(server, scene, zone, words):
    require(wait_until(lambda: len(refusals(server, zone)) > 1), f"not refused twice\n{about(server, zone)}")
    why = refusals(server, zone)[0].get("why", "-")
    require(len(why) > 3, f"no reason: {why}")
    require(words in why, f"the reason is {why}")
    require(serial_at(server, zone) == 1, f"serial {serial_at(server, zone)}")
    answer = dns.query.udp(dns.message.make_query(f"v1.{zone}", "TXT"), server.address, port=server.port, timeout=2)
    require(answer.answer, "the old zone is not whole")
    require(scene.primary.count(zone, "SOA") + scene.primary.count(zone, "IXFR") > 1, "not asked again")


def about(server, zone):
    return "\n".join([line for line in server.log_text().splitlines() if zone.rstrip(".") in line][-6:])


def server_context(certificates, name):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.path(f"{name}.pem"), certificates.path(f"{name}.key"))
    context.set_alpn_protocols(["dot"])
    return context


def over_tls(report, folder):
    """A TLS peer that ends early, one of another name, and one of another authority [RFC 9103 §9.3]."""
    certificates = Certificates(folder)
    certificates.make("right", "DNS:ns1.example")
    certificates.make("other", "DNS:ns9.example")
    certificates.make("forged", "DNS:ns1.example", "rogue")
    state = {"early": False}

    def transfer(query, zone):
        if not state["early"]:
            yield from good(query, zone, primaries[zone].soa)
            return
        yield plain(query, primaries[zone].soa(zone), *content(zone, 2))
        raise Cut

    primaries = {}
    for name in ("right", "other", "forged"):
        primaries[f"{name}.test."] = FakePrimary(transfer, tls_context=server_context(certificates, name)).start()
    zones = []
    for zone, primary in primaries.items():
        primary.serials[zone] = 1
        zones.append(LinkedZone(zone, "/nonexistent", primaries=[Remote("127.0.0.1", primary.port, None, "ns1.example")]))
    tls = TlsFiles(servers.free_port(["127.0.0.1"]), *map(certificates.path, ("ca.pem", "right.pem", "right.key")))
    with LinkedOurs(zones=zones, tls=tls, folder=folder / "tls") as server:
        with report.case("a certificate of another name or of another authority is refused, and the log says so"):
            require(wait_until(lambda: serial_at(server, "right.test.") == 1), f"no transfer at all\n{server.log_tail(6)}")
            for zone in ("other.test.", "forged.test."):
                require(wait_until(lambda zone=zone: refusals(server, zone)), f"not refused\n{about(server, zone)}")
                require("certificate" in refusals(server, zone)[0]["why"], refusals(server, zone)[0]["why"])
                require(serial_at(server, zone) is None, "served")
        with report.case("a TLS peer that ends in the middle: the old zone is served, and the next transfer comes"):
            primary = primaries["right.test."]
            state["early"], primary.serials["right.test."] = True, 2
            notify(server, "right.test.")
            require(wait_until(lambda: refusals(server, "right.test.")), f"not refused\n{about(server, 'right.test.')}")
            require(serial_at(server, "right.test.") == 1, "another serial is served")
            state["early"] = False
            require(wait_until(lambda: serial_at(server, "right.test.") == 2), f"not revived\n{about(server, 'right.test.')}")
    for primary in primaries.values():
        primary.stop()


def notifies(report, folder):
    """NOTIFY from whom it may, from strangers, with a serial ahead, by ldns-notify."""
    zone = "told.test."
    primary = FakePrimary(lambda query, name: good(query, name, primary.soa), timers="3600 600 604800 60")
    primary.serials[zone] = 1
    primary.start()
    with LinkedOurs(zones=[LinkedZone(zone, "/nonexistent", primaries=[Remote("127.0.0.1", primary.port)])],
                    folder=folder / "told") as server:
        wait_until(lambda: serial_at(server, zone) == 1)
        with report.case("NOTIFY from a stranger is refused, and the primary not asked [RFC 1996 §3.10]"):
            before = len(primary.asked)
            require(notify(server, zone, source="127.0.0.99") == 5, "not REFUSED")
            time.sleep(0.3)
            require(len(primary.asked) == before, str(primary.asked[before:]))
        with report.case("NOTIFY with a serial that the primary has not: it is asked for its own, and nothing is transferred [RFC 1996 §3.11]"):
            require(ahead(server, zone, 4000) == 0, "refused")
            require(wait_until(lambda: primary.count(zone, "SOA") > 0), "not asked")
            require(serial_at(server, zone) == 1, "another serial")
            require(primary.count(zone, "AXFR") == 1, "transferred")
        with report.case("ldns-notify has the change transferred"):
            primary.serials[zone] = 2
            command = [servers.find_program("ldns-notify"), "-p", str(server.port), "-z", zone, "-s", "2", server.address]
            done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
            require(done.returncode == 0, done.stdout + done.stderr)
            require(wait_until(lambda: serial_at(server, zone) == 2), about(server, zone))
        with report.case("NOTIFY of a zone that is not here is refused, one of a zone that is current is answered"):
            require(notify(server, "nowhere.test.") in (5, 9), "taken")
            require(notify(server, zone) == 0, "not NOERROR")
    primary.stop()


def ahead(server, zone, serial):
    message = dns.message.make_query(zone, "SOA")
    message.set_opcode(dns.opcode.NOTIFY)
    message.flags = message.flags | dns.flags.AA
    message.answer.append(dns.rrset.from_text(zone, 300, "IN", "SOA", f"ns1.{zone} hostmaster.{zone} {serial} 1 1 1 1"))
    return dns.query.udp(message, server.address, port=server.port, timeout=3, source="127.0.0.1").rcode()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--only", help="the one transfer to try")
    parser.add_argument("--keep", action="store_true")
    arguments = parser.parse_args()
    report = Report("hostile primaries")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="steward-hostile-"))
    try:
        malformed(report, folder, arguments.only)
        if not arguments.only:
            over_tls(report, folder)
            notifies(report, folder)
    finally:
        if arguments.keep:
            print(f"kept: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
