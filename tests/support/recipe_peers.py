"""Stock servers around a recipe of steward-interop(7): what a distribution's own configuration has besides, made for a folder and
no privileges. Resolvers at 127.0.0.1, secondaries at the page's address, all at port 53."""

import os
import subprocess

import dns.exception
import dns.message
import dns.query

import servers
from recipe_tree import PROXY, SECONDARY, ZONE
from registry import outcome
from transfer_peers import Pdns


class Peer(servers.Server):
    """A server at port 53 whose configuration is a recipe in a frame."""

    where = SECONDARY
    file = ""

    def __init__(self, recipe):
        super().__init__([], addresses=[self.where])
        self.recipe = recipe
        self.port = 53

    def frame(self):
        raise NotImplementedError

    def write_config(self):
        (self.folder / self.file).write_text(self.frame())

    def wait_ready(self, seconds=servers.READY_SECONDS):
        """Until it answers at all."""
        super().wait_ready(seconds)
        self.zones = [servers.Zone("version.server", "/dev/null")]
        super().wait_ready(seconds)
        self.zones = []

    def answers(self, zone):
        try:
            dns.query.udp(dns.message.make_query(zone.name, "TXT", "CH"), self.address, port=self.port, timeout=0.3)
        except (OSError, dns.exception.DNSException):
            return False
        return True

    def serial(self):
        return outcome(self, ZONE)


class Unbound(Peer):
    kind = program = "unbound"
    where = "127.0.0.1"
    file = "unbound.conf"

    def frame(self):
        (self.folder / "recipe.conf").write_text(self.recipe)
        (self.folder / "hints").write_text(". 3600 NS a.invalid.\na.invalid. 3600 A 127.0.0.1\n")
        return (f'server:\n    interface: 127.0.0.1\n    username: ""\n    chroot: ""\n    directory: "{self.folder}"\n    pidfile: ""\n'
                f'    use-syslog: no\n    logfile: ""\n    val-log-level: 2\n    root-hints: "{self.folder}/hints"\n'
                f'remote-control:\n    control-enable: no\ninclude: "{self.folder}/recipe.conf"\n')

    def command(self):
        return [servers.find_program("unbound"), "-d", "-c", str(self.folder / self.file)]


class Named(Peer):
    kind = program = "named"
    file = "named.conf"
    statements = ""

    def frame(self):
        (self.folder / "hints").write_text(". 3600 NS a.invalid.\na.invalid. 3600 A 127.0.0.1\n")
        own = (f'directory "{self.folder}"; listen-on {{ {self.where}; }}; listen-on-v6 {{ none; }}; pid-file "{self.folder}/named.pid";'
               f' lock-file none; session-keyfile "{self.folder}/session.key"; managed-keys-directory "{self.folder}";'
               f" empty-zones-enable no; notify no; {self.statements}")
        recipe = self.recipe if "options {" in self.recipe else "options {\n};\n" + self.recipe
        return recipe.replace("options {", "options {\n" + own, 1) + "\ncontrols { };\n" + self.hints()

    def hints(self):
        return ""

    def command(self):
        return [servers.find_program("named"), "-g", "-n", "1", "-c", str(self.folder / self.file)]


class ResolvingNamed(Named):
    where = "127.0.0.1"
    statements = "recursion yes; dnssec-validation yes; qname-minimization strict; synth-from-dnssec yes;"

    def hints(self):
        return f'zone "." {{ type hint; file "{self.folder}/hints"; }};\n'


class SecondaryNamed(Named):
    statements = "recursion no; dnssec-validation no;"


class SecondaryKnot(Peer):
    kind = "knot"
    program = "knotd"
    file = "knot.conf"

    def frame(self):
        return (f'server:\n    rundir: "{self.folder}"\n    listen: {SECONDARY}\n    udp-workers: 1\n    tcp-workers: 1\nlog:\n  - target: stderr\n'
                f'    any: info\ndatabase:\n    storage: "{self.folder}"\n' + self.recipe)

    def command(self):
        return [servers.find_program("knotd"), "-c", str(self.folder / self.file)]


class SecondaryNsd(Peer):
    kind = program = "nsd"
    file = "nsd.conf"

    def frame(self):
        folder = self.folder
        return (f'server:\n    ip-address: {SECONDARY}\n    username: ""\n    chroot: ""\n    zonesdir: "{folder}"\n    pidfile: "{folder}/nsd.pid"\n'
                f'    xfrdfile: "{folder}/xfrd.state"\n    xfrdir: "{folder}"\n    zonelistfile: "{folder}/zone.list"\n    database: ""\n'
                "    server-count: 1\n    verbosity: 2\n    xfrd-reload-timeout: 0\nremote-control:\n    control-enable: no\n" + self.recipe)

    def command(self):
        return [servers.find_program("nsd"), "-d", "-c", str(self.folder / self.file)]


class SecondaryPdns(Peer):
    """pdns_server with an SQLite file, which the recipe's commands fill before it starts."""

    kind = "pdns"
    program = "pdns_server"
    file = "pdns.conf"

    def __init__(self, recipe, commands, world):
        super().__init__(recipe + "".join(commands))
        self.settings, self.commands, self.world = recipe, commands, world

    def frame(self):
        return (f"launch=gsqlite3\ngsqlite3-database={self.folder}/pdns.sqlite3\ngsqlite3-dnssec=yes\nlocal-address={SECONDARY}\n"
                f"query-local-address={SECONDARY}\nsocket-dir={self.folder}\nxfr-cycle-interval=1\ndaemon=no\nguardian=no\nloglevel=6\n"
                f"cache-ttl=0\nquery-cache-ttl=0\nnegquery-cache-ttl=0\n{self.settings}")

    def write_config(self):
        super().write_config()
        with open(Pdns.schema, "rb") as schema:
            subprocess.run(["sqlite3", str(self.folder / "pdns.sqlite3")], stdin=schema, check=True, capture_output=True)
        for command in self.commands:
            self.world.shell(command, {"pdnsutil": f'exec {servers.find_program("pdnsutil")} --config-dir={self.folder} "$@"'})

    def command(self):
        return [servers.find_program("pdns_server"), f"--config-dir={self.folder}"]


class Kresd(Peer):
    """Knot Resolver, which gets nothing from anybody but by the recipe."""

    kind = program = "kresd"
    where = "127.0.0.1"
    file = "kresd.conf"

    def frame(self):
        return ("modules = { 'policy' }\nmodules.unload('ta_update')\nmodules.unload('ta_signal_query')\nmodules.unload('priming')\n"
                "trust_anchors.remove('.')\noption('ALLOW_LOCAL', true)\ncache.size = 16 * MB\nnet.listen('127.0.0.1', 53, { kind = 'dns' })\n" + self.recipe)

    def command(self):
        return [servers.find_program("kresd"), "-n", "-c", str(self.folder / self.file), str(self.folder)]


class Resolved(Peer):
    """systemd-resolved. Its paths are fixed: over /etc and /run of a mount namespace. It wants to become a user, and to see a link."""

    kind = "systemd-resolved"
    program = os.environ.get("SYSTEMD_RESOLVED", "/lib/systemd/systemd-resolved")
    where = "127.0.0.53"
    file = "start"

    def __init__(self, recipe, anchor, folder):
        super().__init__(recipe)
        self.anchor, self.world_folder = anchor, folder

    def frame(self):
        (self.folder / "steward.conf").write_text(self.recipe)
        return f"""set -e
mkdir -p {self.folder}/over
mount -t tmpfs tmpfs {self.folder}/over
mkdir {self.folder}/over/up {self.folder}/over/work
mount -t overlay overlay -o lowerdir=/etc,upperdir={self.folder}/over/up,workdir={self.folder}/over/work /etc
mount -t tmpfs tmpfs /run
mkdir -p /run/systemd/resolve /etc/systemd/resolved.conf.d
echo systemd-resolve:x:0:0::/:/bin/false >> /etc/passwd
echo systemd-resolve:x:0: >> /etc/group
cp {self.folder}/steward.conf /etc/systemd/resolved.conf.d/
cd {self.world_folder}
{self.anchor}
exec {self.program}
"""

    def command(self):
        return ["unshare", "-m", "sh", str(self.folder / self.file)]


class Dnsdist(Peer):
    kind = program = "dnsdist"
    where = PROXY
    file = "dnsdist.conf"

    def frame(self):
        return self.recipe

    def command(self):
        return [servers.find_program("dnsdist"), "--supervised", "--disable-syslog", "-C", str(self.folder / self.file)]
