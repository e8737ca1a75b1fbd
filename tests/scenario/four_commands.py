#!/usr/bin/python3
"""An organisation's registry joins a federation by four commands, as README.md's first page has them, with nothing written by hand:
serve, keygen, register, publish. Then what they promise: the namespace is reserved, certificates are good for a year, the federation is active, the
agent is at the parent and at the root, and is discovered by dig and by `steward discover`.

    four_commands.py

The root and com come up the same way. All stand at port 53 of addresses of their own: as root, or in a user and network namespace.
"""

import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "support")]

import namespaces
import peers
from publisher import Publisher, steward_manifest
from registry import eventually
from report import Report, require

APEX = "steward-registry.org"
NET = "127.53.62."
READY = 60


class Site:
    """One organisation's working folder, where its commands are typed."""

    def __init__(self, folder, space, number, parent=None, port=53):
        self.space, self.parent, self.port = space, parent, port
        self.zone = APEX if space == "." else f"{space}.{APEX}"
        self.address = f"{NET}{number}"
        self.folder = pathlib.Path(folder) / (space if space != "." else "root")
        self.folder.mkdir()
        self.log = self.folder / "log"
        self.process = None

    def serve(self, *words):
        parent = ["--parent", self.parent.zone] if self.parent else []
        command = [peers.our_program(), "serve", "--namespace", self.space, *parent, "--listen", f"{self.address}@{self.port}", *words]
        self.process = subprocess.Popen(command, cwd=self.folder, stderr=self.log.open("wb"), stdout=subprocess.DEVNULL)
        eventually(lambda: f"{self.zone} is ready: {self.log.read_text()}", lambda: " ready " in self.log.read_text(), READY)

    def run(self, *words, check=True):
        done = subprocess.run([peers.our_program(), *words], cwd=self.folder, capture_output=True, text=True, timeout=120, check=False)
        require(not check or done.returncode == 0, f"{' '.join(words)} ended with {done.returncode}: {done.stdout}{done.stderr}\n{self.log.read_text()[-3000:]}")
        return done.stdout

    def register(self, token):
        return self.run("register", "--parent", self.parent.zone, "--namespace", self.space, "--pubkey", "steward-registry.d/keys/registry_id.pub",
                        "--token", token, "--wait")

    def invite(self, space):
        words = self.run("invite", "--namespace", space)
        return next(word for word in words.split() if len(word) == 40)

    def dig(self, *words):
        return subprocess.run(["dig", f"@{self.address}", "-p", str(self.port), "+short", *words], capture_output=True, text=True, timeout=20, check=True).stdout

    def __exit__(self, *_):
        if self.process:
            self.process.terminate()
            require(self.process.wait(20) == 0, f"{self.zone} ended with {self.process.returncode}")


def join(site, trust):
    site.serve(*trust)
    site.run("keygen", "--algorithm", "ed25519")
    eventually("its endpoint", lambda: site.dig(f"_registry._agents.{site.zone}", "SRV"))
    return site.register(site.parent.invite(site.space))


def run(report, folder, sites):
    def site(*arguments):
        sites.append(Site(folder, *arguments))
        return sites[-1]

    root = site(".", 1)
    root.serve()
    root.run("keygen", "--algorithm", "ed25519")
    eventually("the root says who it is", lambda: root.dig(f"_registry._agents.{APEX}", "CERT"))
    eventually("the root's keys", lambda: " DS " in root.run("zone", "keys", APEX))
    anchor = pathlib.Path(folder) / "root.ds"
    anchor.write_text("".join(line + "\n" for line in root.run("zone", "keys", APEX).splitlines() if " DS " in line))
    trust = ("--root", f"{root.address}@53", "--trust-anchor", str(anchor))
    com = site("com", 2, root)
    with report.case("a parent joins the root, which it knows by the trust anchor alone"):
        said = join(com, trust)
        require("federation active" in said, said)
    acme = site("acme-corp.com", 3, com)
    with report.case("serve: the registry makes its folder and answers"):
        acme.serve(*trust)
        require("acme-corp" in acme.dig(f"_registry._agents.{acme.zone}", "TXT"), acme.log.read_text()[-2000:])
    with report.case("keygen: its key stands where the configuration wants it"):
        said = acme.run("keygen")
        require("Fingerprint: sha256:" in said and (acme.folder / "steward-registry.d/keys/registry_id.pub").exists(), said)
    with report.case("register: the namespace is reserved, certificates are good for a year, the federation is active"):
        said = acme.register(com.invite(acme.space))
        require("the namespace is reserved" in said and "federation active" in said, said)
        days = int(said.split("good for ")[1].split()[0])
        require(364 <= days <= 366, said)
        require(acme.dig(acme.zone, "NS") and com.dig(acme.zone, "DS"), "not delegated")
    with report.case("its certificate is for its zone alone, from the parent, a year long"):
        shown = subprocess.run(["openssl", "x509", "-noout", "-subject", "-ext", "subjectAltName", "-checkend", str(360 * 86400), "-in",
                                str(acme.folder / "steward-registry.d/keys/registry_id.crt")], capture_output=True, text=True, check=True).stdout
        require(f"DNS:{acme.zone}" in shown and "will not expire" in shown, shown)
    home = pathlib.Path(folder) / "publisher"
    publisher = Publisher(home, f"{acme.address}@53", "acme-corp.com")
    agent = f"planner.{acme.zone}."
    with report.case("publish: the agent is pushed to the parent, and the root indexes it"):
        acme.run("publisher", "allow", publisher.done("keygen")["fingerprint"])
        publisher.done("publish", publisher.write("planner.json", steward_manifest("planner")))
        for above in (com, root):
            eventually(lambda above=above: f"{agent} at {above.zone}\n{above.log.read_text()[-2000:]}",
                       lambda above=above: agent in above.dig(f"plan._find._agents.{above.zone}", "PTR"), 20)
    with report.case("it is discovered from the root with dig, and from its own registry, each answer validated"):
        require("v=steward1" in root.dig(f"planner.acme-corp._ref._agents.com.{APEX}", "TXT") + com.dig(f"planner.acme-corp._ref._agents.com.{APEX}", "TXT"), "no _ref")
        require(agent in root.dig(f"plan._discover._agents.{APEX}", "PTR"), "not in _discover")
    with report.case("steward discover finds it from the root, validated from the trust anchor"):
        seeker = Publisher(pathlib.Path(folder) / "seeker", f"{root.address}@53", "example.net")
        found = seeker.done("discover", "plan", "--trust-anchor", str(anchor))
        require("planner" in str(found), found)
        seeker.done("verify", "planner.acme-corp.com", "--trust-anchor", str(anchor))
    quiet = site("quiet-corp.com", 4, com, 5300)
    with report.case("behind NAT it is `serve --push hosted` and the same: what is published is verified in the world, where nobody asks its registry"):
        said = join(quiet, (*trust, "--push", "hosted"))
        require("federation active" in said and not com.dig(quiet.zone, "DS"), said)
        hidden = Publisher(pathlib.Path(folder) / "hidden", f"{quiet.address}@{quiet.port}", quiet.space)
        quiet.run("publisher", "allow", hidden.done("keygen")["fingerprint"])
        hidden.done("publish", hidden.write("recluse.json", steward_manifest("recluse")))
        eventually(lambda: f"recluse at the root\n{com.log.read_text()[-2000:]}",
                   lambda: f"recluse.{quiet.zone}." in root.dig(f"plan._find._agents.{APEX}", "PTR"), 20)
        seeker.done("verify", "recluse.quiet-corp.com", "--trust-anchor", str(anchor))


def main():
    report = Report("four_commands")

    def commands():
        with namespaces.started_in_folder("steward-four-") as (folder, sites):
            run(report, folder, sites)

    return namespaces.at_port_53(report, f"{NET}1", "four commands", commands)


if __name__ == "__main__":
    sys.exit(main())
