#!/usr/bin/python3
"""A day of a client: agents are resolved, verified and proved with `steward`, over loopback and without a network; and what
a registry, a resolver or somebody on the way may try is noticed.

    client_day.py
"""

import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "support"), str(HERE.parent / "interop")]

import dns.message
import dns.rdatatype

import real_agents
import servers
from client_world import APEX, NAMESPACE, ZONE, Proxy, World, agent, generator, gone_rows, signed_lines
from registry import Registry
from report import Report, Skipped, require
from signing import run_tool
from steward import Client

ORCHESTRATOR = f"vibe-agency-orchestrator.{NAMESPACE}"
FULL = f"vibe-agency-orchestrator.{ZONE}".rstrip(".")
MAX_BUNDLE = 8 * 1024
EVIL = "\x1b[2J\u202etxt.exe \u200b"


def lines_of_the_wicked():
    """Agents that are not as they should be."""
    lying = generator.agent_lines(agent("lying"))
    lying = [line.replace("SRV 0 0 443", "SRV 0 0 8443") for line in lying]
    suspended = [line.replace("status=active", "status=suspended") if "v=steward-registry1" in text else line
                 for text, line in registry_texts(generator.agent_lines(agent("suspended")))]
    lines = [*lying, *suspended, *generator.agent_lines(agent("evil", EVIL)),
             *generator.agent_lines(agent("xn--bcher-bot-q9a")), *generator.agent_lines(agent("xn--4db"))]
    lines += signed_lines("withdrawn", gone_rows(), status="withdrawn")
    lines += signed_lines("revoked", gone_rows(), status="revoked", reason="key was stolen")
    return lines + generator.txt_lines("_trust.vibe-agency-coder", ["v=steward-trust1", "trust=0.24", "tests=0.300 0.500 0.150 claimed",
                                                                   "new-agent=0.800 0.300 0.240 day 3 of 30"])


def registry_texts(lines):
    """Each line with the text of the record that it belongs to."""
    text = ""
    for line in lines:
        if not line.startswith(" "):
            start = lines.index(line)
            text = " ".join(lines[start:start + 8]) if line.endswith("(") and line.startswith("_registry.") else ""
        yield text, line


def resolves(report, world, client):
    with report.case("an agent is resolved by its full, relative, short and reversed name"):
        for name in (FULL, FULL + ".", ORCHESTRATOR, "com.vibe-agency.vibe-agency-orchestrator"):
            require(client.ask("resolve", name)["agent"] == FULL, name)
        require(client.ask("resolve", "vibe-agency-orchestrator", "--namespace", NAMESPACE)["agent"] == FULL, "short")
    with report.case("what is shown is what its publisher signed: endpoints, capabilities, status, key; and the registry's trust"):
        got = client.ask("resolve", f"vibe-agency-coder.{NAMESPACE}")
        require(got["usable"] and got["dnssec"] == "secure" and got["status"] == "active", str(got))
        require([(row["protocol"], row["host"], row["port"], row["alpn"]) for row in got["endpoints"]]
                == [("a2a", "agents.vibe-agency.com", 443, ["h2"]), ("mcp", "agents.vibe-agency.com", 443, ["h2"])], str(got["endpoints"]))
        require(got["capabilities"] == ["generate_code", "review_code"] and got["registry"]["trust"] == 0.91, str(got))
        require(got["fingerprint"] == generator.fingerprint(generator.TEST_KEY), got["fingerprint"])
    with report.case("an agent that does not exist is said not to, which is proved"):
        require("that is proved" in client.refused("resolve", f"nobody.{NAMESPACE}"), "not said")
    with report.case("the sum of trust is shown"):
        sum_ = client.ask("trust", f"vibe-agency-coder.{NAMESPACE}")
        require(sum_["trust"] == 0.24 and [term["name"] for term in sum_["terms"]] == ["tests", "new agent"], str(sum_))
    with report.case("a cold resolve is one round trip beyond the chain of trust, each question once"):
        with Proxy(world.server.port, gather=6) as proxy, tempfile.TemporaryDirectory() as folder:
            Client(folder, proxy.port, world.anchor).ask("resolve", ORCHESTRATOR)
            wanted = {(FULL + ".", rdtype) for rdtype in ("TXT", "KEY", "SRV", "SVCB")}
            wanted |= {(f"{label}.{FULL}.", "TXT") for label in ("_registry", "_keys")}
            chain = {(ZONE, "DNSKEY"), (ZONE, "DS"), (APEX, "DNSKEY")}
            keys = [asked for asked in proxy.asked if asked[1] in ("DNSKEY", "DS")]
            require(sorted(set(proxy.asked) - set(keys)) == sorted(wanted) and len(proxy.asked) - len(keys) == len(wanted), str(proxy.asked))
            # DS is asked for once a label between the two zones.
            require(chain <= set(keys) and len(keys) == len(set(keys)) <= len(chain) + 1, str(keys))


def reads_scripts(report, client):
    a_label, hebrew = "xn--bcher-bot-q9a", "xn--4db"
    with report.case("U-labels are taken as their A-labels, and an A-label is shown with its U-label, never alone [RFC 5890]"):
        for name in ("bücher-bot", "B\u00fcCHER-bot", "bu\u0308cher-bot", a_label):
            got = client.ask("resolve", f"{name}.{NAMESPACE}")
            require(got["agent"] == f"{a_label}.{ZONE}".rstrip(".") and got["unicode"] == f"bücher-bot.{ZONE}".rstrip("."), str(got))
        require(client.ask("resolve", ORCHESTRATOR)["unicode"] is None, "an ASCII name has U-labels")
        for command in ("resolve", "verify"):
            out = client.run(command, f"bücher-bot.{NAMESPACE}").stdout
            require(out.startswith(f"bücher-bot.{ZONE[:-1]} ({a_label}.{ZONE[:-1]})\n"), out)
    with report.case("letters from right to left are shown as A-labels alone, since they reorder what stands beside them"):
        out = client.run("resolve", f"\u05d0.{NAMESPACE}").stdout
        require(out.startswith(f"{hebrew}.{ZONE[:-1]}\n") and "\u05d0" not in out, out)
    with report.case("what is no U-label is refused with the rule, and shows no control character"):
        for name in ("Ü-bot", "bot\u200b", "a\u202eb", "☃", "ü-"):
            said = client.refused("resolve", f"{name}.{NAMESPACE}")
            require("U-label" in said or "label" in said, said)
            require("\u202e" not in said and "\u200b" not in said, repr(said))


def verifies(report, client):
    with report.case("every proof of an agent holds, its manifest's digest too; its key is remembered"):
        steps = client.ask("verify", ORCHESTRATOR)["steps"]
        require([step["step"] for step in steps] == ["dnssec", "statement", "endpoints", "manifest", "key", "status", "registry"], str(steps))
        require(all(step["result"] == "passed" for step in steps), str(steps))
        require("not seen before" in steps[4]["what"], steps[4]["what"])
        require(FULL in client.known_agents.read_text(), "not remembered")
        require("as seen before" in client.ask("verify", ORCHESTRATOR)["steps"][4]["what"], "not known again")
    with report.case("another key than the one that was seen before fails, and so does another than the one given"):
        seen = client.known_agents.read_text()
        client.known_agents.write_text(seen.replace(generator.fingerprint(generator.TEST_KEY), "sha256:" + "0" * 64))
        require(client.failed_step(ORCHESTRATOR) == "key", "step")
        client.known_agents.write_text(seen)
        require(client.failed_step(ORCHESTRATOR, "--fingerprint", "sha256:" + "1" * 64) == "key", "step")
        client.ask("verify", ORCHESTRATOR, "--fingerprint", generator.fingerprint(generator.TEST_KEY))


def watches_status(report, client):
    with report.case("suspended, withdrawn and revoked agents are told as such, without endpoints, with exit status 1"):
        for name, word in (("suspended", "suspended by its registry"), ("withdrawn", "withdrawn by its publisher"),
                           ("revoked", "revoked by its publisher: key was stolen")):
            got = client.ask("resolve", f"{name}.{NAMESPACE}", status=1)
            require(got["unusable_because"].startswith(word) and not got["endpoints"], str(got))
            require(word in client.run("resolve", f"{name}.{NAMESPACE}").stdout, word)
        steps = [client.failed_step(f"{name}.{NAMESPACE}") for name in ("suspended", "withdrawn", "revoked")]
        require(steps == ["registry", "status", "status"], str(steps))
    with report.case("a registry that signs another SRV than the publisher did is caught"):
        got = client.ask("resolve", f"lying.{NAMESPACE}", status=1)
        require("not the ones that its publisher signed" in got["unusable_because"] and not got["endpoints"], str(got))
        require(client.failed_step(f"lying.{NAMESPACE}") == "endpoints", "step")
    with report.case("what is on the wire moves no cursor and reorders nothing, in text and in JSON"):
        for words in (("resolve",), ("resolve", "--json"), ("verify",)):
            out = client.run(words[0], f"evil.{NAMESPACE}", *words[1:]).stdout
            require(not set(EVIL) - set(" [2Jtx.e") & set(out), repr(out))
        require("\\x1b[2J\\u202etxt.exe \\u200b" in client.run("resolve", f"evil.{NAMESPACE}").stdout, "not escaped")
        require(client.ask("resolve", f"evil.{NAMESPACE}")["description"] == EVIL, "JSON does not give it back")


def proves(report, world, client):
    bundle, absent = client.folder / "a.proof", client.folder / "n.proof"
    offline = ("unshare", "-rn")
    alone = subprocess.run([*offline, "true"], check=False, capture_output=True).returncode == 0
    before = offline if alone else ()
    with report.case("a bundle is verified without a network, from the trust anchor alone" + ("" if alone else " (no namespaces here)")):
        client.ask("prove", ORCHESTRATOR, "-o", bundle)
        got = client.ask("verify", "--bundle", bundle, before=before)
        require(got["verified"] and got["agent"] == FULL and not got["absent"], str(got))
        require(bundle.stat().st_size < MAX_BUNDLE, f"{bundle.stat().st_size} octets")
    with report.case("so is the proof that there is no such agent"):
        client.ask("prove", f"nobody.{NAMESPACE}", "--absent", "-o", absent)
        require(client.ask("verify", "--bundle", absent, before=before)["absent"], "not absent")
        require("exists" in client.refused("prove", ORCHESTRATOR, "--absent", "-o", absent), "an agent that is there")
        require("does not exist" in client.refused("prove", f"nobody.{NAMESPACE}", "-o", bundle), "an agent that is not")
    with report.case("a bundle about another agent, cut short, changed, or under another anchor is refused"):
        client.ask("prove", ORCHESTRATOR, "-o", bundle)
        require("is about" in client.refused("verify", f"vibe-agency-coder.{NAMESPACE}", "--bundle", bundle), "another agent")
        octets = bundle.read_bytes()
        changed = client.folder / "changed.proof"
        for place in range(0, len(octets), 97):
            changed.write_bytes(octets[:place] + bytes([octets[place] ^ 1]) + octets[place + 1:])
            require(client.run("verify", "--bundle", changed).returncode == 1, f"octet {place} changed")
        changed.write_bytes(octets[:-1])
        require(client.run("verify", "--bundle", changed).returncode == 1, "cut short")
        other = client.folder / "other.ds"
        other.write_text(world.child_ds.replace(ZONE, APEX) + "\n")
        require(client.run("verify", "--bundle", bundle, "--trust-anchor", other).returncode == 1, "another anchor")


def distrusts(report, world, folder):
    with report.case("with another trust anchor nothing is believed and nothing is shown"):
        client = Client(folder / "other", world.server.port, world.child_ds.replace(ZONE, APEX))
        require("DNSSEC: bogus" in client.refused("resolve", ORCHESTRATOR), "not bogus")
        require(client.failed_step(ORCHESTRATOR) == "dnssec", "step")
    with report.case("an answer that was changed on its way is not believed"):
        def change(reply):
            message = dns.message.from_wire(reply)
            is_srv = message.question[0].rdtype == dns.rdatatype.SRV
            return reply.replace(b"\x01\xbb\x06agents", b"\x20\xfb\x06agents") if is_srv else reply
        with Proxy(world.server.port, change) as proxy:
            client = Client(folder / "tampered", proxy.port, world.anchor)
            require("DNSSEC: bogus" in client.refused("resolve", ORCHESTRATOR), "not bogus")
    with report.case("below an anchor of somewhere else it is told as not secure, without endpoints"):
        client = Client(folder / "island", world.server.port, world.child_ds.replace(ZONE, "example.org."))
        got = client.ask("resolve", ORCHESTRATOR, status=1)
        require(got["dnssec"] == "insecure" and not got["usable"] and not got["endpoints"], str(got))
        require(client.failed_step(ORCHESTRATOR) == "dnssec", "step")
        require("steward: " in client.refused("prove", ORCHESTRATOR, "-o", folder / "none.proof"), "a proof")
    with report.case("a zone that lost its signatures, and one whose signatures ran out, are not believed"):
        unsigned = World.entry(ZONE, world.zone_file, dnssec=False)
        keys = folder / "old"
        keys.mkdir()
        expired = keys / "expired.zone"
        run_tool("dnssec-keygen", "-q", "-K", keys, "-a", "ECDSAP256SHA256", "-f", "KSK", ZONE)
        run_tool("dnssec-signzone", "-q", "-S", "-z", "-P", "-K", keys, "-d", keys, "-x", "-o", ZONE, "-s", "20250101000000", "-e", "20250201000000", "-f", expired, world.zone_file)
        anchor = run_tool("dnssec-dsfromkey", "-2", next(keys.glob("K*.key"))).strip()
        for entry, trusted in ((unsigned, world.child_ds), (World.entry(ZONE, expired, dnssec=False), anchor)):
            with Registry([entry]) as server:
                client = Client(folder / f"client-{server.port}", server.port, trusted)
                server.wait_ready()
                said = client.refused("resolve", ORCHESTRATOR)
                require("DNSSEC: bogus" in said, said)
    with report.case("a registry that does not answer is given up after the time limit"):
        silent = Client(folder / "silent", servers.free_port(["127.0.0.1"]), world.anchor, timeout=1)
        require("steward: " in silent.refused("resolve", ORCHESTRATOR), "not said")


def speaks_tls(report, world, folder):
    with report.case("a registry that is to be asked over TLS is not asked without its authorities"):
        client = Client(folder / "tls", world.server.port, world.anchor, tls=("ns1.example", "ca.pem"))
        require("ca.pem" in client.refused("resolve", ORCHESTRATOR), "not said")


def embeds(report, world, folder):
    with report.case("the example compiles against the installed library and resolves"):
        build = pathlib.Path(os.environ.get("STEWARD_REGISTRY", servers.ROOT / "build" / "steward-registry")).parent
        if not (build / "build.ninja").exists():
            raise Skipped(f"{build} is no build folder")
        root = folder / "root"
        run_tool("meson", "install", "-C", build, "--no-rebuild", "--quiet", "--destdir", root)
        place = next(root.rglob("steward.pc")).parent
        environment = {**os.environ, "PKG_CONFIG_PATH": str(place), "PKG_CONFIG_SYSROOT_DIR": str(root)}
        flags = subprocess.run(["pkg-config", "--cflags", "--libs", "steward"], env=environment, capture_output=True, text=True, check=True).stdout.split()
        program = folder / "example_resolve"
        run_tool("c++", "-Wall", "-Wextra", "-Werror", servers.ROOT / "tools" / "example_resolve.cc", *flags, "-o", program)
        (folder / "anchor").write_text(world.anchor + "\n")
        done = subprocess.run([program, ORCHESTRATOR, f"127.0.0.1@{world.server.port}", folder / "anchor"], capture_output=True, text=True, check=False,
                              env={**os.environ, "LD_LIBRARY_PATH": str(place.parent)})
        require(done.stdout == "a2a agents.vibe-agency.com 443\n", done.stdout + done.stderr)


def measures(report, folder):
    with report.case("bundles of 99 % of the real agents are below 8 KiB"):
        agents = []
        for path in real_agents.find_manifests():
            try:
                agents.append(real_agents.read_agent(path))
            except (ValueError, AttributeError):
                pass  # tests/interop/real_agents.py tells of them
        if not agents:
            raise Skipped("no $STEWARD_DATA and no ../shared/data here")
        with World(folder, agents=agents) as world:
            client = Client(folder, world.server.port, world.anchor)
            sizes = sorted(client.ask("prove", f"{one['name']}.{NAMESPACE}", "-o", folder / "one.proof")["octets"] for one in agents)
        print(f"        {len(sizes)} agents: median {sizes[len(sizes) // 2]}, most {sizes[-1]} octets")
        require(sizes[(len(sizes) * 99 - 1) // 100] < MAX_BUNDLE, str(sizes[-5:]))


def main():
    report = Report("clients")
    with tempfile.TemporaryDirectory(prefix="steward-client-") as name:
        folder = pathlib.Path(name)
        with World(folder, lines_of_the_wicked()) as world:
            client = Client(folder / "client", world.server.port, world.anchor)
            resolves(report, world, client)
            reads_scripts(report, client)
            verifies(report, client)
            watches_status(report, client)
            proves(report, world, client)
            distrusts(report, world, folder)
            speaks_tls(report, world, folder)
            embeds(report, world, folder)
        (folder / "real").mkdir()
        measures(report, folder / "real")
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
