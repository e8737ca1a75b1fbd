"""A registry that follows the feed of one below it, whose feed is a zone file in our hands: what the scenarios about feeds have in common."""

import contextlib
import json
import pathlib
import tempfile

import dns.message
import dns.query

import publishing
from feeds import Feed
from registry import Registry, eventually

APEX = "steward-registry.org."
PARENT = f"com.{APEX}"
NAMESPACE = "vibe-agency.com"


class World:
    """A parent and the server of its child's feed, each with its own folder and port. Others have more children: children(), follow()."""

    def __init__(self, folder):
        self.folder = folder
        self.feed = Feed(NAMESPACE)
        self.key = publishing.Key(folder / "keys", self.feed.agent("orchestrator"))
        self.other_key = publishing.Key(folder / "other", self.feed.agent("orchestrator"))
        zone = folder / "com.zone"
        zone.write_text(f"$ORIGIN {PARENT}\n$TTL 300\n@ 60 SOA ns1 hostmaster 1 3600 600 604800 60\n@ NS ns1\nns1 A 127.0.0.1\n"
                        f'_schema._agents TXT "v=steward1"\n')
        self.parent = Registry([{"name": PARENT.rstrip("."), "file": str(zone), "dnssec": True}],
                               options={"registry": {"namespace": "com", "custody-key": str(folder / "custody.pem")}})
        self.child = self.child_of(self.feed)

    def children(self):
        """The servers of all feeds that are followed."""
        return [self.child]

    def child_of(self, feed):
        path = self.folder / f"{feed.replica}.zone"
        feed.write(path)
        child = Registry([])
        child.feed_path = path
        child.entries = [{"name": feed.name.rstrip("."), "file": str(path), "allow-transfer": ["127.0.0.0/8"]}]
        return child

    def follow(self, feed=None, server=None, **facts):
        """The parent's configuration: the child as it is now, or none."""
        server = server or self.child
        child = {"namespace": NAMESPACE, "replica": (feed or self.feed).replica,
                 "primaries": [f"127.0.0.1@{server.port}"], "trust-ceiling": 0.9, **facts}
        self.parent.options["registry"]["children"] = [child]

    def notify_parent(self, server=None):
        """The child tells the parent of each change, and is told of the port that it has."""
        server = server or self.child
        server.entries[0]["notify"] = [f"127.0.0.1@{self.parent.port}"]
        server.reload()

    def publish(self, *labels, server=None):
        """What the feed says now is served."""
        self.feed.write((server or self.child).feed_path)
        return labels

    def peer(self):
        return json.loads(self.parent.run("peers", "--json").stdout)["children"][0]

    def refused(self):
        lines = self.parent.run("peers", "--refused", "--json").stdout.splitlines()
        return {row["agent"]: row for line in lines for row in json.loads(line)["refused"]}

    def found(self, term):
        """Agents on the pages of the term, over TCP, walked."""
        agents, page = set(), f"{term}._find._agents.{PARENT}"
        while page:
            texts = rdatas(self.parent, page, "TXT")
            agents |= {rdata.target.to_text() for rdata in rdatas(self.parent, page, "PTR")}
            following = [text[5:].decode() for rdata in texts for text in rdata.strings if text.startswith(b"next=")]
            page = f"_p{following[0]}.{term}._find._agents.{PARENT}" if following and following[0] else None
        return agents

    def wait_found(self, label, term=None, there=True):
        name = self.feed.agent(label)
        eventually(lambda: f"{name} {'on' if there else 'off'} the pages of {term or label}: {self.found(term or label)}\n"
                           + self.parent.log_tail(15),
                   lambda: (name in self.found(term or label)) == there)

    def wait_refused(self, label, rule):
        name = self.feed.agent(label)
        eventually(lambda: f"{name} refused by {rule}: {self.refused()}\n{self.parent.log_tail(15)}",
                   lambda: self.refused().get(name, {}).get("rule") == rule)

    def ref(self, label):
        return f"{label}.vibe-agency._ref._agents.{PARENT}"

    def ref_values(self, label):
        """What stands at `_ref`: {key: value} of both statements."""
        return {text.split(b"=")[0].decode(): text.split(b"=", 1)[1].decode()
                for rdata in rdatas(self.parent, self.ref(label), "TXT") for text in rdata.strings}

    def wait_judged(self):
        eventually(lambda: f"all of the feed judged: {self.peer()}", lambda: self.is_judged())

    def is_judged(self):
        peer = self.peer()
        return peer["serial"] == self.feed.serial and peer["followed_to"] == self.feed.serial


def rdatas(server, name, rdtype):
    reply = dns.query.tcp(dns.message.make_query(name, rdtype), "127.0.0.1", port=server.port, timeout=5)
    return [rdata for rrset in reply.answer if rrset.rdtype == reply.question[0].rdtype for rdata in rrset]


def followed(report, prefix, make, run):
    """Calls `run(world)` once all servers of `make(folder)` run, know of each other and the feeds are followed. The exit status."""
    with tempfile.TemporaryDirectory(prefix=prefix, ignore_cleanup_errors=True) as folder, contextlib.ExitStack() as running:
        world = make(pathlib.Path(folder))
        for server in (*world.children(), world.parent):
            running.enter_context(server)
        for server in (*world.children(), world.parent):
            server.wait_ready()
        for child in world.children():
            world.notify_parent(child)
        world.follow()
        world.parent.reload()
        run(world)
    return report.finish()
