"""Our server in the words of its own configuration, and what it answers, waited for."""

import json
import time

import dns.exception
import dns.message
import dns.query
import dns.rcode
import yaml

import peers
from report import require

PATIENCE = 30.0


class Registry(peers.Ours):
    """Our server with zones in the words of its own configuration."""

    def __init__(self, entries, templates=(), **arguments):
        super().__init__([], addresses=["127.0.0.1"], **arguments)
        self.entries = list(entries)
        self.templates = list(templates)

    def write_config(self):
        super().write_config()
        config = yaml.safe_load(self.config_path.read_text())
        config["zones"] = json.loads(json.dumps(self.entries))  # lists of their own: YAML would write shared ones as aliases
        if self.templates:
            config["templates"] = json.loads(json.dumps(self.templates))
        self.config_path.write_text(yaml.safe_dump(config, sort_keys=False))

    def wait_ready(self, seconds=PATIENCE):
        eventually("ready", lambda: self.is_ready() or self.process.poll() is not None, seconds)
        require(self.process.poll() is None, self.log_tail())

    def is_ready(self):
        """Whether it answers from all that it has: its control socket is there before."""
        status = self.run("status", "--json", check=False)
        return status.returncode == 0 and json.loads(status.stdout)["ready"]

    def reload(self):
        self.write_config()
        return self.run("reload")

    def rows(self):
        return {row["zone"]: row for row in json.loads(self.run("zone", "list", "--json").stdout)["zones"]}

    def show(self, zone):
        return json.loads(self.run("zone", "show", zone, "--json").stdout)

    def restart(self):
        self.stop()
        self.start()


def eventually(what, condition, seconds=PATIENCE):
    end = time.monotonic() + seconds
    while not condition():
        require(time.monotonic() < end, f"not within {seconds} s: {what() if callable(what) else what}")
        time.sleep(0.02)


def outcome(server, name, rdtype="SOA"):
    """The serial of a SOA, the texts of other types, or the response code's name; None without a response."""
    query = dns.message.make_query(name, rdtype)
    try:
        reply = dns.query.udp(query, server.address, port=server.port, timeout=2)
    except (OSError, dns.exception.DNSException):
        return None
    if reply.rcode() != dns.rcode.NOERROR or not reply.answer:
        return dns.rcode.to_text(reply.rcode())
    return reply.answer[0][0].serial if rdtype == "SOA" else sorted(rdata.to_text() for rdata in reply.answer[0])


def wait_for(server, name, wanted, rdtype="SOA", seconds=PATIENCE):
    eventually(lambda: f"{name} {rdtype} {wanted}; it is {outcome(server, name, rdtype)}\n{server.log_tail(12)}",
               lambda: outcome(server, name, rdtype) == wanted, seconds)
