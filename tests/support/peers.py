"""The servers that `servers.start` knows: the configuration and command line of each."""

import os
import pathlib
import subprocess

import dns.exception
import dns.message
import dns.query
import yaml

from servers import IDENTITY, ROOT, Server, ServerError, Zone, find_program


def our_program():
    """Our server's path: $STEWARD_REGISTRY, or the release build's."""
    return os.environ.get("STEWARD_REGISTRY", str(ROOT / "build" / "steward-registry"))


class PlainDumper(yaml.SafeDumper):
    """Without anchors, which our configuration does not know."""

    def ignore_aliases(self, data):
        return True


class Ours(Server):
    """steward-registry, configured as registry.yaml(5) says."""

    kind = "ours"

    @property
    def program(self):
        return our_program()

    @property
    def config_path(self):
        return self.folder / "registry.yaml"

    def write_config(self):
        listen = [f"{address}@{self.port}" for address in self.addresses]
        zones = [self.zone_entry(zone) for zone in self.zones]
        config = {"data": "data", "listen": listen, "control": "data/control.sock", "workers": 1, "map-size": "1G",
                  "server": {"identity": IDENTITY, "nsid": IDENTITY}, "tcp": {"idle-timeout": "5s"}, **self.options,
                  "zones": zones}
        if self.update_key:
            name, secret = self.update_key
            config["keys"] = [{"name": name, "algorithm": "hmac-sha256", "secret": secret}]
            for zone in zones:
                zone.setdefault("allow-update", [{"key": name}, *({"sig0": owner} for owner in self.update_signers)])
                zone.setdefault("allow-transfer", ["127.0.0.0/8", "::1"])
        self.config_path.touch(0o600)  # it may hold secrets
        self.config_path.write_text(yaml.dump(config, Dumper=PlainDumper, sort_keys=False))

    @staticmethod
    def source(zone):
        """Where a zone comes from: a file, unless it has primaries."""
        return {} if "primaries" in zone.options else {"file": str(zone.file), "dnssec": zone.dnssec}

    def zone_entry(self, zone):
        return {"name": zone.name.rstrip(".") or ".", **self.source(zone), **zone.options}

    def command(self):
        return [self.program, "serve", "--config", str(self.config_path)]

    def run(self, *words, check=True, timeout=60):
        """An operator command against this server, as `run("zone", "reload", "example.com")`: the finished process."""
        done = subprocess.run([self.program, *words, "--config", str(self.config_path)], capture_output=True, text=True,
                              timeout=timeout, check=False)
        if check and done.returncode != 0:
            raise ServerError(f"{' '.join(words)} ended with {done.returncode}: {done.stderr}{done.stdout}")
        return done


class Knot(Server):
    """knotd, with DNS cookies switched on (off by default)."""

    kind = "knot"
    program = "knotd"

    def write_config(self):
        listen = ", ".join(f"{address}@{self.port}" for address in self.addresses)
        lines = ["server:", f'    rundir: "{self.folder}"', f"    listen: [{listen}]", f'    identity: "{IDENTITY}"',
                 '    version: "knot"', f'    nsid: "{IDENTITY}"', "    udp-workers: 1", "    tcp-workers: 1",
                 "    background-workers: 1", "    tcp-idle-timeout: 5",
                 "log:", "  - target: stderr", "    any: info",
                 "database:", f'    storage: "{self.folder}"',
                 "mod-cookies:", "  - id: default",
                 *self.key_lines(),
                 "acl:", "  - id: loopback", "    address: [127.0.0.0/8, ::1]", "    action: transfer",
                 *(["  - id: updates", f'    key: "{self.update_key[0]}"', "    action: [transfer, update]"] if self.update_key else []),
                 "policy:", *(line for zone in self.zones if zone.dnssec for line in self.policy(zone)),
                 "template:", "  - id: default", f'    storage: "{self.folder}"', "    zonefile-sync: -1",
                 "    global-module: mod-cookies/default", f"    acl: [loopback{', updates' if self.update_key else ''}]",
                 "zone:"]
        for zone in self.zones:
            lines += [f'  - domain: "{zone.name}"', f'    file: "{zone.file}"']
            if zone.dnssec:
                lines += ["    dnssec-signing: on", f'    dnssec-policy: "{zone.name}"']
        (self.folder / "knot.conf").write_text("\n".join(lines) + "\n")

    def key_lines(self):
        if not self.update_key:
            return []
        name, secret = self.update_key
        return ["key:", f'  - id: "{name}"', "    algorithm: hmac-sha256", f'    secret: "{secret}"']

    @staticmethod
    def policy(zone):
        """Our zone policy as one of Knot DNS."""
        ours = zone.dnssec if isinstance(zone.dnssec, dict) else {}
        nsec3 = ours.get("nsec3", False)
        opt_out = isinstance(nsec3, dict) and nsec3.get("opt-out", False)
        return [f'  - id: "{zone.name}"', f"    algorithm: {ours.get('algorithm', 'ecdsap256sha256')}",
                f"    single-type-signing: {'on' if ours.get('csk') else 'off'}",
                f"    nsec3: {'on' if nsec3 else 'off'}",
                f"    nsec3-opt-out: {'on' if opt_out else 'off'}", "    nsec3-iterations: 0",
                "    nsec3-salt-length: 0"]

    def command(self):
        return [find_program("knotd"), "-c", str(self.folder / "knot.conf")]


class Nsd(Server):
    """nsd, with cookies on and response rate limiting off."""

    kind = "nsd"
    program = "nsd"

    def write_config(self):
        folder = self.folder
        lines = ["server:", *(f"    ip-address: {address}@{self.port}" for address in self.addresses),
                 '    username: ""', '    chroot: ""', f'    zonesdir: "{folder}"', f'    pidfile: "{folder}/nsd.pid"',
                 f'    xfrdfile: "{folder}/xfrd.state"', f'    xfrdir: "{folder}"',
                 f'    zonelistfile: "{folder}/zone.list"', '    database: ""', "    server-count: 1",
                 f'    identity: "{IDENTITY}"', '    version: "nsd"', f'    nsid: "ascii_{IDENTITY}"',
                 "    answer-cookie: yes", "    rrl-ratelimit: 0", "    rrl-whitelist-ratelimit: 0",
                 "    tcp-timeout: 5", "    zonefiles-write: 0", "remote-control:", "    control-enable: no"]
        for zone in self.zones:
            if zone.dnssec:
                raise ServerError("NSD does not sign: sign the file first (signing.presign)")
            lines += ["zone:", f'    name: "{zone.name}"', f'    zonefile: "{zone.file}"',
                      "    provide-xfr: 127.0.0.0/8 NOKEY"]
        (folder / "nsd.conf").write_text("\n".join(lines) + "\n")

    def command(self):
        return [find_program("nsd"), "-d", "-c", str(self.folder / "nsd.conf")]


class Bind(Server):
    """named as an authoritative server, without recursion."""

    kind = "bind"
    program = "named"

    def write_config(self):
        # named binds every interface's address by itself, so 0.0.0.0 is spelt `any`
        four = "".join(f"{address}; " for address in self.addresses if ":" not in address).replace("0.0.0.0", "any")
        six = "".join(f"{address}; " for address in self.addresses if ":" in address)
        listen = [f"listen-on port {self.port} {{ {four or 'none; '}}};",
                  f"listen-on-v6 port {self.port} {{ {six or 'none; '}}};"]
        lines = ["options {", f'directory "{self.folder}";', *listen, f'pid-file "{self.folder}/named.pid";',
                 "lock-file none;", f'session-keyfile "{self.folder}/session.key";', "recursion no;",
                 "allow-query { any; };", "allow-transfer { localhost; };", "notify no;", "dnssec-validation no;",
                 "empty-zones-enable no;", "check-names primary ignore;", "check-integrity no;",
                 "max-records-per-type 0;", "zone-statistics none;",
                 f'server-id "{IDENTITY}";', 'version "bind";', "tcp-idle-timeout 50;", "tcp-initial-timeout 50;",
                 f'managed-keys-directory "{self.folder}";', "};", "controls { };"]
        for zone in self.zones:
            path = zone.file
            if zone.dnssec or self.update_key:  # named rewrites nothing, but keeps its journal and signed copy beside the file
                path = pathlib.Path(self.folder) / (zone.name + "zone")
                path.write_bytes(zone.file.read_bytes())
            policy = " dnssec-policy default; inline-signing yes;" if zone.dnssec else ""
            update = f' allow-update {{ key "{self.update_key[0]}"; }};' if self.update_key else ""
            lines.append(f'zone "{zone.name}" {{ type primary; file "{path}";{policy}{update} }};')
        if self.update_key:
            name, secret = self.update_key
            lines.insert(0, f'key "{name}" {{ algorithm hmac-sha256; secret "{secret}"; }};')
        (self.folder / "named.conf").write_text("\n".join(lines) + "\n")

    def command(self):
        return [find_program("named"), "-g", "-n", "1", "-c", str(self.folder / "named.conf")]


class Unbound(Server):
    """unbound as a validating resolver of the zones of another server.

    `stubs` maps a zone name to "address@port", `anchors` are DS or DNSKEY lines. It never asks anybody else.
    """

    kind = "unbound"
    program = "unbound"

    def __init__(self, stubs, anchors, **arguments):
        super().__init__([], **arguments)
        self.stubs = stubs
        self.anchors = list(anchors)

    def write_config(self):
        folder = self.folder
        (folder / "anchors").write_text("\n".join(self.anchors) + "\n")
        # A root hint that nobody listens at: nothing ever leaves the machine.
        (folder / "hints").write_text(". 3600 NS a.invalid.\na.invalid. 3600 A 127.0.0.1\n")
        lines = ["server:", *(f"    interface: {address}@{self.port}" for address in self.addresses),
                 '    username: ""', '    chroot: ""', f'    directory: "{folder}"', '    pidfile: ""',
                 "    use-syslog: no",
                 '    logfile: ""', "    log-time-ascii: no", "    verbosity: 1", "    val-log-level: 2",
                 "    do-daemonize: no",
                 "    num-threads: 1", "    do-not-query-localhost: no", "    qname-minimisation: no",
                 f'    root-hints: "{folder}/hints"', f'    trust-anchor-file: "{folder}/anchors"',
                 "    access-control: 127.0.0.0/8 allow", '    module-config: "validator iterator"', "    ede: yes",
                 '    local-zone: "test." nodefault', "    aggressive-nsec: no", "    cache-max-ttl: 0",
                 "remote-control:", "    control-enable: no"]
        for name, where in self.stubs.items():
            lines += ["stub-zone:", f'    name: "{name}"', f"    stub-addr: {where}", "    stub-no-cache: yes"]
        (folder / "unbound.conf").write_text("\n".join(lines) + "\n")

    def wait_ready(self, seconds=15):
        self.zones = [Zone(next(iter(self.stubs)), os.devnull)]
        super().wait_ready(seconds)

    def answers(self, zone):
        query = dns.message.make_query("version.server.", "TXT", "CH")
        try:
            dns.query.udp(query, self.address, port=self.port, timeout=0.5)
        except (OSError, dns.exception.DNSException):
            return False
        return True

    def command(self):
        return [find_program("unbound"), "-d", "-c", str(self.folder / "unbound.conf")]


KINDS = {"ours": Ours, "knot": Knot, "nsd": Nsd, "bind": Bind}
