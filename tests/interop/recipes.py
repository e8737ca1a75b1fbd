#!/usr/bin/python3
"""Runs the recipes of steward-interop(7), as they stand in the page: resolvers, secondaries, catalogs, front ends.

    recipes.py [--only WORD]

In a network namespace of its own, since the page's addresses (RFC 5737) and port 53 are used as they are; only paths below /etc are
moved into the test's folder. A literal block that no case uses is a failure. What a server needs besides, a recipe's reader has
from his distribution: a port, a folder, who may ask.
"""

import argparse
import contextlib
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]

import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype

import namespaces
import recipe_peers
from certificates import Certificates
from man_recipes import Recipes
from recipe_tree import AGENT, APEX, CATALOG, CLIENT, PRIMARY, PROXY, SECONDARY, STRANGER, ZONE, Tree
from registry import eventually
from report import Report, Skipped, require
from servers import ROOT, SEARCH_PATH, find_program

PAGE = ROOT / "man" / "steward-interop.7"


class World:
    """A root registry, com and vibe-agency.com, with what all recipes need beside them."""

    def __init__(self, folder, recipes):
        self.folder = pathlib.Path(folder)
        self.recipes = recipes
        certificates = Certificates(folder)
        certificates.make("tls", f"DNS:ns1.{ZONE.rstrip('.')}")
        self.files = {"/etc/ssl/certs/ca-certificates.crt": certificates.path("ca.pem"),
                      "/etc/steward-registry/tls.pem": certificates.path("tls.pem"),
                      "/etc/steward-registry/tls.key": certificates.path("tls.key"),
                      "/etc/unbound/steward.ds": str(self.folder / "steward.ds"),
                      "/etc/steward-registry/steward.ds": str(self.folder / "steward.ds"),
                      "/etc/knot-resolver/steward.ds": str(self.folder / "steward.ds"),
                      "/etc/bind/steward.anchors": str(self.folder / "steward.anchors")}

    def recipe(self, *names):
        """The recipes one after the other, with the paths that they have here."""
        return self.placed("\n".join(self.recipes[name] for name in names))

    def placed(self, text):
        for path, here in self.files.items():
            text = text.replace(path, here)
        return text

    def shell(self, text, programs=None):
        """What a command of a recipe prints. `programs`: lines of shell that stand for programs, by their names."""
        folder = self.folder / "bin"
        folder.mkdir(exist_ok=True)
        for name, line in (programs or {}).items():
            (folder / name).write_text(f"#!/bin/sh\n{line}\n")
            (folder / name).chmod(0o755)
        done = subprocess.run(["sh", "-e", "-c", text], cwd=self.folder, capture_output=True, text=True, check=False, timeout=60,
                              env={**os.environ, "PATH": f"{folder}:{SEARCH_PATH}"})
        require(done.returncode == 0, f"{text}ended with {done.returncode}: {done.stdout}{done.stderr}")
        return done.stdout


def ask(address, name, rdtype, want=dns.flags.AD):
    query = dns.message.make_query(name, rdtype, want_dnssec=True)
    query.flags |= want
    return dns.query.tcp(query, address, timeout=15)


def is_validated(reply):
    return reply.rcode() == dns.rcode.NOERROR and bool(reply.answer) and bool(reply.flags & dns.flags.AD)


def resolves(report, resolver):
    """What every resolver has to do by its recipe."""
    with report.case(f"{resolver.kind}: an agent is found and validated from the root registry down"):
        for rdtype in ("TXT", "SVCB", "KEY"):
            reply = ask(resolver.address, AGENT, rdtype)
            require(is_validated(reply), f"{rdtype}: {reply}\n{resolver.log_tail(8)}")
    with report.case(f"{resolver.kind}: a capability climbs from com to the root registry"):
        reply = ask(resolver.address, f"guide._discover._agents.com.{APEX}", "PTR")
        require(is_validated(reply) and reply.answer[0].rdtype == dns.rdatatype.CNAME, f"{reply}\n{resolver.log_tail(8)}")
    with report.case(f"{resolver.kind}: an agent that is not there is denied with a proof"):
        reply = ask(resolver.address, f"nobody.{ZONE}", "TXT")
        require(reply.rcode() == dns.rcode.NXDOMAIN and reply.flags & dns.flags.AD, reply)


def check_resolvers(report, world, tree, wanted):
    world.shell(world.recipe("anchor"), {"steward-registry": tree.operator_line(APEX)})
    world.shell(world.recipe("bind-anchor"))
    kinds = {"unbound": lambda: recipe_peers.Unbound(world.recipe("unbound.conf")),
             "named": lambda: recipe_peers.ResolvingNamed(world.recipe("named.conf"))}
    for kind, make in kinds.items():
        if not wanted(kind):
            continue
        with make() as resolver:
            resolves(report, resolver)
            if kind == "named":
                with report.case("delv: proves the same by itself"):
                    said = world.shell(world.recipe("delv"))
                    require("; fully validated" in said and "v=steward1" in said, said)


def check_forwarders(report, world, tree, wanted):
    kinds = {"kresd": lambda: recipe_peers.Kresd(world.recipe("kresd.conf")),
             "systemd-resolved": lambda: recipe_peers.Resolved(world.recipe("resolved.conf"), world.recipes["resolved-anchor"], world.folder)}
    for kind, make in kinds.items():
        if not wanted(kind):
            continue
        forwarder = make()
        if find_program(forwarder.program) is None:
            forwarder.__exit__()
            with report.case(f"{kind}: forwards to a registry that resolves"):
                raise Skipped(f"{kind} is not installed" + (": Debian's package of it takes /etc/resolv.conf over" if kind != "kresd" else ""))
            continue
        with tree.primary(world.recipe("registry-resolver.yaml")), forwarder:
            resolves(report, forwarder)


def check_proxy(report, world, tree, wanted):
    if not wanted("dnsdist"):
        return
    config = registry_config(world).replace("allow-transfer: [{key: xfr}]", f"allow-transfer: [{CLIENT}]").replace("    notify: [{address: 192.0.2.53, key: xfr}]\n", "")
    with tree.primary(config + world.recipe("registry-proxy.yaml")) as registry, recipe_peers.Dnsdist(world.recipe("dnsdist.conf")) as proxy:
        with report.case("dnsdist: answers come through it, over UDP and TCP"):
            for send in (dns.query.udp, dns.query.tcp):
                reply = send(dns.message.make_query(AGENT, "SVCB"), PROXY, timeout=10)
                require(reply.answer and reply.flags & dns.flags.AA, f"{reply}\n{proxy.log_tail()}")
        with report.case("dnsdist: the registry sees the client, not the proxy"):
            for source, rcode in ((CLIENT, dns.rcode.NOERROR), (STRANGER, dns.rcode.REFUSED)):
                reply = dns.query.tcp(dns.message.make_query(ZONE, "AXFR"), PROXY, source=source, timeout=10, one_rr_per_rrset=True, ignore_trailing=True)
                require(reply.rcode() == rcode, f"{source}: {reply.rcode()}\n{registry.log_tail(5)}")
            lines = [line for line in registry.log_text().splitlines() if "transfer.out " in line]
            require(lines and all(f"client={CLIENT}@" in line for line in lines), lines)


def secondaries(world):
    """{name: (what the registry has, the secondary, whether it transfers over TLS)}."""
    recipe, begin = world.recipe, world.recipes.beginning
    plain, tls, catalog = registry_config(world), registry_config(world) + recipe("registry-tls.yaml"), registry_config(world, "registry-catalog.yaml")
    by_address = catalog.replace("    allow-transfer: [{key: xfr}]\n", recipe("registry-by-address.yaml"))
    named, knot, nsd, pdns = (getattr(recipe_peers, name) for name in ("SecondaryNamed", "SecondaryKnot", "SecondaryNsd", "SecondaryPdns"))
    return {
        "named": (plain, lambda: named(recipe("named-secondary.conf")), False),
        "named over TLS": (tls, lambda: named(begin("named-secondary.conf") + recipe("named-secondary-tls.conf")), True),
        "knotd": (plain, lambda: knot(recipe("knot-secondary.conf")), False),
        "nsd": (plain, lambda: nsd(recipe("nsd-secondary.conf")), False),
        "nsd over TLS": (tls, lambda: nsd(begin("nsd-secondary.conf") + recipe("nsd-secondary-tls.conf")), True),
        "pdns": (plain, lambda: pdns(recipe("pdns.conf"), [recipe("pdns-commands")], world), False),
        "named by catalog": (catalog, lambda: named(recipe("named-catalog.conf")), False),
        "knotd by catalog": (catalog, lambda: knot(begin("knot-secondary.conf", 3) + recipe("knot-catalog.conf")), False),
        "pdns by catalog": (by_address, lambda: pdns(recipe("pdns.conf"), [key_command(begin("pdns-commands")), recipe("pdns-catalog")], world), False),
    }


def key_command(commands):
    return commands[:commands.index("pdnsutil create")]


def registry_config(world, zones=""):
    """The registry's configuration: the keys, and the zones of that recipe or of another."""
    keys, plain = world.recipe("registry.yaml").split("zones:\n")
    return keys + (world.recipe(zones) if zones else "zones:\n" + plain)


def follows(report, name, registry, secondary, tls):
    with report.case(f"{name}: has the registry's zone, signed"):
        eventually(lambda: f"the zone\n{secondary.log_tail()}\n{registry.log_tail()}", lambda: secondary.serial() == registry.serial())
        reply = ask(SECONDARY, AGENT, "TXT")
        require(reply.flags & dns.flags.AA and any(rrset.rdtype == dns.rdatatype.RRSIG for rrset in reply.answer), reply)
        require(ask(SECONDARY, f"generate_code._find._agents.{ZONE}", "PTR").answer, "no page of a capability")
    with report.case(f"{name}: a change is there at once, told by NOTIFY"):
        registry.raise_serial()
        eventually("our own change", lambda: registry.serial() == registry.file_serial)
        eventually(lambda: f"the change\n{secondary.log_tail()}\n{registry.log_tail()}", lambda: secondary.serial() == registry.serial())
    if tls:
        with report.case(f"{name}: nothing goes in the clear"):
            lines = [line for line in registry.log_text().splitlines() if "transfer.out " in line and SECONDARY in line]
            require(lines and all("transport=tls" in line for line in lines), "\n".join(lines) or registry.log_tail())


def check_secondaries(report, world, tree, wanted):
    for name, (config, make, tls) in secondaries(world).items():
        if not wanted(name):
            continue
        with tree.primary(config) as registry, make() as secondary:
            follows(report, name, registry, secondary, tls)
            if CATALOG in config:
                with report.case(f"{name}: it was the catalog that told of the zone"):
                    require(ZONE.rstrip(".") not in secondary.recipe.replace(CATALOG, ""), "the recipe names the zone")


def check_page(report, recipes):
    with report.case("every literal block of the page has a name, and is used by a case"):
        require(not recipes.nameless, f"without a name: {recipes.nameless}")
        require(not recipes.unused(), f"not used: {recipes.unused()}")


def run(report, only):
    def wanted(name):
        return not only or only in name

    recipes = Recipes(PAGE)
    with tempfile.TemporaryDirectory(prefix="steward-recipes-") as folder, contextlib.ExitStack() as stack:
        world = World(folder, recipes)
        tree = stack.enter_context(Tree())
        check_resolvers(report, world, tree, wanted)
        check_forwarders(report, world, tree, wanted)
        check_proxy(report, world, tree, wanted)
        check_secondaries(report, world, tree, wanted)
    if not only:
        check_page(report, recipes)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", help="the recipes whose name has this word")
    arguments = parser.parse_args()
    addresses = [f"ip addr add 192.0.2.{last}/32 dev lo" for last in (1, 2, 3, 53, 80, 98, 99)]
    # A link that is up: without one systemd-resolved asks nobody.
    link = "ip link add up0 type veth peer name up1 && ip link set up1 up && ip addr add 192.0.2.254/24 dev up0 && ip link set up0 up || true"
    # Each of the two is seen by the other under its own address, as on two machines.
    routes = [f"ip route replace local {to} dev lo table local proto kernel scope host src {source}"
              for to, source in ((PRIMARY, SECONDARY), (SECONDARY, PRIMARY))]
    namespaces.enter(*addresses, *routes, f"({link})")
    report = Report("recipes")
    if namespaces.entered():
        run(report, arguments.only)
    else:
        with report.case("the recipes of steward-interop(7)"):
            raise Skipped("no network namespace is to be had (unshare -rn, iproute2)")
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
