"""Part of bench federation: from a publish at a leaf to the root's answer, over three registries of ours on loopback.

They have registered with each other: feeds go over TLS 1.3 with both certificates, and every request and NOTIFY between them is signed with SIG(0) by RSA-4096 keys,
the default (--smoke: Ed25519, which is made sooner). A publish is one run of `steward publish`; its clock starts when that has said NOERROR. The root is asked
over UDP each millisecond until `_find` has the agent, and `_ref` its facts. --agents of them are there already, imported at the leaf, in all three registries.
"""

import contextlib
import json
import os
import pathlib
import subprocess
import time

from .machine import BenchError

PUSH = "ms from a publish at the leaf to the root's _find and _ref, TLS and SIG(0), median"
PUSH_WORST = "  that push, 99 of 100 within"
LEAF = "vibe-agency.com"
SPACES = (".", "com", LEAF)
PATIENCE = 20.0


def run(options, report, note):
    """Nothing where port 53 of the addresses is not to be had."""
    import registries
    import servers

    if not servers.can_serve(registries.ADDRESS[registries.APEX], 53):
        note("no port 53 of %s: be root for the push" % registries.ADDRESS[registries.APEX])
        return
    folder = pathlib.Path(options.work) / "push"
    folder.mkdir()
    with _registered(folder, "ed25519" if options.smoke else "rsa4096", note) as members:
        if not options.smoke and options.agents:
            _import(options, folder, members, note)
        note("publishes")
        _steward(folder, "keygen", "--keys", str(folder / "keys"))
        took = sorted(_push(folder, members, number) for number in range(10 if options.smoke else 200))
        _require_signed(members)
    for milliseconds in took:
        report.add(PUSH, "steward", milliseconds, "ms")
    report.add(PUSH_WORST, "steward", took[max(0, len(took) * 99 // 100 - 1)], "ms")


@contextlib.contextmanager
def _registered(folder, algorithm, note):
    """{namespace: registry}, each registered with the one above it; identities by the algorithm."""
    import report as cases
    from registries import Node

    note("registrations")
    members = {}
    try:
        for number, space in enumerate(SPACES):
            member = Node(folder, space, number + 1, algorithm, more=['_schema._agents TXT "v=steward1"'])
            member.options["registry"] |= {"open": True, "custody-key": "custody.pem"}
            member.options["map-size"] = "16G"
            if members:
                member.below(members[SPACES[number - 1]], members["."])
            members[space] = member
            member.start()
        for above, below in zip(SPACES, SPACES[1:]):
            members[above].let_in(members[below])
        yield members
    except cases.Failed as error:
        raise BenchError(str(error)) from error
    finally:
        for member in reversed(members.values()):
            member.__exit__()


def _require_signed(members):
    """That the feeds went the way that is claimed."""
    for space in SPACES[:-1]:
        if "tls=TLSv1.3" not in members[space].log_text().replace('"', ""):
            raise BenchError("%s did not take the feed over TLS 1.3\n%s" % (members[space].zone, members[space].log_tail()))
    for space, member in members.items():
        requests = member.requests()
        if not requests["accepted"] or requests["refused"]:
            raise BenchError("requests between registries at %s: %s" % (member.zone, requests))


def _import(options, folder, members, note):
    note("%d agents" % options.agents)
    manifests = folder / "manifests.json"
    with open(manifests, "w", encoding="utf-8") as out:
        out.write("[")
        for number in range(options.agents):
            out.write(("," if number else "") + json.dumps({
                "name": "resident-%06d" % number, "description": "Was here before", "version": "1.0.0", "capabilities": {},
                "supportedInterfaces": [{"url": "https://agents.vibe-agency.com/%d" % number, "protocolBinding": "JSONRPC"}],
                "defaultInputModes": ["text/plain"], "defaultOutputModes": ["text/plain"],
                "skills": [{"id": "skill_%d" % (number % 997), "name": "Works", "description": "Works", "tags": ["work"]}]}))
        out.write("]")
    leaf = members[LEAF]
    began = time.monotonic()
    done = leaf.run("import", str(manifests), "--namespace", LEAF, check=False, timeout=options.limit)
    if done.returncode != 0:
        raise BenchError("import: " + done.stderr[-400:] + done.stdout[-400:])
    note("  imported after %.0f s" % (time.monotonic() - began))
    for namespace in ("com", "."):
        while True:
            children = json.loads(members[namespace].run("peers", "--json").stdout)["children"]
            if children[0]["agents"] >= options.agents:
                break
            if time.monotonic() - began > options.limit:
                raise BenchError("%s has %s" % (members[namespace].zone, children))
            time.sleep(0.5)
        note("  all at %s after %.0f s" % (members[namespace].zone, time.monotonic() - began))


def _steward(folder, *words):
    done = subprocess.run([os.environ["STEWARD"], *words], capture_output=True, text=True, timeout=30, env={**os.environ, "XDG_CONFIG_HOME": str(folder)})
    if done.returncode != 0:
        raise BenchError("steward %s: %s%s" % (words[0], done.stderr, done.stdout))


def _push(folder, members, number):
    label = "newcomer-%03d" % number
    manifest = folder / (label + ".json")
    manifest.write_text(json.dumps({
        "name": label, "description": "Comes now", "version": "1.0.0", "capabilities": {},
        "supportedInterfaces": [{"url": "https://agents.vibe-agency.com/new", "protocolBinding": "JSONRPC"}],
        "defaultInputModes": ["text/plain"], "defaultOutputModes": ["text/plain"],
        "skills": [{"id": "arrive_%d" % number, "name": "Arrives", "description": "Arrives", "tags": ["new"]}]}))
    _steward(folder, "publish", str(manifest), "--registry", members[LEAF].address + "@53", "--namespace", LEAF, "--keys", str(folder / "keys"))
    began = time.monotonic()
    root, agent = members["."], "%s.%s" % (label, members[LEAF].zone)
    wanted = [("arrive_%d._find._agents.%s" % (number, root.zone), "PTR"), ("%s._ref._agents.%s" % (agent.removesuffix("." + root.zone), root.zone), "TXT")]
    while not all(_is_there(root, name, rdtype) for name, rdtype in wanted):
        if time.monotonic() - began > PATIENCE:
            raise BenchError("%s is not at the root after %d s" % (agent, PATIENCE))
        time.sleep(0.001)
    return 1000 * (time.monotonic() - began)


def _is_there(server, name, rdtype):
    import dns.message
    import dns.query

    return bool(dns.query.udp(dns.message.make_query(name, rdtype, use_edns=0, payload=1232), server.address, port=53, timeout=2).answer)
