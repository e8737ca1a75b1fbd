#!/usr/bin/python3
"""Registries join others, and what is refused at the door (steward-records(7), "Registration").

    register_day.py

A root and registries below it, each on an address of its own and port 53, since referrals carry no port: as root, or in a user and network
namespace. The real domains' DNS is a server of ours with the zone ".", which stands for a validating resolver.
"""

import json
import pathlib
import ssl
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "support"), str(HERE.parent / "conformance")]

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.query

import namespaces
import peers
import registrant
import servers
from registries import ADDRESS, APEX, NET, TLS_PORT, Node, World, delegated
from registry import eventually
from report import require


def joins(report, root, com, resolver_of):
    with report.case("a registry that was invited gets its name, certificates and a delegation that validates"):
        invited = json.loads(root.run("invite", "--namespace", "com", "--json").stdout)
        done = com.join("--token", invited["token"], "--wait")
        require(done.returncode == 0 and "delegates to our servers" in done.stdout and "certificates issued" in done.stdout, done.stdout + done.stderr)
        require(delegated(root, com), root.ask(com.zone, "DS").to_text())
        identity = root.ask(f"com._registries._agents.{APEX}", "CERT")
        require(len(identity.answer[0]) == 2, identity.to_text())
        require(f"client={com.address}@" in root.log_text(), "not from the address that `outgoing` says\n" + root.log_tail())
        require(not json.loads(root.run("pending", "list", "--json").stdout)["invitations"], "the invitation is still there")
    with report.case("it may be repeated, and nothing is done again"):
        serial = root.ask(APEX, "SOA").answer[0][0].serial
        again = com.join()
        require(again.returncode == 0 and "certificates issued" not in again.stdout, again.stdout + again.stderr)
        require(root.ask(APEX, "SOA").answer[0][0].serial == serial, "the zone has changed")
    with report.case("its certificates chain to the root's, and TLS shows them"):
        chain = subprocess.run(["openssl", "s_client", "-connect", f"{com.address}:{TLS_PORT}", "-CAfile", f"{root.key['private_key']}.ca",
                                "-verify_hostname", com.zone.rstrip("."), "-verify_return_error", "-alpn", "dot"],
                               input="", capture_output=True, text=True, check=False)
        require("Verify return code: 0 (ok)" in chain.stdout, chain.stdout[-600:] + chain.stderr[-600:])
    with report.case("a resolver goes through the parent into the child and validates"):
        with resolver_of(root) as resolver:
            reply = dns.query.udp(dns.message.make_query(f"_registry._agents.{com.zone}", "TXT", want_dnssec=True), resolver.address,
                                  port=resolver.port, timeout=10)
            require(reply.rcode() == dns.rcode.NOERROR and reply.flags & dns.flags.AD, reply.to_text())


def other_ways(report, com, acme, beta, world):
    with report.case("a TXT record in the real domain lets in"):
        asked = acme.join()
        require(asked.returncode == 1 and "v=steward-challenge1" in asked.stdout and "_steward-challenge.acme.com." in asked.stdout, asked.stdout + asked.stderr)
        waiting = com.children()["acme.com"]
        require(waiting["state"] == "pending", waiting)
        require(acme.join().returncode == 1, "let in without the record")
        text = asked.stdout.split('TXT "')[1].split('"')[0]
        world.publish(f'_steward-challenge.acme.com. 60 TXT "{text}"')
        done = acme.join("--wait")
        require(done.returncode == 0 and com.children()["acme.com"]["way"] == "proof", done.stdout + done.stderr)
        require(delegated(com, acme), "not delegated")
    with report.case("an operator lets in, or turns away"):
        require(beta.join().returncode == 1, "let in by nobody")
        com.run("pending", "reject", "betamaxx.com")
        require("betamaxx.com" not in com.children(), com.children())
        require(beta.join().returncode == 1, "let in by nobody")
        com.run("pending", "approve", "betamaxx.com")
        done = beta.join("--wait")
        require(done.returncode == 0 and com.children()["betamaxx.com"]["way"] == "approval", done.stdout + done.stderr)
    with report.case("certificates three levels down chain to the root's"):
        certificates = pathlib.Path(f"{acme.key['private_key']}.crt").read_text()
        require(certificates.count("BEGIN CERTIFICATE") == 2, certificates)


def refuses(report, com):
    """Requests made by hand: each lacks one thing."""
    door = registrant.Door(com, TLS_PORT, APEX)
    stranger = registrant.Registrant("gamma", com.zone, APEX)

    def refused(sentence, rule, attempt, rcode=None):
        with report.case(f"refused: {sentence}"):
            before = com.refusals().get(rule, 0)
            code, text = attempt()
            require(text.startswith(f"{rule}:") and (rcode is None or code == rcode), f"{code} {text}")
            require(com.refusals().get(rule, 0) == before + 1, com.refusals())
            require(f"rule={rule}" in com.log_text(), com.log_tail())

    refused("SIG(0) without TLS", "tls", lambda: door.tcp(stranger.request()), "REFUSED")
    refused("SIG(0) over TLS without a certificate", "tls", lambda: door.tls(stranger.request()), "REFUSED")
    refused("TLS without SIG(0)", "request", lambda: door.tls(stranger.unsigned(), stranger), "REFUSED")
    refused("a certificate for another zone", "tls", lambda: door.tls(stranger.request(), registrant.Registrant("delta", com.zone, APEX)))
    refused("a certificate of another key", "signer", lambda: door.tls(stranger.request(), registrant.Registrant("gamma", com.zone, APEX)))
    refused("another signer", "request", lambda: door.tls(stranger.request(signer=f"delta._registries._agents.{com.zone}"), stranger), "NOTAUTH")
    refused("a signature that is spoilt", "request", lambda: door.tls(stranger.request(spoil=True), stranger), "NOTAUTH")
    refused("stale", "request", lambda: door.tls(stranger.request(begin=-900, end=-700), stranger), "NOTAUTH")
    refused("too long a window", "request", lambda: door.tls(stranger.request(begin=-60, end=600), stranger), "NOTAUTH")
    refused("no nonce", "request", lambda: door.tls(stranger.request(nonce=None), stranger), "NOTAUTH")
    refused("another namespace than the zone's", "foreign", lambda: door.tls(stranger.request(space="gamma.org"), stranger))
    refused("a weak key", "key", lambda: door.tls(*registrant.weak("gamma", com.zone, APEX)))
    refused("a name that another key has", "taken", lambda: door.send(registrant.Registrant("acme", com.zone, APEX)))
    refused("a look-alike", "look-alike", lambda: door.send(registrant.Registrant("betamax", com.zone, APEX)))
    refused("an unknown invitation", "invitation", lambda: door.tls(stranger.request(token="0123"), stranger))
    with report.case("refused: TLS 1.2"):
        try:
            door.tls(stranger.request(), stranger, version=ssl.TLSVersion.TLSv1_2)
            require(False, "it was taken")
        except (ssl.SSLError, ConnectionError):
            pass
    taken = stranger.request()
    with report.case("a sound request waits; the very same again is refused, also after a restart"):
        code, text = door.tls(taken, stranger)
        require(code == "REFUSED" and text.startswith("pending:"), f"{code} {text}")
        code, text = door.tls(taken, stranger)
        require(code == "NOTAUTH" and text.startswith("replay:"), f"{code} {text}")
        com.kill()
        com.start()
        code, text = door.tls(taken, stranger)
        require(code == "NOTAUTH" and text.startswith("replay:"), f"{code} {text}")
    with report.case("refused: more children than the parent takes"):
        com.options["registry"]["registration"]["max-children"] = 1
        com.write_config()
        com.run("reload")
        code, text = door.send(registrant.Registrant("epsilon", com.zone, APEX))
        require(text.startswith("quota:"), f"{code} {text}")
        del com.options["registry"]["registration"]["max-children"]
        com.write_config()
        com.run("reload")


def survives(report, com, omega, secondary):
    with report.case("kill -9 between reservation and delegation: the parent goes on where it was"):
        invited = json.loads(com.run("invite", "--namespace", "omega.com", "--json").stdout)
        done = omega.join("--token", invited["token"])
        require(done.returncode == 0 and "reserved" in done.stdout, done.stdout + done.stderr)
        eventually("a look at the servers", lambda: com.children()["omega.com"]["problem"])
        require(not delegated(com, omega), "delegated although a server is silent")
        com.kill()
        com.start()
        require(com.children()["omega.com"]["state"] == "reserved", com.children())
        secondary.start()
        eventually(lambda: str(com.children()["omega.com"]), lambda: com.children()["omega.com"]["state"] == "delegated", 90)
        require(delegated(com, omega), "no DS")


def leaves(report, com, beta):
    with report.case("a child whose name is taken from it is gone: delegation, KEY and CERT; with the same key it has to come in again"):
        com.run("pending", "remove", "betamaxx.com")
        require(not delegated(com, beta) and "betamaxx.com" not in com.children(), com.children())
        for rdtype in ("KEY", "CERT"):
            require(not com.ask(f"betamaxx._registries._agents.{com.zone}", rdtype).answer, rdtype)
        require(beta.join().returncode == 1, "let in by nobody")


def run(report, folder, started):
    resolver = {"resolvers": [f"{ADDRESS['.']}@53"]}

    def up(node):
        started.append(node)
        return node.start()

    world = up(World(folder))
    root = up(Node(folder, ".", 1, registration=dict(resolver)))
    com = up(Node(folder, "com", 2, "rsa4096", dict(resolver)).below(root, root))
    joins(report, root, com, lambda node: peers.Unbound({APEX: node.address}, node.ds(), addresses=["127.0.0.1"]))
    acme = up(Node(folder, "acme.com", 3).below(com, root))
    beta = up(Node(folder, "betamaxx.com", 4).below(com, root))
    other_ways(report, com, acme, beta, world)
    refuses(report, com)
    second = NET + "7"
    omega = Node(folder, "omega.com", 6, servers_of=[("ns", NET + "6"), ("ns2", second)]).below(com, root)
    omega.zones[0].options["allow-transfer"] = ["127.0.0.0/8"]
    up(omega)
    secondary = peers.Ours([servers.Zone(omega.zone, omega.file, True, {"primaries": [f"{omega.address}@53"]})], addresses=[second])
    secondary.port = 53
    started.append(secondary)
    survives(report, com, omega, secondary)
    leaves(report, com, beta)


def main():
    return namespaces.report_at_port_53("register_day", ADDRESS[APEX], "steward-register-", "registries join", run)


if __name__ == "__main__":
    sys.exit(main())
