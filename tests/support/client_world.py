"""A registry for tests of clients: the sample zone below an apex zone with its DS, as our server signs them, and agents that mean harm."""

import importlib.util
import json
import pathlib
import socket
import threading

import dns.message
import dns.rdatatype

import servers
from registry import Registry

NAMESPACE = "vibe-agency.com"
APEX = "steward-registry.org."
ZONE = f"{NAMESPACE}.{APEX}"


def load_generator():
    spec = importlib.util.spec_from_file_location("make_sample_zone", servers.ROOT / "tools" / "make_sample_zone.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


generator = load_generator()


def agent(name, desc="An agent", **more):
    return {"name": name, "version": "1.0.0", "trust": "0.50", "protocols": ["a2a"], "capabilities": ["plan"], "desc": desc, **more}


def signed_lines(name, rows, **fields):
    """The lines of an agent with these fields of its statement, SRV and SVCB rows [(type, RDATA, text)]."""
    strings = ["v=steward1", "version=1.0.0", f"status={fields.pop('status')}", f"fp={generator.fingerprint(generator.TEST_KEY)}",
               f"modified={generator.MODIFIED}", f"ep={generator.endpoint_digest([(rdtype, rdata) for rdtype, rdata, _ in rows])}",
               *(f"{key}={text}" for key, text in fields.items())]
    strings.append(generator.sign_statement(f"{name}.{ZONE}", strings, generator.TEST_KEY))
    lines = generator.agent_lines(agent(name))
    key = next(line for line in lines if " KEY " in line)
    return [*generator.txt_lines(name, strings), key, *(f"{name} 300 {text}" for _, _, text in rows),
            *generator.txt_lines(f"_registry.{name}", ["v=steward-registry1", "registry=com.vibe-agency", "trust=0.00", "vc=main:1", f"status={strings[2][7:]}"])]


def gone_rows():
    """What a tombstone has: no target."""
    return [(33, bytes(7), "SRV 0 0 0 ."), (64, bytes(3), "SVCB 0 .")]


class World:
    """Writes the zones into a folder, serves them, and knows the trust anchor of each."""

    def __init__(self, folder, lines=(), agents=None, options=None):
        self.folder = pathlib.Path(folder)
        self.zone_file = self.folder / "agents.zone"
        self.zone_file.write_text(generator.zone_text(agents or generator.AGENTS) + "\n".join(lines) + "\n")
        self.apex_file = self.folder / "apex.zone"
        self.server = Registry([self.entry(ZONE, self.zone_file)], options=options)

    @staticmethod
    def entry(name, file, dnssec=True):
        return {"name": name.rstrip("."), "file": str(file), "dnssec": dnssec}

    def __enter__(self):
        self.server.__enter__()
        try:
            self.server.wait_ready()
            self.child_ds = self.ds_of(ZONE)
            self.apex_file.write_text(f"$ORIGIN {APEX}\n$TTL 300\n@ SOA ns1 hostmaster 1 3600 600 604800 60\n@ NS ns1\nns1 A 127.0.0.1\n"
                                      f"{ZONE} NS ns1.{ZONE}\nns1.{ZONE} A 127.0.0.1\n" + self.child_ds + "\n")
            self.server.entries.append(self.entry(APEX, self.apex_file))
            self.server.reload()
            self.anchor = self.ds_of(APEX)
        except BaseException:
            self.server.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, *error):
        self.server.__exit__(*error)

    def ds_of(self, zone):
        keys = json.loads(self.server.run("zone", "keys", zone, "--json").stdout)
        return "\n".join(ds for key in keys["keys"] for ds in key["ds"])


class Proxy:
    """Passes UDP queries on to a port and counts them. `change(reply)` may make another answer; `gather` holds back all
    answers about agents until that many questions have come."""

    def __init__(self, target, change=None, gather=0):
        self.target, self.change, self.gather = target, change, gather
        self.asked, self.lock = [], threading.Condition()
        self.port = servers.free_port(["127.0.0.1"])
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", self.port))

    def __enter__(self):
        threading.Thread(target=self.take, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.socket.close()

    def take(self):
        while True:
            try:
                octets, client = self.socket.recvfrom(65535)
            except OSError:
                return
            threading.Thread(target=self.answer, args=(octets, client), daemon=True).start()

    def answer(self, octets, client):
        question = dns.message.from_wire(octets).question[0]
        is_key = question.rdtype in (dns.rdatatype.DNSKEY, dns.rdatatype.DS)
        with self.lock:
            self.asked.append((question.name.to_text().lower(), dns.rdatatype.to_text(question.rdtype)))
            self.lock.notify_all()
            if not is_key:
                self.lock.wait_for(lambda: sum(rdtype not in ("DNSKEY", "DS") for _, rdtype in self.asked) >= self.gather, timeout=3)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as upstream:
            upstream.settimeout(3)
            upstream.sendto(octets, ("127.0.0.1", self.target))
            reply = upstream.recv(65535)
        if self.change:
            reply = self.change(reply)
        try:
            self.socket.sendto(reply, client)
        except OSError:
            pass
