#!/usr/bin/python3
"""Digests of whole zones (RFC 8976) by our rules, by dnspython's and by ldns's: generated zones, unsigned and signed with NSEC, NSEC3 and opt-out.

    zonemd_peers.py [--probe build/tests/support/zone-probe] [--names 2000] [--seed 1]
"""

import argparse
import pathlib
import random
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))

import dns.zone

import signing
from report import Report, require
from servers import ROOT, find_program

ORIGIN = "digest.test."
HASHES = {1: "sha384", 2: "sha512"}
DENIALS = [None, "nsec", "nsec3", "opt-out"]


def label(rng):
    word = "".join(rng.choice("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") for _ in range(rng.randint(1, 12)))
    return rng.choice(["", "", "", "\\000", "\\255", "\\.", "!"]) + "x" + word


def records_of(rng, owner):
    """Records of every kind that has names to fold or an order to keep, with repeats."""
    rows = [f"A 192.0.2.{rng.randint(1, 250)}", f"AAAA 2001:db8::{rng.randint(1, 65535):x}", f'TXT "{rng.random()}" "Zwei"',
            f"MX {rng.randint(0, 99)} Mail.{owner}", f"SRV 0 0 {rng.randint(1, 9999)} Target.Example.", "PTR Some.Name.Example.",
            f"NAPTR 1 2 \"u\" \"E2U+sip\" \"!^.*$!sip:a@b!\" .", "CAA 0 issue \"ca.example\"", "AFSDB 1 AFS.Example.", "RP A.b. C.d.",
            "SSHFP 4 2 " + "ab" * 32, "TYPE65280 \\# 3 010203"]
    chosen = rng.sample(rows, rng.randint(1, 4))
    return chosen + chosen[:rng.randint(0, 1)]


def zone_text(rng, names):
    lines = [f"$ORIGIN {ORIGIN}", "$TTL 300", "@ SOA Ns1 Hostmaster 2024 3600 600 86400 60", "@ NS ns1", "@ NS NS2.Example.", "ns1 A 192.0.2.1"]
    for number in range(names):
        owner = f"{label(rng)}{number}" + rng.choice(["", "", ".Sub", ".deep.er", ".*"])
        kind = rng.random()
        if kind < 0.05:
            lines += [f"{owner} NS ns.{owner}", f"ns.{owner} A 192.0.2.9", f"other.{owner} TXT occluded"]
        elif kind < 0.08:
            lines += [f"{owner} NS ns1", f"{owner} DS 1 13 2 {'ab' * 32}"]
        elif kind < 0.12:
            lines.append(f"{owner} CNAME Elsewhere.Example.")
        else:
            lines += [f"{owner} {row}" for row in records_of(rng, owner)]
    return "\n".join(lines) + "\n"


def ours(probe, path, hash_name):
    done = subprocess.run([probe, "digest", ORIGIN, str(path), hash_name], capture_output=True, text=True, check=False)
    require(done.returncode == 0, done.stderr)
    return done.stdout.split()[3].lower()


def compare(report, probe, folder, denial, plain):
    path = signing.presign(plain, ORIGIN, folder, denial)[0] if denial else plain
    zone = dns.zone.from_file(str(path), ORIGIN, relativize=False)
    for number, hash_name in HASHES.items():
        with report.case(f"{denial or 'unsigned'}, {hash_name}: dnspython's digest is ours"):
            theirs = zone.compute_digest(number).digest.hex()
            mine = ours(probe, path, hash_name)
            require(mine == theirs, f"ours {mine}, dnspython's {theirs}")
        with report.case(f"{denial or 'unsigned'}, {hash_name}: ldns believes ours, and no other"):
            mine = ours(probe, path, hash_name)
            other = mine[:-1] + ("0" if mine[-1] != "0" else "1")
            for digest, is_right in ((mine, True), (other, False)):
                with_digest = folder / "with-digest.zone"
                with_digest.write_text(f"{path.read_text()}{ORIGIN} 300 IN ZONEMD 2024 1 {number} {digest}\n")
                require((subprocess.run([probe, "verify", ORIGIN, str(with_digest)], capture_output=True, check=False).returncode == 0)
                        == is_right, "ours")
                require(ldns_believes(with_digest) == is_right, f"ldns, digest {digest}")


def ldns_believes(path):
    """What else it finds does not matter: that denial does not show the type, or that there is no key."""
    done = subprocess.run([find_program("ldns-verify-zone"), "-ZZ", str(path)], capture_output=True, text=True, check=False)
    return "Could not validate zone digest" not in done.stdout + done.stderr


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--probe", default=str(ROOT / "build/tests/support/zone-probe"))
    parser.add_argument("--names", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    report = Report("zone digests")
    with tempfile.TemporaryDirectory(prefix="steward-zonemd-") as name:
        folder = pathlib.Path(name)
        plain = folder / "plain.zone"
        plain.write_text(zone_text(random.Random(arguments.seed), arguments.names))
        for denial in DENIALS:
            compare(report, arguments.probe, folder, denial, plain)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
