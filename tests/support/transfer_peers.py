"""Servers that transfer zones among each other (links.py): ours, knotd, nsd and named on either side, pdns and Unbound as secondaries.

Each has a loopback address of its own, from which it asks, so that logs tell who asked. All are set to be as quick
as they can: no delay of a NOTIFY, no wait before a reload.
"""

import pathlib
import subprocess

import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rdatatype

import peers
from links import READER
from servers import Server, ServerError, find_program, free_port

# What a server asks from, and listens at, but named: it listens only at addresses that an interface has.
OWN_ADDRESS = {"ours": "127.0.0.1", "knot": "127.0.0.2", "nsd": "127.0.0.3", "bind": "127.0.0.4", "pdns": "127.0.0.5",
               "unbound": "127.0.0.6"}


def listen_address(kind):
    return "127.0.0.1" if kind == "bind" else OWN_ADDRESS[kind]


class Linked:
    """What they have in common: one address, a port that is known before the start, keys and TLS."""

    def __init__(self, zones=(), tls=None, **arguments):
        super().__init__(zones, addresses=[listen_address(self.kind)], **arguments)
        self.tls = tls
        self.port = free_port(self.addresses)

    def keys(self):
        return sorted({key for zone in self.zones for key in zone.keys()}, key=lambda key: key.name)

    def wait_ready(self, seconds=0):
        """Who waits for a secondary waits for its zones one by one."""
        super().wait_ready(*([seconds] if seconds else []))

    def answers(self, zone):
        return bool(zone.primaries) or super().answers(zone)

    def file_of(self, zone):
        """The zone's file; of a zone that is transferred, one in the folder that the server may write."""
        return self.folder / (zone.name + "zone") if zone.primaries else zone.file


class LinkedOurs(Linked, peers.Ours):
    """steward-registry."""

    def wait_ready(self, seconds=30):
        super().wait_ready(seconds)

    @staticmethod
    def remote(remote, tls):
        entry = {"address": f"{remote.address}@{remote.port}"}
        if remote.key:
            entry["key"] = remote.key.name
        if remote.tls:
            entry["tls"] = {"name": remote.tls, "ca": tls.ca, "certificate": tls.certificate, "key": tls.key}
        return entry

    def write_config(self):
        self.options["keys"] = [{"name": key.name, "algorithm": key.algorithm, "secret": key.secret} for key in self.keys()]
        if self.tls:
            self.options["tls"] = {"listen": [f"{self.addresses[0]}@{self.tls.port}"], "certificate": self.tls.certificate,
                                   "key": self.tls.key,
                                   "client-ca": self.tls.ca}
        for zone in self.zones:
            rows = [READER]
            rows.append({"key": zone.key.name} if zone.key else {"tls": zone.tls_client} if zone.tls_client
                        else {"transport": "tls"} if zone.tls_only else "127.0.0.0/8")
            options = {"allow-transfer": rows, "notify": [self.remote(remote, self.tls) for remote in zone.notify]}
            if zone.update_key:
                options["allow-update"] = [{"key": zone.update_key.name}]
                if zone.sig0:
                    options["allow-update"].append({"sig0": "*"})
            if zone.primaries:
                options["primaries"] = [self.remote(remote, self.tls) for remote in zone.primaries]
            zone.options = {**options, **zone.options}
        super().write_config()


class LinkedKnot(Linked, peers.Knot):
    """knotd. Version 3.2 has no TLS on either side."""

    def write_config(self):
        zones, remotes = [], []
        acls = ["  - id: reader", f"    address: {READER}", "    action: transfer"]
        for number, zone in enumerate(self.zones):
            acls += [f"  - id: transfer{number}", "    address: 127.0.0.0/8", "    action: transfer",
                     *([f'    key: "{zone.key.name}"'] if zone.key else [])]
            acls += [f"  - id: notify{number}", "    address: 127.0.0.0/8", "    action: notify",
                     *([f'    key: "{zone.primaries[0].key.name}"'] if zone.primaries and zone.primaries[0].key else [])]
            acls += [f"  - id: update{number}", f'    key: "{zone.update_key.name}"', "    action: update"] if zone.update_key else []
            names = [f"reader, transfer{number}, notify{number}" + (f", update{number}" if zone.update_key else "")]
            zones += [f'  - domain: "{zone.name}"', f'    file: "{self.file_of(zone)}"', f"    acl: [{names[0]}]"]
            for word, neighbours in (("master", zone.primaries), ("notify", zone.notify)):
                for remote in neighbours:
                    remotes.append(remote)
                    zones.append(f"    {word}: r{len(remotes)}")
            if zone.dnssec:
                zones += ["    dnssec-signing: on", f'    dnssec-policy: "{zone.name}"', "    zonefile-load: difference-no-serial",
                          "    journal-content: all"]
            else:
                zones += [f"    zonefile-load: {'none' if zone.primaries else 'difference'}",
                          f"    journal-content: {'all' if zone.primaries else 'changes'}"]
        head = ["server:", f'    rundir: "{self.folder}"', f"    listen: {self.addresses[0]}@{self.port}", "    udp-workers: 1",
                "    tcp-workers: 1", "    background-workers: 2", "log:", "  - target: stderr", "    any: info",
                "database:", f'    storage: "{self.folder}"']
        keys = [line for key in self.keys()
                for line in (f'  - id: "{key.name}"', f"    algorithm: {key.algorithm}", f'    secret: "{key.secret}"')]
        links = [line for number, remote in enumerate(remotes, 1)
                 for line in (f"  - id: r{number}", f"    address: {remote.address}@{remote.port}", f"    via: {self.addresses[0]}",
                              *([f'    key: "{remote.key.name}"'] if remote.key else []))]
        policies = [line for zone in self.zones if zone.dnssec for line in self.policy(zone)]
        template = ["  - id: default", f'    storage: "{self.folder}"', "    zonefile-sync: -1"]
        sections = {"key": keys, "remote": links, "acl": acls, "policy": policies, "template": template, "zone": zones}
        text = head + [line for name, lines in sections.items() if lines for line in (f"{name}:", *lines)]
        (self.folder / "knot.conf").write_text("\n".join(text) + "\n")


class LinkedNsd(Linked, peers.Nsd):
    """nsd, which stores what it sends as IXFR."""

    def write_config(self):
        folder, own = self.folder, self.addresses[0]
        lines = ["server:", f"    ip-address: {own}@{self.port}", '    username: ""', '    chroot: ""', f'    zonesdir: "{folder}"',
                 f'    pidfile: "{folder}/nsd.pid"', f'    xfrdfile: "{folder}/xfrd.state"', f'    xfrdir: "{folder}"',
                 f'    zonelistfile: "{folder}/zone.list"', '    database: ""', "    server-count: 1", "    rrl-ratelimit: 0",
                 "    xfrd-reload-timeout: 0", "    zonefiles-write: 3600", "    verbosity: 2"]
        if self.tls:
            lines += [f"    ip-address: {own}@{self.tls.port}", f"    tls-port: {self.tls.port}", f'    tls-cert-bundle: "{self.tls.ca}"',
                      f'    tls-service-pem: "{self.tls.certificate}"', f'    tls-service-key: "{self.tls.key}"']
        lines += ["remote-control:", "    control-enable: no"]
        for key in self.keys():
            lines += ["key:", f'    name: "{key.name}"', f"    algorithm: {key.algorithm}", f'    secret: "{key.secret}"']
        for name in sorted({remote.tls for zone in self.zones for remote in zone.primaries if remote.tls}):
            lines += ["tls-auth:", f'    name: "{name}"', f'    auth-domain-name: "{name}"']
        for zone in self.zones:
            lines += ["zone:", f'    name: "{zone.name}"', f'    zonefile: "{self.file_of(zone)}"', f"    outgoing-interface: {own}",
                      f"    provide-xfr: {READER} NOKEY",
                      f"    provide-xfr: 127.0.0.0/8 {zone.key.name if zone.key else 'NOKEY'}"]
            if not zone.primaries:
                lines += ["    store-ixfr: yes", "    create-ixfr: yes"]
            for remote in zone.primaries:
                key = remote.key.name if remote.key else "NOKEY"
                lines += [f"    request-xfr: {remote.address}@{remote.port} {key} {remote.tls}",
                          f"    allow-notify: 127.0.0.0/8 {key}"]
            for remote in zone.notify:
                lines.append(f"    notify: {remote.address}@{remote.port} {remote.key.name if remote.key else 'NOKEY'}")
        (folder / "nsd.conf").write_text("\n".join(lines) + "\n")


class LinkedBind(Linked, peers.Bind):
    """named."""

    def write_config(self):
        folder, own = self.folder, self.addresses[0]
        lines = []
        for key in self.keys():
            lines.append(f'key "{key.name}" {{ algorithm {key.algorithm}; secret "{key.secret}"; }};')
        names = sorted({remote.tls for zone in self.zones for remote in zone.primaries if remote.tls})
        for name in names:
            lines.append(f'tls "to-{name}" {{ ca-file "{self.tls.ca}"; remote-hostname "{name}";'
                         f' cert-file "{self.tls.certificate}"; key-file "{self.tls.key}"; }};')
        if self.tls:
            lines.append(f'tls own {{ cert-file "{self.tls.certificate}"; key-file "{self.tls.key}"; }};')
        lines += ['dnssec-policy "hashed" { keys { csk lifetime unlimited algorithm ecdsap256sha256; };'
                  " nsec3param iterations 0 optout no salt-length 0; };",
                  "options {", f'directory "{folder}"; pid-file "{folder}/named.pid"; session-keyfile "{folder}/session.key";',
                  f"listen-on port {self.port} {{ {own}; }}; listen-on-v6 {{ none; }};",
                  *([f"listen-on port {self.tls.port} tls own {{ {own}; }};"] if self.tls else []),
                  f"transfer-source {OWN_ADDRESS[self.kind]};",
                  "lock-file none; recursion no; allow-query { any; }; notify explicit; dnssec-validation no; empty-zones-enable no;",
                  "check-names primary ignore; check-integrity no; zone-statistics none; notify-delay 0; notify-rate 1000;"
                  " startup-notify-rate 1000; serial-query-rate 1000; transfers-in 100; transfers-per-ns 100; transfers-out 100;",
                  "};", "controls { };"]
        for zone in self.zones:
            lines.append(f'zone "{zone.name}" {{ {" ".join(self.zone_statements(zone))} }};')
        (folder / "named.conf").write_text("\n".join(lines) + "\n")

    def zone_statements(self, zone):
        allowed = f'key "{zone.key.name}";' if zone.key else "127.0.0.0/8;"
        statements = [f'type {"secondary" if zone.primaries else "primary"}; file "{self.file_of(zone)}";',
                      f"allow-transfer {{ {READER}; {allowed} }};"]
        for word, remotes in (("primaries", zone.primaries), ("also-notify", zone.notify)):
            entries = [f"{remote.address} port {remote.port}" + (f' key "{remote.key.name}"' if remote.key else "")
                       + (f' tls "to-{remote.tls}"' if remote.tls else "") + ";" for remote in remotes]
            if entries:
                statements.append(f"{word} {{ {' '.join(entries)} }};")
        if zone.dnssec:
            policy = "hashed" if isinstance(zone.dnssec, dict) else "default"
            statements.append(f'dnssec-policy "{policy}"; inline-signing yes;')
        elif not zone.primaries and not zone.update_key:
            statements.append("ixfr-from-differences yes;")
        if zone.update_key:
            statements.append(f'allow-update {{ key "{zone.update_key.name}"; }};')
        return statements


class Pdns(Linked, Server):
    """pdns_server as a secondary, with an SQLite file. Version 4.7 has no TLS."""

    kind = "pdns"
    program = "pdns_server"
    schema = pathlib.Path("/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql")

    def write_config(self):
        folder, own = self.folder, self.addresses[0]
        database = folder / "pdns.sqlite3"
        if not self.schema.exists():
            raise ServerError("pdns-backend-sqlite3 is not installed (see tools/install_packages)")
        text = f"""launch=gsqlite3
gsqlite3-database={database}
gsqlite3-pragma-synchronous=0
gsqlite3-dnssec=yes
local-address={own}
local-port={self.port}
query-local-address={own}
socket-dir={folder}
secondary=yes
xfr-cycle-interval=1
allow-notify-from=127.0.0.0/8
allow-axfr-ips={READER}
daemon=no
guardian=no
loglevel=6
cache-ttl=0
query-cache-ttl=0
negquery-cache-ttl=0
zone-cache-refresh-interval=0
xfr-max-received-mbytes=0
"""
        (folder / "pdns.conf").write_text(text)
        if database.exists():
            return
        with open(self.schema, "rb") as schema:
            subprocess.run(["sqlite3", str(database)], stdin=schema, check=True, capture_output=True)
        statements = []
        for key in self.keys():
            statements.append(f"INSERT INTO tsigkeys(name,algorithm,secret) VALUES('{key.name}','{key.algorithm}','{key.secret}');")
        for zone in self.zones:
            name, remote = zone.name.rstrip("."), zone.primaries[0]
            statements.append(f"INSERT INTO domains(name,master,type) VALUES('{name}','{remote.address}:{remote.port}','SLAVE');")
            rows = [("IXFR", "1")] + ([("AXFR-MASTER-TSIG", remote.key.name)] if remote.key else [])
            statements += [f"INSERT INTO domainmetadata(domain_id,kind,content) SELECT id,'{kind}','{content}' FROM domains"
                           f" WHERE name='{name}';" for kind, content in rows]
        subprocess.run(["sqlite3", str(database)], input="\n".join(statements), text=True, check=True, capture_output=True)

    def command(self):
        return [find_program("pdns_server"), f"--config-dir={self.folder}"]


class UnboundSecondary(Linked, Server):
    """unbound with authority zones. It has no TSIG, gives no transfer out, and writes what it has into files."""

    kind = "unbound"
    program = "unbound"

    def write_config(self):
        folder, own = self.folder, self.addresses[0]
        lines = ["server:", f"    interface: {own}@{self.port}", f"    outgoing-interface: {own}", '    username: ""', '    chroot: ""',
                 f'    directory: "{folder}"', '    pidfile: ""', "    use-syslog: no", '    logfile: ""', "    verbosity: 4",
                 "    do-daemonize: no", "    num-threads: 1", "    do-not-query-localhost: no",
                 "    access-control: 127.0.0.0/8 allow", '    module-config: "iterator"', '    local-zone: "test." nodefault',
                 *([f'    tls-cert-bundle: "{self.tls.ca}"'] if self.tls else []), "remote-control:", "    control-enable: no"]
        for zone in self.zones:
            lines += ["auth-zone:", f'    name: "{zone.name}"', f'    zonefile: "{self.file_of(zone)}"', "    fallback-enabled: no",
                      "    for-downstream: yes", "    for-upstream: no", "    allow-notify: 127.0.0.0/8"]
            lines += [f"    primary: {remote.address}@{remote.port}" + (f"#{remote.tls}" if remote.tls else "")
                      for remote in zone.primaries]
        (folder / "unbound.conf").write_text("\n".join(lines) + "\n")

    def command(self):
        return [find_program("unbound"), "-d", "-c", str(self.folder / "unbound.conf")]


KINDS = {"ours": LinkedOurs, "knot": LinkedKnot, "nsd": LinkedNsd, "bind": LinkedBind, "pdns": Pdns, "unbound": UnboundSecondary}


def serial_at(server, zone_name, timeout=2.0):
    """The serial that the server answers with authority, or None."""
    query = dns.message.make_query(zone_name, "SOA")
    try:
        reply = dns.query.udp(query, server.address, port=server.port, timeout=timeout)
    except (OSError, dns.exception.DNSException):
        return None
    rows = [rrset for rrset in reply.answer if rrset.rdtype == dns.rdatatype.SOA]
    return rows[0][0].serial if rows and reply.flags & dns.flags.AA else None
