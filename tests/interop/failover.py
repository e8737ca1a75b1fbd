#!/usr/bin/python3
"""Our secondary while its primaries fail: several of them, expiry, a restart, a primary killed in the middle of a transfer.

    failover.py [--long] [--keep]

--long adds a primary in a network namespace, behind a link that goes down; silence takes 30 seconds to be noticed.
"""

import argparse
import contextlib
import pathlib
import shutil
import socket
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]

import dns.edns
import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode

from fake_primary import FakePrimary, read_exactly
from faulty_links import Namespace, Relay
from hostile_primaries import about, notify, refusals, wait_until
from links import READER, LinkedZone, Remote
from malformed_transfers import good
from report import Report, Skipped, require
from transfer_peers import LinkedOurs, serial_at

SHORT = "2 1 4 60"  # refresh, retry, expire, minimum
NODE = "/nonexistent"


def fake(zone, serial=1, timers="2 1 604800 60"):
    primary = FakePrimary(lambda query, name: good(query, name, primary.soa), timers=timers)
    primary.serials[zone] = serial
    return primary.start()


def answer_of(server, name, rdtype="SOA"):
    query = dns.message.make_query(name, rdtype, use_edns=0)
    try:
        return dns.query.udp(query, server.address, port=server.port, timeout=1)
    except (OSError, dns.exception.DNSException):
        return None


def expired(server, zone):
    """Whether it answers SERVFAIL, with an extended error that says so (RFC 8914)."""
    reply = answer_of(server, zone)
    return reply is not None and reply.rcode() == dns.rcode.SERVFAIL and any(option.otype == dns.edns.OptionType.EDE for option in reply.options)


def several(report, folder):
    """Several primaries: the first is dead, refuses or is silent, and the second one helps."""
    zones, primaries = [], {}
    for name in ("dead", "refuses", "silent"):
        zone = f"{name}.test."
        first, second = fake(zone), fake(zone)
        if name == "dead":
            first.stop()
        elif name == "refuses":
            first.refused.add(zone)
        else:
            first.silent = True
        primaries[zone] = (first, second)
        zones.append(LinkedZone(zone, NODE, primaries=[Remote("127.0.0.1", first.port), Remote("127.0.0.1", second.port)]))
    with LinkedOurs(zones=zones, folder=folder / "several") as server:
        for zone, (first, second) in primaries.items():
            with report.case(f"the first primary is {zone.split('.')[0]}: the zone comes from the second, and its change too"):
                patience = 45 if first.silent else 10
                require(wait_until(lambda zone=zone: serial_at(server, zone) == 1, patience), about(server, zone))
                second.serials[zone] = 2
                notify(server, zone)
                require(wait_until(lambda zone=zone: serial_at(server, zone) == 2, patience), about(server, zone))
        with report.case("a first primary that comes back with a newer zone is asked again"):
            first, second = primaries["refuses.test."]
            first.refused.clear()
            first.serials["refuses.test."] = 5
            second.refused.add("refuses.test.")
            require(wait_until(lambda: serial_at(server, "refuses.test.") == 5), about(server, "refuses.test."))
        with report.case("a primary whose serial is behind ours is told of, and changes nothing [RFC 1982]"):
            first.serials["refuses.test."] = 3
            require(wait_until(lambda: " zone.behind " in server.log_text()), about(server, "refuses.test."))
            require(serial_at(server, "refuses.test.") == 5, "another serial is served")
    for pair in primaries.values():
        for primary in pair:
            primary.stop()


def expiry(report, folder):
    """EXPIRE: of four seconds; SERVFAIL while no primary is reached, and the zone again once one is."""
    zone = "short.test."
    primary = fake(zone, timers=SHORT)
    server = LinkedOurs(zones=[LinkedZone(zone, NODE, primaries=[Remote("127.0.0.1", primary.port)])], folder=folder / "expiry")
    with server:
        require(wait_until(lambda: serial_at(server, zone) == 1), about(server, zone))
        with report.case("while the primary answers, a zone lives longer than EXPIRE"):
            end = time.monotonic() + 5.5
            while time.monotonic() < end:
                require(serial_at(server, zone) == 1, about(server, zone))
                time.sleep(0.2)
        with report.case("the primary is gone: the zone is answered, and after EXPIRE it is SERVFAIL with an extended error [RFC 8914 §4.25]"):
            primary.silent = True
            require(serial_at(server, zone) == 1, "gone at once")
            require(wait_until(lambda: expired(server, zone)), f"{answer_of(server, zone)}\n{about(server, zone)}")
            require(expired(server, f"ns1.{zone}"), "a name of the zone is answered")
        with report.case("an expired zone is not transferred out"):
            require(transfer_rcode(server, zone) not in (None, 0), "transferred")
        with report.case("it stays expired over a restart"):
            server.stop()
            server.start()
            require(wait_until(lambda: expired(server, zone)), f"{answer_of(server, zone)}\n{about(server, zone)}")
        with report.case("the primary is back, with the same zone: answered again"):
            primary.silent = False
            require(wait_until(lambda: serial_at(server, zone) == 1), about(server, zone))
    primary.stop()


def transfer_rcode(server, zone):
    query = dns.message.make_query(zone, "AXFR")
    try:
        return dns.query.tcp(query, server.address, port=server.port, timeout=3, source=READER).rcode()
    except (OSError, EOFError, dns.exception.DNSException):
        return None


def restart(report, folder):
    """A restart while the primary is away: the zone is served at once, and its EXPIRE goes on from where it was."""
    zone = "kept.test."
    primary = fake(zone, timers="2 1 12 60")
    server = LinkedOurs(zones=[LinkedZone(zone, NODE, primaries=[Remote("127.0.0.1", primary.port)])], folder=folder / "restart")
    with server:
        require(wait_until(lambda: serial_at(server, zone) == 1), about(server, zone))
        primary.silent = True
        gone = time.monotonic()
        with report.case("a restart without the primary serves the zone from the store"):
            time.sleep(5)  # an EXPIRE that began again would end after 17 seconds, and not after 12
            server.stop()
            server.start()
            require(wait_until(lambda: serial_at(server, zone) == 1, 4), about(server, zone))
        with report.case("its EXPIRE is counted from the last answer of the primary, not from the restart"):
            require(wait_until(lambda: expired(server, zone)), about(server, zone))
            require(time.monotonic() - gone < 16.5, f"after {time.monotonic() - gone:.1f} s")
        with report.case("kill -9 and a start: the same"):
            server.kill()
            server.start()
            require(wait_until(lambda: expired(server, zone)), about(server, zone))
            primary.silent = False
            primary.serials[zone] = 2
            require(wait_until(lambda: serial_at(server, zone) == 2), about(server, zone))
    primary.stop()


def write_large(path, serial, names):
    path.write_text(f"$TTL 300\n@ SOA ns1 hostmaster {serial} 2 1 604800 60\n@ NS ns1\nns1 A 127.0.0.1\n"
                    + f"v{serial} TXT \"{serial}\"\n" + "".join(f"n{number} TXT {number}{'x' * 200}\n" for number in range(names)))


def killed_inside(report, folder, names=100_000):
    """A primary that is killed: by kill -9, while its AXFR of 100,000 records is under way through a slow relay."""
    zone = "large.test."
    path = folder / "large.zone"
    write_large(path, 1, names)
    primary = LinkedOurs(zones=[LinkedZone(zone, path)], folder=folder / "large-primary")
    with primary:
        relay = Relay(primary.port, 50_000_000)
        copy = LinkedZone(zone, NODE, primaries=[Remote("127.0.0.1", relay.port)])
        with LinkedOurs(zones=[copy], folder=folder / "large-secondary") as secondary:
            with report.case("100,000 records come through a relay that loses, repeats and delays datagrams"):
                require(wait_until(lambda: serial_at(secondary, zone) == 1, 30), about(secondary, zone))
            write_large(path, 2, names)
            relay.pace, relay.passed = 1_000_000, 0
            primary.stop()
            shutil.rmtree(folder / "large-primary" / "data", ignore_errors=True)  # no journal: the change is an AXFR
            primary.start()
            notify(secondary, zone)
            with report.case("the primary is killed in the middle of the AXFR: the zone of before is served whole, the log says why"):
                require(wait_until(lambda: relay.passed > 500_000, 20), f"passed {relay.passed}\n{about(secondary, zone)}")
                primary.kill()
                require(wait_until(lambda: refusals(secondary, zone), 15), about(secondary, zone))
                require(serial_at(secondary, zone) == 1, "another serial is served")
                require(answer_of(secondary, f"n{names - 1}.{zone}", "TXT").answer, "the old zone is not whole")
                require(not answer_of(secondary, f"v2.{zone}", "TXT").answer, "part of the new zone is there")
            with report.case("once it is back, the transfer is made again by itself"):
                relay.pace = 50_000_000
                primary.start()
                require(wait_until(lambda: serial_at(secondary, zone) == 2, 30), about(secondary, zone))
            slow_reader(report, secondary, zone)
        relay.close()


def slow_reader(report, server, zone):
    with report.case("a secondary that reads slowly gets the zone of when it began, and others are served meanwhile"):
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.bind((READER, 0))
            client.connect((server.address, server.port))
            client.settimeout(20)
            query = dns.message.make_query(zone, "AXFR").to_wire()
            client.sendall(len(query).to_bytes(2, "big") + query)
            first = read_exactly(client, int.from_bytes(read_exactly(client, 2), "big"))
            for _ in range(20):
                require(answer_of(server, f"n7.{zone}", "TXT").answer, "no answer meanwhile")
                time.sleep(0.05)
            records, messages = int.from_bytes(first[6:8], "big"), 1
            while records < 100_000:
                size = read_exactly(client, 2)
                require(size, f"the stream ended after {messages} messages with {records} records")
                records += int.from_bytes(read_exactly(client, int.from_bytes(size, "big"))[6:8], "big")
                messages += 1


class Away(LinkedOurs):
    """Our server inside a namespace."""

    def __init__(self, namespace, **arguments):
        super().__init__(**arguments)
        self.namespace = namespace
        self.addresses = [namespace.there]

    def command(self):
        return ["ip", "netns", "exec", self.namespace.name, *super().command()]


def behind_a_link(report, folder, names=100_000):
    """A primary behind a link: that loses and reorders packets, and that goes down in the middle of a transfer."""
    zone = "away.test."
    path = folder / "away.zone"
    write_large(path, 1, names)
    with Namespace() as space:
        options = {"allow-transfer": ["10.213.77.0/30"]}
        primary = Away(space, zones=[LinkedZone(zone, path, options=options)], folder=folder / "away-primary")
        relay = Relay(primary.port, 50_000_000, space.there)
        copy = LinkedZone(zone, NODE, primaries=[Remote("127.0.0.1", relay.port)])
        with contextlib.closing(relay), primary, LinkedOurs(zones=[copy], folder=folder / "away-secondary") as secondary:
            require(wait_until(lambda: serial_at(secondary, zone) == 1, 30), about(secondary, zone))
            with report.case("the link to the primary goes down in the middle of a transfer: the zone of before, then the new one"):
                write_large(path, 2, names)
                relay.pace, relay.passed = 1_000_000, 0
                primary.stop()
                shutil.rmtree(folder / "away-primary" / "data", ignore_errors=True)
                primary.start()
                notify(secondary, zone)
                require(wait_until(lambda: relay.passed > 500_000), f"passed {relay.passed}\n{about(secondary, zone)}")
                space.up(False)
                require(wait_until(lambda: refusals(secondary, zone), 60), about(secondary, zone))
                require(serial_at(secondary, zone) == 1, "another serial is served")
                relay.pace = 50_000_000
                space.up(True)
                require(wait_until(lambda: serial_at(secondary, zone) == 2, 60), about(secondary, zone))
            with report.case("a link that loses 5 % and reorders 25 % of its packets"):
                space.netem("delay", "2ms", "loss", "5%", "reorder", "25%")
                write_large(path, 3, names)
                primary.signal(1)
                require(wait_until(lambda: serial_at(secondary, zone) == 3, 90), about(secondary, zone))


def run_together(report, folder):
    """All parts at once: most of their time is waiting."""
    def run(part):
        with report.case(f"{part.__doc__.splitlines()[0].split(':')[0]}: to the end"):
            part(report, folder)

    threads = [threading.Thread(target=run, args=(part,)) for part in (expiry, restart, killed_inside, several)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--long", action="store_true", help="also what takes minutes")
    parser.add_argument("--keep", action="store_true")
    arguments = parser.parse_args()
    report = Report("primaries that fail")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="steward-failover-"))
    try:
        run_together(report, folder)
        with report.case("a primary in a network namespace"):
            if not arguments.long:
                raise Skipped("with --long only")
            behind_a_link(report, folder)
    finally:
        if arguments.keep:
            print(f"kept: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
