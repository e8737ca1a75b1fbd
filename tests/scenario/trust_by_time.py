#!/usr/bin/python3
"""Trust that nobody touches: a registry restates it by itself, a few agents at a time, over a kill -9 in between, and
leaves alone what stays as it is.

    trust_by_time.py

Days cannot be waited for, so that the policy changes instead: to the registry it is the same, a number that is no longer
what it would come to now.
"""

import collections
import json
import pathlib
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "support")]

import dns.message
import dns.query
import dns.rdatatype

from publisher import APEX, steward_manifest
from registry import Registry, eventually
from report import Report, require

ZONE = f"acme-corp.com.{APEX}."
AGENTS = 200
INTERVAL = 5  # seconds
NEW, UNKNOWN, OTHER = 0.8, 0.5, 0.25  # the factor of a new agent; facts that nobody states, before and after


def make_registry(folder):
    path = folder / "zone"
    path.write_text("$TTL 300\n@ SOA ns1 hostmaster 1 3600 600 604800 60\n@ NS ns1\nns1 A 127.0.0.1\n"
                    '_schema._agents TXT "v=steward1"\n')
    options = {"registry": {"namespace": "acme-corp.com", "custody-key": str(folder / "custody.pem"),
                            "trust": {"unknown": UNKNOWN, "custody-cap": 1, "restate-interval": f"{INTERVAL}s"}}}
    return Registry([{"name": ZONE.rstrip("."), "file": str(path), "dnssec": True}], options=options)


def ask(server, name, rdtype):
    return dns.query.tcp(dns.message.make_query(name, rdtype, want_dnssec=True), "127.0.0.1", port=server.port, timeout=5)


def stated_trust(server, agent):
    """What the registry's statement says, signed."""
    reply = ask(server, f"_registry.{agent}.{ZONE}", "TXT")
    require(any(rrset.rdtype == dns.rdatatype.RRSIG for rrset in reply.answer), f"{agent}: no RRSIG")
    texts = next(rrset for rrset in reply.answer if rrset.rdtype == dns.rdatatype.TXT)
    return next(text.decode() for text in texts[0].strings if text.startswith(b"trust="))


def all_trust(server):
    return collections.Counter(stated_trust(server, f"bot{number}") for number in range(AGENTS))


def serial(server):
    return ask(server, ZONE, "SOA").answer[0][0].serial


def status(server):
    return json.loads(server.run("status", "--json").stdout)["trust"]


def check(server):
    checks = json.loads(server.run("health", "--json", check=False).stdout)["checks"]
    return next(row for row in checks if row["check"] == "trust")


def change_policy(server, unknown):
    server.options["registry"]["trust"]["unknown"] = unknown
    server.reload()


def pass_rounds(server, number):
    until = status(server)["round"] + number
    eventually(lambda: f"round {until}: {status(server)}", lambda: status(server)["round"] >= until)


def main():
    report = Report("trust by time")
    with tempfile.TemporaryDirectory(prefix="steward-trust-") as name:
        folder = pathlib.Path(name)
        manifests = folder / "manifests"
        manifests.mkdir()
        for number in range(AGENTS):
            (manifests / f"bot{number}.json").write_text(json.dumps(steward_manifest(f"bot{number}")))
        with make_registry(folder) as server:
            server.run("import", str(manifests))
            before, after = f"trust={NEW * UNKNOWN:.2f}", f"trust={NEW * OTHER:.2f}"
            with report.case("trust: nothing is written in rounds in which it stays"):
                require(all_trust(server) == {before: AGENTS}, all_trust(server))
                first = serial(server)
                pass_rounds(server, 2)
                require(serial(server) == first, f"{first}, now {serial(server)}")
                require(status(server)["restated"] == 0, status(server))
            with report.case("trust: another policy reaches the agents by and by, over kill -9 and a start"):
                change_policy(server, OTHER)
                eventually("some are restated", lambda: status(server)["restated"] > 0)
                server.kill()
                server.start()
                restated = all_trust(server)
                require(set(restated) <= {before, after} and restated[after] > 0, restated)
                eventually(lambda: f"{all_trust(server)}", lambda: all_trust(server) == {after: AGENTS})
            with report.case("trust: the sum beside it says the same, and health that the walk keeps its time"):
                shown = ask(server, f"_trust.bot7.{ZONE}", "TXT").answer[0][0].strings
                require(after.encode() in shown, shown)
                require(check(server)["ok"], check(server))
            with report.case("trust: with an interval of 0 it stays what it was"):
                pass_rounds(server, 1)
                server.options["registry"]["trust"]["restate-interval"] = 0
                change_policy(server, UNKNOWN)
                require(status(server)["next"] is None, status(server))
                require(all_trust(server) == {after: AGENTS}, all_trust(server))
                require(check(server)["ok"] and "restate-interval" in check(server)["detail"], check(server))
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
