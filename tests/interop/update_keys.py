#!/usr/bin/python3
"""Who may change a zone of ours: nsupdate with TSIG and SIG(0), knsupdate with TSIG, and those that may not.

    update_keys.py
"""

import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]

import dns.message
import dns.query

import servers
import signing
from hostile_primaries import wait_until
from links import Key, LinkedZone, Remote
from report import Report, Skipped, require
from transfer_peers import KINDS, serial_at

ZONE = "keys.test."
SECRETS = {"hmac-sha1": "c2hhMS1zaGExLXNoYTEtc2hhMS1zaGExLXNoYTEh", "hmac-sha256": "c2hhMjU2LXNoYTI1Ni1zaGEyNTYtc2hhMjU2LXNo",
           "hmac-sha384": "c2hhMzg0LXNoYTM4NC1zaGEzODQtc2hhMzg0LXNo", "hmac-sha512": "c2hhNTEyLXNoYTUxMi1zaGE1MTItc2hhNTEyLXNo"}
SIGNERS = {"ED25519": [], "ECDSAP256SHA256": [], "RSASHA256": ["-b", "2048"]}
RCODES = {"NOTAUTH", "REFUSED", "SERVFAIL", "FORMERR", "BADSIG", "BADKEY"}


def make_keys(folder):
    """{name: path of the private key} and the KEY records; the last one's is not in the zone."""
    paths, records = {}, []
    for algorithm, size in [*SIGNERS.items(), ("ED25519", [])]:
        name = f"{'stranger' if algorithm.lower() in paths else algorithm.lower()}.{ZONE}"
        made = signing.run_tool("dnssec-keygen", "-q", "-K", folder, "-T", "KEY", "-n", "HOST", "-a", algorithm, *size, name).strip()
        label = name.split(".")[0]
        paths[label] = folder / f"{made}.key"
        if label != "stranger":
            records += [line for line in paths[label].read_text().splitlines() if not line.startswith(";")]
    return paths, records


def write_zone(folder, records):
    path = folder / "keys.zone"
    path.write_text("$TTL 300\n@ SOA ns1 hostmaster 1 3600 600 604800 60\n@ NS ns1\nns1 A 127.0.0.1\n" + "\n".join(records) + "\n")
    return path


def update(server, tool, name, arguments=(), lines=(), text="yes"):
    """What the tool was told: NOERROR or another response code."""
    program = servers.find_program(tool)
    if not program:
        raise Skipped(f"no {tool}")
    script = "\n".join([f"server {server.address} {server.port}", f"zone {ZONE}", *lines, f'update add {name} 300 TXT "{text}"', "send", ""])
    done = subprocess.run([program, *map(str, arguments)], input=script, capture_output=True, text=True, timeout=30, check=False)
    said = done.stdout + done.stderr
    found = [rcode for rcode in RCODES if rcode in said.upper()]
    require(done.returncode == 0 or found, f"{tool}: {said}")
    return "NOERROR" if done.returncode == 0 and not found else found[0]


def there(server, name):
    return bool(dns.query.udp(dns.message.make_query(name, "TXT"), server.address, port=server.port, timeout=2).answer)


def taken(server, name, tool, arguments=(), lines=()):
    said = update(server, tool, name, arguments, lines)
    require(said == "NOERROR", f"{said}\n{server.log_tail(5)}")
    require(there(server, name), "NOERROR was said, but it is not there")


def turned_down(server, name, tool, arguments=(), lines=()):
    said = update(server, tool, name, arguments, lines)
    require(said in ("REFUSED", "NOTAUTH", "BADSIG", "BADKEY"), said)
    require(not there(server, name), "it is there")
    return said


def by_tsig(report, server):
    for algorithm, secret in SECRETS.items():
        key = algorithm.replace("hmac-", "")
        for tool in ("nsupdate", "knsupdate"):
            with report.case(f"{tool} with TSIG by {algorithm}"):
                taken(server, f"{tool}-{key}.{ZONE}", tool, ["-y", f"{algorithm}:{key}:{secret}"])
    for tool in ("nsupdate", "knsupdate"):
        with report.case(f"{tool} with a wrong secret, an unknown key and none is turned down"):
            for number, arguments in enumerate((["-y", f"hmac-sha256:sha256:{SECRETS['hmac-sha512']}"],
                                                ["-y", f"hmac-sha256:unknown:{SECRETS['hmac-sha256']}"], [])):
                turned_down(server, f"{tool}-no{number}.{ZONE}", tool, arguments)


def by_sig0(report, server, paths):
    for algorithm in SIGNERS:
        label = algorithm.lower()
        with report.case(f"nsupdate with SIG(0) by {algorithm} [RFC 2931]"):
            taken(server, f"{label}-sig0.{ZONE}", "nsupdate", ["-k", paths[label]])
        with report.case(f"nsupdate with SIG(0) by {algorithm} over TCP"):
            taken(server, f"{label}-tcp.{ZONE}", "nsupdate", ["-v", "-k", paths[label]])
    with report.case("SIG(0) by a key that is not in the zone is turned down"):
        turned_down(server, f"stranger-sig0.{ZONE}", "nsupdate", ["-k", paths["stranger"]])
    with report.case("a KEY that is taken out of the zone signs nothing more"):
        done = update(server, "nsupdate", f"out.{ZONE}", ["-y", f"hmac-sha256:sha256:{SECRETS['hmac-sha256']}"],
                      [f"update delete ed25519.{ZONE} KEY"])
        require(done == "NOERROR", done)
        turned_down(server, f"late-sig0.{ZONE}", "nsupdate", ["-k", paths["ed25519"]])


def by_rows(report, server):
    """The zone's rows for the key `own`: TXT below its own name, and nothing else."""
    key = ["-y", f"hmac-sha256:own.{ZONE}:{SECRETS['hmac-sha256']}"]
    with report.case("a key with rights to its own names changes these, and no others"):
        taken(server, f"x.own.{ZONE}", "nsupdate", key)
        turned_down(server, f"x.other.{ZONE}", "nsupdate", key)
        turned_down(server, f"y.own.{ZONE}", "nsupdate", key, [f"update add y.own.{ZONE} 300 A 192.0.2.1"])


def forwarded(report, folder, kind, paths, records):
    """Our secondary hands updates on to the primary, and has the change soon [RFC 2136 §6]."""
    key = Key("both", "hmac-sha256", SECRETS["hmac-sha256"])
    primary, secondary = KINDS[kind](folder=folder / f"{kind}-primary"), KINDS["ours"](folder=folder / f"{kind}-secondary")
    path = folder / f"{kind}.zone"
    path.write_bytes(write_zone(folder, records).read_bytes())
    primary.zones = [LinkedZone(ZONE, path, notify=[Remote(secondary.address, secondary.port, key)], key=key, update_key=key,
                                sig0=kind == "ours")]
    secondary.zones = [LinkedZone(ZONE, path, primaries=[Remote(primary.address, primary.port, key)], update_key=key, sig0=True)]
    with primary, secondary:
        require(wait_until(lambda: serial_at(secondary, ZONE) is not None), secondary.log_tail(5))
        for tool, more in (("nsupdate", []), ("nsupdate", ["-v"]), ("knsupdate", [])):
            with report.case(f"{' '.join([tool, *more])} to our secondary of {kind} changes the primary, and then the secondary [RFC 2136 §6]"):
                name = f"{tool}{len(more)}.{ZONE}"
                said = update(secondary, tool, name, [*more, "-y", f"hmac-sha256:both:{key.secret}"])
                require(said == "NOERROR", f"{said}\n{secondary.log_tail(5)}\n{primary.log_tail(5)}")
                require(there(primary, name), "it is not at the primary")
                require(wait_until(lambda name=name: there(secondary, name)), f"it does not come\n{secondary.log_tail(5)}")
        with report.case(f"SIG(0) goes through our secondary to {kind} as it is signed"):
            if kind == "knot":
                raise Skipped("Knot DNS 3.2 has no SIG(0)")
            if kind == "bind":
                raise Skipped("named is told here of the TSIG key only")
            said = update(secondary, "nsupdate", f"sig0.{ZONE}", ["-k", paths["ecdsap256sha256"]])
            require(said == "NOERROR", f"{said}\n{secondary.log_tail(5)}\n{primary.log_tail(5)}")
            require(there(primary, f"sig0.{ZONE}"), "it is not at the primary")
        with report.case(f"who may not change the zone at our secondary of {kind} is turned down there"):
            turned_down(secondary, f"none.{ZONE}", "nsupdate")
            require(not there(primary, f"none.{ZONE}"), "it is at the primary")
        with report.case(f"the primary {kind} is gone: SERVFAIL, and no change"):
            primary.kill()
            said = update(secondary, "nsupdate", f"gone.{ZONE}", ["-y", f"hmac-sha256:both:{key.secret}"])
            require(said == "SERVFAIL", said)


def main():
    report = Report("keys of updates")
    with tempfile.TemporaryDirectory(prefix="steward-keys-") as name:
        folder = pathlib.Path(name)
        paths, records = make_keys(folder)
        rows = [{"key": algorithm.replace("hmac-", "")} for algorithm in SECRETS]
        rows += [{"sig0": f"{label}.{ZONE}"} for label in paths]
        rows += [{"key": f"own.{ZONE}", "names": ["selfsub"], "types": ["TXT"]}]
        zone = servers.Zone(ZONE, write_zone(folder, records), options={"allow-update": rows})
        keys = [{"name": algorithm.replace("hmac-", ""), "algorithm": algorithm, "secret": secret} for algorithm, secret in SECRETS.items()]
        keys.append({"name": f"own.{ZONE}", "algorithm": "hmac-sha256", "secret": SECRETS["hmac-sha256"]})
        with servers.start("ours", [zone], addresses=["127.0.0.1"], options={"keys": keys}) as server:
            by_tsig(report, server)
            by_sig0(report, server, paths)
            by_rows(report, server)
            with report.case("after kill -9 and a start: what was answered NOERROR is there"):
                server.kill()
                server.start()
                for made in ("nsupdate-sha256", "rsasha256-sig0", "x.own"):
                    require(there(server, f"{made}.{ZONE}"), f"{made} is gone")
        for kind in ("ours", "knot", "bind"):
            with report.case(f"updates by way of our secondary of {kind}: to the end"):
                forwarded(report, folder, kind, paths, records)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
