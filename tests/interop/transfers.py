#!/usr/bin/python3
"""Transfers between ours and others, in both directions: AXFR, a change, NOTIFY, IXFR, and the same contents on both sides.

    transfers.py [--secondaries knot,nsd,...] [--primaries knot,...] [--modes unsigned,...] [--keep]

Every zone of transfer_zones.MODES goes from our primary to each secondary, and from each primary to our secondary. That
a change came as an IXFR is read from our log, which names the other side by address.
"""

import argparse
import contextlib
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]

import dns.exception
import dns.message
import dns.query

import servers
import signing
import transfer_zones
from certificates import Certificates
from links import LinkedZone, Remote, TlsFiles
from report import Failed, Report, Skipped, require
from transfer_peers import KINDS, OWN_ADDRESS, listen_address, serial_at
from transfer_zones import MODES, TLS_NAME

SECONDARIES = ["knot", "nsd", "bind", "pdns", "unbound", "ours"]
PRIMARIES = ["knot", "nsd", "bind", "ours"]
PATIENCE = 30.0

CANNOT = {
    ("knot", "tls"): "Knot DNS 3.2 has no TLS for transfers",
    ("pdns", "tls"): "PowerDNS 4.7 has no TLS for transfers",
    ("unbound", "key"): "Unbound has no TSIG",
    ("nsd", "update"): "NSD takes no UPDATE",
    ("unbound", "mutual"): "Unbound shows no certificate to a primary",
    ("nsd", "mutual"): "NSD 4.6.1 shows no certificate, whatever its client-cert",
    ("bind", "asks"): "named is not set here to ask for certificates",
    ("nsd", "serve tls"): "NSD 4.6 does not select the protocol dot, which RFC 9103 §7.1 asks of it",
}


# Who sends or asks a whole zone after a change, and why.
WHOLE = {
    ("pdns", "nsec", False): "PowerDNS 4.7 transfers signed zones whole",
    ("pdns", "nsec3", False): "PowerDNS 4.7 transfers signed zones whole",
    ("pdns", "sha512", False): "PowerDNS 4.7 transfers signed zones whole",
    ("nsd", "nsec3", True): "NSD 4.6 fails to make a difference of a zone with NSEC3",
}


def cannot(kind, mode, primary):
    """Why this kind cannot be on the other side in this mode, or ""."""
    words = (["tls"] if mode.tls else []) + (["key"] if mode.key else []) + (["update"] if primary and mode.update_key else [])
    words += ["serve tls"] if primary and mode.tls else []
    words += ["asks" if primary else "mutual"] if mode.tls_client else []
    return next((CANNOT[kind, word] for word in words if (kind, word) in CANNOT), "")


class World:
    """The servers of one run, their folder and certificates."""

    def __init__(self, folder, modes):
        self.folder = pathlib.Path(folder)
        self.modes = modes
        self.certificates = Certificates(folder)
        self.certificates.make("server", f"DNS:{TLS_NAME}")
        self.stack = contextlib.ExitStack()

    def make(self, kind, name):
        """A server without zones yet, whose ports are known."""
        tls = None
        if kind in ("ours", "nsd", "bind", "unbound"):
            port = servers.free_port([listen_address(kind)])
            tls = TlsFiles(port, *map(self.certificates.path, ("ca.pem", "server.pem", "server.key")))
        return KINDS[kind](tls=tls, folder=self.folder / name)

    def start(self, server):
        self.stack.callback(server.stop)
        server.start()

    def write(self, kind, mode, zone, changed):
        """The zone's file at a primary of this kind, written anew."""
        path = self.folder / f"{zone}{kind}"
        path.write_text(transfer_zones.zone_text(mode, changed))
        if mode.dnssec and kind == "nsd":
            folder = self.folder / "signed"
            folder.mkdir(exist_ok=True)
            signed, _ = signing.presign(path, zone, folder, "nsec3" if isinstance(mode.dnssec, dict) else "nsec")
            return signed
        return path


@contextlib.contextmanager
def world(modes, keep):
    folder = tempfile.mkdtemp(prefix="steward-transfers-")
    made = World(folder, modes)
    try:
        with made.stack:
            yield made
    finally:
        if keep:
            print(f"kept: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)


def remote_of(server, mode, as_primary):
    tls = mode.tls and as_primary
    return Remote(server.address, server.tls.port if tls else server.port, mode.key, TLS_NAME if tls else "")


def primary_zone(made, kind, mode, name, secondaries):
    path = made.write(kind, mode, name, False)
    dnssec = False if kind == "nsd" else mode.dnssec
    return LinkedZone(name, path, dnssec, notify=[remote_of(server, mode, False) for server in secondaries], key=mode.key,
                      tls_only=mode.tls, tls_client=mode.tls_client, update_key=mode.update_key)


def secondary_zone(mode, name, primary, kind):
    primaries = [remote_of(primary, mode, True)]
    if mode.tls and kind == "unbound":  # it asks for the SOA over UDP at all of them, and transfers from the one that lets it
        primaries.insert(0, Remote(primary.address, primary.port))
    return LinkedZone(name, "/nonexistent", primaries=primaries, key=mode.key)


def wait_until(condition, seconds=PATIENCE):
    end = time.monotonic() + seconds
    while not (got := condition()):
        if time.monotonic() > end:
            return got
        time.sleep(0.05)
    return got


def has(server, zone):
    """Whether the server answers the TXT record that the change adds. PowerDNS 4.7 transfers it on, and answers it once
    `pdnsutil rectify-zone` was run."""
    name = f"fresh.{zone.name}"
    if server.kind == "pdns":
        return any(line.startswith(name) for line in transfer_zones.transferred(server, zone.name))
    try:
        reply = dns.query.udp(dns.message.make_query(name, "TXT"), server.address, port=server.port, timeout=1)
    except (OSError, dns.exception.DNSException):
        return False
    return bool(reply.answer)


def compare_contents(primary, secondary, zone, deadline=PATIENCE):
    """Until both have the same; a signer may still be at work at the first look."""
    def difference():
        first = transfer_zones.transferred(primary, zone.name)
        if secondary.kind == "unbound":
            first = transfer_zones.canonical("\n".join(first), zone.name)
            return transfer_zones.compare(first, transfer_zones.written(secondary, zone))
        second = transfer_zones.transferred(secondary, zone.name)
        if secondary.kind == "pdns":  # it gives NSEC3PARAM the zone's TTL of negative answers
            first, second = ([line for line in lines if " NSEC3PARAM " not in line] for lines in (first, second))
        return transfer_zones.compare(first, second)
    wait_until(lambda: serial_at(primary, zone.name) == serial_at(secondary, zone.name), deadline)
    said = difference()
    if said:
        wait_until(lambda: not difference(), 10)
        said = difference()
    require(not said, said)


def change(made, primary, kind, zones):
    """Writes every zone's second text and has the server read it, or sends it as an UPDATE."""
    for zone, mode in zones:
        if mode.update_key:
            done = subprocess.run([servers.find_program("nsupdate")], capture_output=True, text=True, timeout=30, check=False,
                                  input=transfer_zones.update_text(zone.name, primary, mode.update_key))
            require(done.returncode == 0, f"nsupdate: {done.stderr}")
        else:
            made.write(kind, mode, zone.name, True)
    primary.signal(signal.SIGHUP)


def our_lines(server, what, zone, **wanted):
    """The fields of our log's lines about this zone."""
    lines = []
    for line in server.log_text().splitlines():
        if f" {what} " in line or f"event={what}" in line:
            found = transfer_zones.fields(line)
            if found.get("zone", "").strip('"') == zone and all(found.get(key, "").startswith(value) for key, value in wanted.items()):
                lines.append(found)
    return lines


def evidence(ours, peer, mode, zone, outgoing):
    """Fails unless our log has an IXFR with this peer, by the key and transport of the mode, and before it an AXFR."""
    if peer.kind == "unbound":  # it asks from any address
        said = [f"auth zone {zone.name} transfer next IXFR fetch from", f"auth zone {zone.name} updated to serial"]
        return require(all(words in peer.log_text() for words in said), "Unbound's log tells of no IXFR")
    wanted = "axfr" if (peer.kind, mode.name, not outgoing) in WHOLE else "ixfr"
    if outgoing and peer.kind == "ours":
        ours, outgoing = peer, False
    side = {"client": OWN_ADDRESS[peer.kind] + "@"} if outgoing else {}
    lines = wait_until(lambda: [line for line in our_lines(ours, "transfer.out" if outgoing else "transfer.in", zone.name, **side)
                                if line["kind"] == wanted and line["outcome"] == "done"], 3)
    every = our_lines(ours, "transfer.out" if outgoing else "transfer.in", zone.name, **side)
    require(lines, "no IXFR in our log, but " + ("; ".join(f"{line.get('kind')} {line.get('outcome')} {line.get('why', '')}"
                                                          for line in every) or "nothing"))
    last = lines[-1]
    require((last["key"] != "-") == bool(mode.key), f"key={last['key']}")
    require(last["transport"] == ("tls" if mode.tls else "tcp"), f"transport={last['transport']}")


def run_pairs(report, made, pairs, ours, outgoing):
    """`pairs`: (primary, its kind, secondary, mode, zone) of every transfer. All are changed at once, then looked at."""
    arrow = {}
    lost = set()
    for pair in pairs:
        primary, kind, secondary, mode, zone = pair
        arrow[zone.name, secondary] = f"{primary.kind} to {secondary.kind}, {mode.what}"
        with report.case(f"{arrow[zone.name, secondary]}: AXFR"):
            lost.add((zone.name, secondary))
            require(wait_until(lambda: serial_at(secondary, zone.name) is not None),
                    f"not there after {PATIENCE:.0f} s\n{log_about(secondary, zone)}\n{log_about(primary, zone)}")
            compare_contents(primary, secondary, zone)
            lost.discard((zone.name, secondary))
    done = set()
    for primary, kind, _, _, _ in pairs:
        if primary not in done:
            done.add(primary)
            with report.case(f"{kind} takes the changes"):
                zones = {zone.name: (zone, mode) for first, _, _, mode, zone in pairs if first is primary}
                change(made, primary, kind, zones.values())
    for primary, kind, secondary, mode, zone in pairs:
        peer_kind = secondary.kind if outgoing else kind
        how = f"AXFR, since {WHOLE[peer_kind, mode.name, not outgoing]}" if (peer_kind, mode.name, not outgoing) in WHOLE else "IXFR"
        with report.case(f"{arrow[zone.name, secondary]}: NOTIFY and {how}"):
            if (zone.name, secondary) in lost:
                raise Failed("since there was no AXFR")
            arrived = wait_until(lambda: has(secondary, zone))
            if not arrived and secondary.kind == "pdns":
                # Seen now and then with 4.7: our log has the IXFR as taken whole, and the database stays as it was.
                evidence(ours, secondary, mode, zone, outgoing)
                raise Skipped("PowerDNS took the IXFR and did not serve it")
            require(arrived, f"not there\n{log_about(secondary, zone)}\n{log_about(primary, zone)}")
            compare_contents(primary, secondary, zone)
            evidence(ours, secondary if outgoing else primary, mode, zone, outgoing)


def log_about(server, zone):
    lines = [line for line in server.log_text().splitlines() if zone.name.rstrip(".") in line]
    return f"log of {server.kind}:\n" + "\n".join(lines[-8:] or server.log_text().splitlines()[-4:])


def skip(report, sentence, why):
    with report.case(sentence):
        raise Skipped(why)


def ours_outwards(report, kinds, modes, keep):
    """Our primary, and every kind of secondary."""
    with world(modes, keep) as made:
        primary = made.make("ours", "primary")
        secondaries = {kind: made.make(kind, f"secondary-{kind}") for kind in kinds if present(report, kind)}
        pairs = []
        for mode in modes:
            able = []
            for kind, server in secondaries.items():
                why = cannot(kind, mode, False)
                if why:
                    skip(report, f"ours to {kind}, {mode.what}", why)
                else:
                    able.append(server)
            zone = primary_zone(made, "ours", mode, f"{mode.name}.test.", able)
            primary.zones.append(zone)
            for server in able:
                copy = secondary_zone(mode, zone.name, primary, server.kind)
                server.zones.append(copy)
                pairs.append((primary, "ours", server, mode, copy))
        made.start(primary)
        for server in secondaries.values():
            made.start(server)
        run_pairs(report, made, pairs, primary, True)


def others_inwards(report, kinds, modes, keep):
    """Every kind of primary, and our secondary."""
    with world(modes, keep) as made:
        secondary = made.make("ours", "secondary")
        pairs = []
        for kind in kinds:
            if not present(report, kind):
                continue
            primary = made.make(kind, f"primary-{kind}")
            for mode in modes:
                why = cannot(kind, mode, True)
                if why:
                    skip(report, f"{kind} to ours, {mode.what}", why)
                    continue
                zone = primary_zone(made, kind, mode, f"{mode.name}.{kind}.test.", [secondary])
                primary.zones.append(zone)
                copy = secondary_zone(mode, zone.name, primary, "ours")
                secondary.zones.append(copy)
                pairs.append((primary, kind, secondary, mode, copy))
            made.start(primary)
        made.start(secondary)
        run_pairs(report, made, pairs, secondary, False)


def present(report, kind):
    if kind != "ours" and servers.find_program(KINDS[kind].program) is None:
        skip(report, f"transfers with {kind}", f"{KINDS[kind].program} is not installed")
        return False
    return True


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--secondaries", default=",".join(SECONDARIES), help="of our primary (default %(default)s)")
    parser.add_argument("--primaries", default=",".join(PRIMARIES), help="of our secondary (default %(default)s)")
    parser.add_argument("--modes", help="only these modes")
    parser.add_argument("--keep", action="store_true", help="keep the servers' folders")
    arguments = parser.parse_args()
    modes = [mode for mode in MODES if not arguments.modes or mode.name in arguments.modes.split(",")]
    report = Report("transfers with peers")
    if arguments.secondaries:
        ours_outwards(report, arguments.secondaries.split(","), modes, arguments.keep)
    if arguments.primaries:
        others_inwards(report, arguments.primaries.split(","), modes, arguments.keep)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
