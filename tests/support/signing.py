"""Signs zone files with BIND's tools, so that several servers can serve identical signed data."""

import pathlib
import subprocess

from servers import ServerError, find_program


def run_tool(*command, folder=None, text_input=None):
    """Runs a tool to its end; its standard output. Raises ServerError with what it said if it failed."""
    path = find_program(command[0])
    if path is None:
        raise ServerError(f"{command[0]} is not installed (see tools/install_packages)")
    done = subprocess.run([path, *map(str, command[1:])], cwd=folder, input=text_input, capture_output=True, text=True,
                          check=False, timeout=120)
    if done.returncode != 0:
        raise ServerError(f"{' '.join(map(str, command))} ended with {done.returncode}: {done.stderr}{done.stdout}")
    return done.stdout


def presign(zone_file, origin, folder, denial="nsec", algorithm="ECDSAP256SHA256"):
    """Signs a zone file with a fresh KSK and ZSK, or again with those that are there. `denial`: "nsec", "nsec3" or "opt-out" (RFC 9276: no salt, no extra
    iterations). Signatures are valid from an hour ago for 30 days. Returns the signed file and the zone's DS lines."""
    folder = pathlib.Path(folder)
    keys = folder / ("keys-" + origin.rstrip("."))
    keys.mkdir(parents=True, exist_ok=True)
    size = ["-b", "2048"] if algorithm.startswith("RSA") else []
    mark = keys / "ksk"
    if not mark.exists():
        run_tool("dnssec-keygen", "-q", "-K", keys, "-a", algorithm, *size, origin)
        mark.write_text(run_tool("dnssec-keygen", "-q", "-K", keys, "-f", "KSK", "-a", algorithm, *size, origin).strip())
    ksk = mark.read_text()
    signed = folder / (origin.rstrip(".") + ".signed")
    options = {"nsec": [], "nsec3": ["-3", "-", "-H", "0"], "opt-out": ["-3", "-", "-H", "0", "-A"]}[denial]
    run_tool("dnssec-signzone", "-q", "-S", "-K", keys, "-d", keys, "-x", "-P", "-o", origin, "-f",
             signed, *options, zone_file, folder=folder)
    return signed, run_tool("dnssec-dsfromkey", "-2", keys / (ksk + ".key")).splitlines()
