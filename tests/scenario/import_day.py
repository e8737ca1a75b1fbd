#!/usr/bin/python3
"""An operator imports manifests that others wrote into the github registry: files, folders and lists, again and again, with mistakes among them; what
is imported is resolved, verified, and claimed by its owner.

    import_day.py

The real agents are those below $STEWARD_DATA/manifests, or ../shared/data/manifests beside the repository; without them that part says that it was
skipped.
"""

import json
import os
import pathlib
import pty
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "support")]

import dns.message
import dns.name
import dns.query

import servers
from publisher import APEX, Publisher, a2a_card, mcp_server, steward_manifest
from registry import Registry
from report import Report, Skipped, require
from statement import problems_of, strings_of, values_of

ZONE = f"github.{APEX}."
LIST = 3000  # manifests in the list that is too long to be sent whole


def make_registry(folder):
    path = folder / "zone"
    path.write_text("$TTL 300\n@ SOA ns1 hostmaster 1 3600 600 604800 60\n@ NS ns1\nns1 A 127.0.0.1\n"
                    '_schema._agents TXT "v=steward1"\n')
    options = {"registry": {"namespace": "github", "custody-key": str(folder / "custody.pem")}}
    return Registry([{"name": ZONE.rstrip("."), "file": str(path), "dnssec": True}], options=options)


def rdatas(server, name, rdtype):
    reply = dns.query.tcp(dns.message.make_query(name, rdtype), "127.0.0.1", port=server.port, timeout=5)
    return [rdata for rrset in reply.answer if rrset.rdtype == reply.question[0].rdtype for rdata in rrset]


def statement_at(server, name):
    """The values of the statement that is served; its signature and `ep` checked."""
    texts = rdatas(server, name, "TXT")
    require(len(texts) == 1, f"{name}: {texts}")
    rows = [(row.rdtype, row.to_digestable()) for rdtype in ("SRV", "SVCB") for row in rdatas(server, name, rdtype)]
    keys = [key.to_wire() for key in rdatas(server, name, "KEY")]
    problems = problems_of(dns.name.from_text(name), texts[0].to_wire(), keys, rows)
    require(not problems, f"{name}: {problems}")
    return {key: value.decode() for key, value in values_of(strings_of(texts[0].to_wire())).items()}


class Import:
    """One `steward-registry import --json`: rows by agent, and the counts."""

    def __init__(self, server, *words, timeout=120):
        done = server.run("import", *map(str, words), "--json", check=False, timeout=timeout)
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        require(lines and "counts" in lines[-1], done.stdout + done.stderr)
        self.code, self.rows, self.counts, self.said = done.returncode, lines[:-1], lines[-1]["counts"], done.stderr

    def expect(self, code=0, **counts):
        require(self.code == code, f"exit status {self.code}: {self.rows[:8]} {self.said}")
        for outcome, number in counts.items():
            require(self.counts[outcome] == number, f"{outcome}: {self.counts}, {self.rows[:8]}")
        return self

    def row(self, word):
        found = [row for row in self.rows if word in row.get("agent", row.get("name", "")) or word in row["file"]]
        require(len(found) == 1, f"{word}: {found}")
        return found[0]


def write(folder, name, manifest):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(manifest if isinstance(manifest, str) else json.dumps(manifest, indent=1))
    return path


def first_import(report, server, folder):
    own = folder / "own"
    write(own, "planner.json", steward_manifest("planner"))
    write(own, "cards/translator.json", a2a_card("translator"))
    write(own, "cards/weather.json", mcp_server("io.github.octocat/weather"))
    write(own, "readme.txt", "no manifest")
    with report.case("import: a dry run says what would be done, and changes nothing"):
        Import(server, "--dry-run", own).expect(imported=3, refused=0)
        require(not rdatas(server, f"planner.{ZONE}", "TXT"), "it is there")
    with report.case("import: STEWARD, A2A and MCP from a folder, each where it belongs, in the registry's custody"):
        Import(server, own).expect(imported=3, updated=0, unchanged=0, refused=0)
        said = statement_at(server, f"planner.{ZONE}")
        require((said["custody"], said["version"]) == ("github", "1.0.0"), said)
        require(statement_at(server, f"weather.user/octocat.{ZONE}")["custody"] == "github", "weather")
        octets = b"".join(rdatas(server, f"_manifest.translator.{ZONE}", "TXT")[0].strings)
        require(octets == (own / "cards/translator.json").read_bytes(), "another manifest")
        require(rdatas(server, f"_a2a._tcp.{ZONE}", "PTR"), "no DNS-SD")
    with report.case("import: the same again is unchanged, and signs nothing"):
        before = rdatas(server, ZONE, "SOA")[0].serial
        Import(server, own).expect(unchanged=3, imported=0)
        require(rdatas(server, ZONE, "SOA")[0].serial == before, "the serial moved")
    with report.case("import: a newer version updates, the same version with other content is refused with the rule"):
        write(own, "planner.json", steward_manifest("planner", "1.1.0"))
        write(own, "cards/translator.json", {**a2a_card("translator"), "description": "Another text."})
        done = Import(server, own).expect(1, updated=1, unchanged=1, refused=1)
        require("version 1.0.0 is not above 1.0.0" in done.row("translator")["rule"], done.rows)
        require(statement_at(server, f"planner.{ZONE}")["version"] == "1.1.0", "another version")
    return own


def refusals(report, server, folder):
    bad = folder / "bad"
    write(bad, "a.json", "{ not json")
    write(bad, "b.json", a2a_card("Research Assistant Agent"))
    write(bad, "c.json", {"hello": "world"})
    write(bad, "d.json", [mcp_server("io.github.octocat/fine"), mcp_server("io.github.octocat/www")])
    (bad / "e.json").write_bytes(json.dumps(a2a_card("latin")).replace("Translates.", "\xe9").encode("latin-1"))
    with report.case("import: what is refused has file, pointer and rule, the rest goes in; exit status 1"):
        done = Import(server, bad).expect(1, imported=1, refused=5)
        require("line 1" in done.row("a.json")["rule"], done.row("a.json"))
        require((done.row("b.json")["pointer"], done.row("b.json")["name"]) == ("/name", "Research Assistant Agent"), done.row("b.json"))
        require("no known shape" in done.row("c.json")["rule"], done.row("c.json"))
        require(done.row("octocat/www")["pointer"] == "/1/name" and "reserved" in done.row("octocat/www")["rule"], done.rows)
        require("UTF-8" in done.row("e.json")["rule"], done.row("e.json"))
    with report.case("import: a table for people, the reason beside it, and that some were refused"):
        done = server.run("import", str(bad), check=False)
        require(done.returncode == 1 and "exit status 1" in done.stderr, done.stderr)
        for part in ("OUTCOME", "b.json /name: ", "0 imported, 0 updated, 1 unchanged, 5 refused; 5 files"):
            require(part in done.stdout, f"{part!r} is not in {done.stdout}")
    with report.case("import: of one name twice the first wins, both files are named; the very same again is no matter"):
        twice = folder / "twice"
        first = write(twice, "1.json", a2a_card("double"))
        write(twice, "2.json", a2a_card("double", "2.0.0"))
        write(twice, "3.json", a2a_card("double"))
        done = Import(server, twice).expect(1, imported=1, unchanged=1, refused=1)
        row = done.row("2.json")
        require("came first" in row["rule"] and row["first"]["file"] == str(first), row)
        require(done.row("3.json")["first"]["file"] == str(first), done.rows)
    with report.case("import: user/X and org/X are one: what is there is taken; --namespace puts all in one place"):
        one = write(folder / "org", "one.json", mcp_server("io.github.anthropics/one"))
        Import(server, "--namespace", "org/anthropics.github", one).expect(imported=1)
        Import(server, write(folder / "org", "two.json", mcp_server("io.github.anthropics/two"))).expect(imported=1)
        require(statement_at(server, f"two.org/anthropics.{ZONE}")["version"] == "1.0.0", "two")
        done = Import(server, "--namespace", "user/anthropics.github", one).expect(1, refused=1)
        require("one namespace" in done.rows[0]["rule"], done.rows)
        done = server.run("import", "--namespace", "acme-corp.com", str(one), check=False)
        require(done.returncode == 1 and "not hosted" in done.stderr, done.stderr)


def long_list(report, server, folder):
    path = folder / "long.json"
    servers_of_it = [mcp_server(f"io.github.maker{number % 7}/tool-{number}") for number in range(LIST)]
    with report.case("import: a list of any length is sent element by element, each with its place"):
        servers_of_it[17] = mcp_server("io.github.maker3/www")
        path.write_text(json.dumps({"note": "[not the list]", "servers": servers_of_it}, indent=2))
        require(path.stat().st_size > 1 << 20, "too short for this test")
        done = Import(server, path).expect(1, imported=LIST - 1, refused=1)
        require(done.row("maker3/www")["pointer"] == "/servers/17/name", done.row("maker3/www"))
        require(statement_at(server, f"tool-{LIST - 1}.user/maker{(LIST - 1) % 7}.{ZONE}")["version"] == "1.0.0", "the last")
        Import(server, path).expect(1, unchanged=LIST - 1, refused=1)
    with report.case("import: a list that ends in its middle is refused there, what stood before it is in"):
        path.write_text(path.read_text()[: (1 << 20) + 100])
        done = Import(server, path)
        require(done.code == 1 and done.counts["unchanged"] > 100, done.counts)
        require("octet" in done.rows[-1]["rule"] and done.rows[-1]["pointer"] == "/servers", done.rows[-1])
    with report.case("import: no bar in a pipe; a folder without manifests, a path that is not there: said so"):
        require("importing" not in server.run("import", str(path), check=False).stderr, "a bar")
        for word, part in ((folder / "none", "No such file"), (folder / "empty", "no *.json")):
            (folder / "empty").mkdir(exist_ok=True)
            done = server.run("import", str(word), check=False)
            require(done.returncode == 1 and part in done.stderr, done.stderr)
        require(server.run("import", check=False).returncode == 2, "usage")


def on_terminal(report, server, folder):
    with report.case("import: on a terminal, work of over a second has a bar"):
        many = folder / "many"
        for number in range(40):
            write(many, f"{number}.json", [mcp_server(f"io.github.bar{number}/tool-{item}", "2.0.0") for item in range(250)])
        ours, theirs = pty.openpty()
        with subprocess.Popen([server.program, "import", str(many), "--config", str(server.config_path)], stdout=subprocess.DEVNULL, stderr=theirs) as running:
            os.close(theirs)
            seen = b""
            try:
                while part := os.read(ours, 4096):
                    seen += part
            except OSError:
                pass  # EIO: the other end was closed
            require(running.wait(60) == 0, seen[-500:])
        os.close(ours)
        # A machine on which ten thousand take no second has none to show; one that takes three says how long it takes yet.
        require(not seen or re.search(rb"importing \[#* *\] \d+%, \d+ of ~?\d+", seen), seen[-200:])
        require(len(seen) < 1000 or re.search(rb", \d+/s, \w+ left", seen), seen[-200:])
    with report.case("import: --quiet prints what is refused alone, and the counts"):
        write(many, "0.json", [mcp_server("io.github.bar0/tool-0", "1.0.0")])
        done = server.run("import", str(many / "0.json"), "--quiet", check=False)
        require(done.returncode == 1 and len(done.stdout.splitlines()) == 3 and "refused" in done.stdout, done.stdout)
        done = server.run("import", str(many / "1.json"), "--quiet")
        require(done.stdout == "0 imported, 0 updated, 250 unchanged, 0 refused; 1 file\n", done.stdout)


def owners(report, server, folder, own):
    publisher = Publisher(folder / "home", f"127.0.0.1@{server.port}", namespace="github")
    anchor = folder / "anchor.ds"
    keys = json.loads(server.run("zone", "keys", ZONE, "--json").stdout)["keys"]
    anchor.write_text("".join(line + "\n" for key in keys for line in key.get("ds", [])))
    with report.case("import: anybody verifies it, with the registry's word for it"):
        publisher.done("verify", f"weather.user/octocat.github.{APEX}", "--trust-anchor", anchor)
    with report.case("import: an owner claims it, and an import does not touch it any more"):
        made = publisher.done("keygen")
        server.run("publisher", "allow", made["fingerprint"])
        done = publisher.done("publish", publisher.write("planner.json", steward_manifest("planner", "1.2.0")))
        require(done["action"] == "claim", done)
        write(own, "planner.json", steward_manifest("planner", "9.0.0"))
        row = Import(server, own / "planner.json").expect(1, refused=1).rows[0]
        require("claimed" in row["rule"], row)
        require(statement_at(server, f"planner.{ZONE}")["fp"] == made["fingerprint"], "another key")
    with report.case("import: all of it is there after a kill"):
        server.kill()
        server.start()
        server.wait_ready()
        require(statement_at(server, f"weather.user/octocat.{ZONE}")["custody"] == "github", "weather")
        Import(server, own / "cards/weather.json").expect(unchanged=1)


def real_agents(report, server):
    with report.case("import: the real agents, hundreds of them, are in, and again unchanged"):
        places = [os.environ.get("STEWARD_DATA", ""), servers.ROOT.parent / "shared" / "data"]
        data = next((pathlib.Path(place) / "manifests" for place in filter(None, map(str, places))
                     if (pathlib.Path(place) / "manifests").is_dir()), None)
        if data is None:
            raise Skipped("no manifests: $STEWARD_DATA is not set")
        done = Import(server, data)
        require(done.counts["imported"] > 200, done.counts)
        for row in done.rows:
            require(row["outcome"] != "refused" or row["rule"], row)
        for row in [row for row in done.rows if row["outcome"] == "imported"][::40]:
            require(statement_at(server, row["agent"])["version"] == row["version"], row)
        again = Import(server, data)
        require(again.counts["unchanged"] == done.counts["imported"] + done.counts["unchanged"], again.counts)
        print(f"        {done.counts['imported']} imported, {done.counts['refused']} refused")


def main():
    report = Report("import")
    with tempfile.TemporaryDirectory(prefix="steward-import-") as name:
        folder = pathlib.Path(name)
        with make_registry(folder) as server:
            server.wait_ready()
            own = first_import(report, server, folder)
            refusals(report, server, folder)
            long_list(report, server, folder)
            on_terminal(report, server, folder)
            owners(report, server, folder, own)
            real_agents(report, server)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
