#!/usr/bin/python3
"""An operator's day with steward-registry, from an empty folder to a clean stop: init, serve, dig, edit, mistake,
$INCLUDE, rollover, stop.

Every step is a case; a step waits for what it expects, for a bounded time, and never sleeps for a fixed one.
"""

import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))

import dns.exception
import dns.message
import dns.query
import dns.rcode
import yaml

import peers
import servers
from report import Report, Skipped, require

ZONE = "acme-corp.com.steward-registry.org."
PATIENCE = 30.0


class Registry(peers.Ours):
    """Our server in a folder that `init` made."""

    def __init__(self, folder):
        super().__init__([], addresses=["127.0.0.1"], folder=folder)
        self.port = servers.free_port(self.addresses)

    def write_config(self):
        self.zones = [servers.Zone(ZONE, self.zone_file)]

    @property
    def zone_file(self):
        return self.folder / yaml.safe_load(self.config_path.read_text())["zones"][0]["file"]

    def command(self):
        return [self.program, "serve", "--config", str(self.config_path)]


def run(*words, timeout=30):
    return subprocess.run([peers.our_program(), *map(str, words)], capture_output=True, text=True, check=False,
                          timeout=timeout)


def ask(server, relative, rdtype="TXT", do=False):
    """The RRset's texts, sorted; [] for NODATA or NXDOMAIN; None without a reply."""
    query = dns.message.make_query(f"{relative}.{ZONE}" if relative else ZONE, rdtype, want_dnssec=do)
    try:
        reply = dns.query.tcp(query, server.address, port=server.port, timeout=2)
    except (OSError, EOFError, dns.exception.DNSException):
        return None
    return sorted(rdata.to_text() for rrset in reply.answer if rrset.rdtype == query.question[0].rdtype
                  for rdata in rrset)


def serial(server):
    return int(ask(server, "", "SOA")[0].split()[2])


def eventually(what, condition, seconds=PATIENCE):
    """Waits until the condition holds; fails with what it was after `seconds`."""
    end = time.monotonic() + seconds
    while not condition():
        require(time.monotonic() < end, f"not within {seconds} s: {what}")
        time.sleep(0.02)


def replace_file(path, text):
    """As editors do it: a new file, renamed over the old one."""
    part = path.with_name(path.name + ".new")
    part.write_text(text)
    os.replace(part, path)


def start_day(report, server, folder):
    with report.case("init makes a folder that serve runs as it is"):
        done = run("init", folder, "--namespace", "acme-corp.com", "--listen", f"127.0.0.1@{server.port}")
        require(done.returncode == 0, done.stderr + done.stdout)
        require(server.config_path.exists() and server.zone_file.exists(), "registry.yaml or the zone file is missing")
    with report.case("init overwrites nothing"):
        before = server.config_path.read_bytes()
        done = run("init", folder, "--namespace", "other.com")
        require(done.returncode == 1 and server.config_path.read_bytes() == before, f"exit {done.returncode}")
    with report.case("check accepts what init made"):
        done = run("check", "--config", server.config_path)
        require(done.returncode == 0, done.stderr + done.stdout)
    with report.case("serve says ready and answers, signed"):
        server.start()
        eventually("'ready' in the log", lambda: "ready" in server.log_text())
        require(ask(server, "", "SOA", do=True), "no SOA")
        eventually("a DNSKEY", lambda: ask(server, "", "DNSKEY"))


def edit_zone(report, server):
    file = server.zone_file
    original = file.read_text()
    with report.case("a line added to the zone file is served without a command, with a greater serial"):
        before = serial(server)
        with file.open("a") as zone:
            zone.write('\nadded 60 TXT "first"\n')
        eventually("the added record", lambda: ask(server, "added") == ['"first"'])
        require(serial(server) > before, "the serial did not grow")
    with report.case("a file that is replaced by rename is noticed, and a deleted line is deleted"):
        replace_file(file, original + '\nsecond 60 TXT "second"\n')
        eventually("the new record", lambda: ask(server, "second") == ['"second"'])
        require(ask(server, "added") == [], "the deleted line is still served")


def make_mistake(report, server):
    file = server.zone_file
    good = file.read_text()
    with report.case("a mistake is refused with file, line and column, and the old zone still answers"):
        before = serial(server)
        replace_file(file, good.replace('"second"', '"third"') + "broken 60 A not-an-address\n")
        line = len(file.read_text().splitlines())
        where = re.compile(re.escape(file.name) + rf":{line}:\d+")
        eventually(f"{where.pattern} in the log", lambda: where.search(server.log_text()))
        require(ask(server, "second") == ['"second"'] and serial(server) == before, "a part of the bad file was served")
    with report.case("zone reload and zone check tell the mistake too, and fail"):
        for done in (server.run("zone", "reload", ZONE, check=False), run("zone", "check", file, "--zone", ZONE)):
            require(done.returncode == 1, f"exit {done.returncode}")
            require(re.search(rf"{re.escape(file.name)}:{line}:\d+", done.stderr + done.stdout),
                    done.stderr + done.stdout)
    with report.case("the corrected file is served"):
        replace_file(file, good.replace('"second"', '"corrected"'))
        eventually("the correction", lambda: ask(server, "second") == ['"corrected"'])


def include_files(report, server):
    file = server.zone_file
    part = file.parent / "agents.part"
    with report.case("a file that $INCLUDE names is served, and noticed when it changes"):
        part.write_text('included 60 TXT "one"\n')
        replace_file(file, file.read_text() + "$INCLUDE agents.part\n")
        eventually("the included record", lambda: ask(server, "included") == ['"one"'])
        replace_file(part, 'included 60 TXT "two"\n')
        eventually("the changed include", lambda: ask(server, "included") == ['"two"'])
    with report.case("SIGHUP reads what is there, and a wrong configuration changes nothing"):
        config = server.config_path.read_text()
        server.config_path.write_text(config + "\nno-such-key: 1\n")
        part.write_text('included 60 TXT "three"\n')
        server.signal(signal.SIGHUP)
        eventually("the key in the log", lambda: "no-such-key" in server.log_text())
        require(ask(server, "included"), "the server no longer answers")
        done = run("check", "--config", server.config_path)
        require(done.returncode == 1 and re.search(r"registry\.yaml:\d+:\d+", done.stderr + done.stdout),
                done.stderr + done.stdout)
        server.config_path.write_text(config)
        server.signal(signal.SIGHUP)
        eventually("the include after SIGHUP", lambda: ask(server, "included") == ['"three"'])


def roll_keys(report, server):
    with report.case("a rollover's dry run says when and changes nothing"):
        before = ask(server, "", "DNSKEY")
        done = server.run("zone", "keys", "rollover", ZONE, "--role", "zsk", "--dry-run", "--json")
        plan = json.loads(done.stdout)
        require(plan["steps"] and not plan["applied"], done.stdout)
        require(ask(server, "", "DNSKEY") == before, "the keys changed")
    with report.case("a ZSK rollover publishes the new key beside the old one (RFC 6781 §4.1.1.1)"):
        server.run("zone", "keys", "rollover", ZONE, "--role", "zsk")
        eventually("one DNSKEY more", lambda: len(ask(server, "", "DNSKEY")) == len(before) + 1)
        require(set(before) <= set(ask(server, "", "DNSKEY")), "an old key is gone")
    with report.case("keys are in files that nobody else reads"):
        private = list(server.folder.rglob("K*.private"))
        require(len(private) >= 3, f"{len(private)} private key files")
        require(all(path.stat().st_mode & 0o777 == 0o600 for path in private), "a private key is not of mode 0600")


def look_around(report, server):
    with report.case("status, health and zone list speak JSON"):
        status = json.loads(server.run("status", "--json").stdout)
        require(status["ready"] and status["zones"]["serving"] == 3, str(status))
        require(json.loads(server.run("health", "--json").stdout)["healthy"], "not healthy")
        zones = [zone["zone"] for zone in json.loads(server.run("zone", "list", "--json").stdout)["zones"]]
        feeds = [zone for zone in zones if zone.endswith(f"._feed.{ZONE}")]
        require(zones == sorted([f"_discover._agents.{ZONE}", *feeds, ZONE]) and len(feeds) == 1, str(zones))
        shown = json.loads(server.run("zone", "show", ZONE, f"second.{ZONE}", "TXT", "--json").stdout)
        require([record["type"] for record in shown["records"]][:1] == ["TXT"], str(shown))
    with report.case("wrong usage ends with 2, an unknown zone with 1"):
        require(run("zone", "no-such-verb").returncode == 2, "not 2")
        require(server.run("zone", "show", "not.served.example", check=False).returncode == 1, "not 1")


def end_day(report, server):
    with report.case("SIGTERM ends the server with 0"):
        last = serial(server)
        status = server.stop()
        require(status == 0, f"exit status {status}:\n{server.log_tail()}")
    with report.case("a restart answers at once, with the same serial and records"):
        began = time.monotonic()
        server.start(wait=False)
        eventually("an answer", lambda: ask(server, "second") == ['"corrected"'])
        took = time.monotonic() - began
        require(serial(server) == last, f"serial {serial(server)}, not {last}")
        print(f"        first answer after {took * 1000:.0f} ms")
    with report.case("health fails with 1 when no server runs"):
        server.stop()
        require(server.run("health", check=False).returncode == 1, "not 1")


class ByNamespace(servers.Server):
    """`serve --namespace`: no configuration is given, the folder is made where it is not there."""

    kind = "by-namespace"
    zone = "example.net.com.steward-registry.org."

    def __init__(self, place):
        super().__init__([servers.Zone(self.zone, "/dev/null", True)], addresses=["127.0.0.1"], folder=place)
        self.port = 5300  # the default of the folder that is made
        self.made = self.folder / "acme"

    @property
    def program(self):
        return peers.our_program()

    def write_config(self):
        pass

    def command(self):
        return [self.program, "serve", "--namespace", "example.net.com", "--parent", "com.steward-registry.org", "--data", str(self.made)]


def serve_by_namespace(report, place):
    with report.case("serve --namespace makes a folder at its first start, says so, and answers from it, signed"):
        if not servers.can_serve("127.0.0.1", 5300):
            raise Skipped("port 5300 is taken")
        server = ByNamespace(place)
        with server:
            require("made for the registry of example.net.com." in server.log_text(), server.log_tail())
            config = server.made / "registry.yaml"
            before = config.read_bytes()
            require(run("status", "--config", config).returncode == 0, "its folder has no socket for commands")
        server.log_path.unlink()
        with ByNamespace(place) as again:
            require("made for" not in again.log_text() and config.read_bytes() == before, f"made again: {again.log_tail()}")
        refused = run("serve", "--namespace", "other.com", "--data", server.made)
        require(refused.returncode == 1 and "is of another namespace" in refused.stderr, refused.stderr)


def main():
    report = Report("operator")
    if not pathlib.Path(peers.our_program()).exists():
        sys.exit(f"{peers.our_program()} is not built")
    with tempfile.TemporaryDirectory(prefix="steward-operator-") as name:
        folder = pathlib.Path(name) / "acme"
        server = Registry(folder)
        try:
            for step in (lambda r, s: start_day(r, s, folder), edit_zone, make_mistake, include_files, roll_keys,
                         look_around, end_day):
                step(report, server)
        finally:
            if report.failed:
                print(server.log_tail(25))
            server.stop()
        serve_by_namespace(report, pathlib.Path(name) / "served")
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
