"""Clients that change a zone by UPDATE as fast as they are answered, and a ledger of what they were told.

Each update adds or removes records that no other one touches, so that what a server holds after a crash can be held
against what it acknowledged (RFC 2136 §3.5: NOERROR is a promise; §3.7: all of an update or nothing).
"""

import contextlib
import select
import socket
import struct
import time

import dns.message
import dns.rcode
import dns.tsig
import dns.update

from report import require
from zone_wire import receive_exactly, wire_name

SOA, TXT = 6, 16
IN, NONE, ANY = 1, 254, 255
NOERROR, NXDOMAIN = 0, 3


def record(owner, rtype, rclass, ttl=0, rdata=b""):
    return owner + struct.pack("!HHIH", rtype, rclass, ttl, len(rdata)) + rdata


def label(text):
    return bytes([len(text)]) + text.encode()


def txt(text):
    return bytes([len(text)]) + text.encode()


def update_wire(message_id, zone, prerequisites, updates):
    """RFC 2136 §2; the sections as lists of records in wire form."""
    return (struct.pack("!HHHHHH", message_id, 5 << 11, 1, len(prerequisites), len(updates), 0) + zone
            + struct.pack("!HH", SOA, IN) + b"".join(prerequisites) + b"".join(updates))


class Ledger:
    """What is known of each name: there, gone, or the open question of an update without an answer."""

    def __init__(self):
        self.there = set()
        self.gone = set()
        self.open = []  # (names, whether they are to be there)
        self.acknowledged = self.refused = 0

    def answered(self, names, added):
        self.acknowledged += 1
        (self.there if added else self.gone).update(names)
        (self.gone if added else self.there).difference_update(names)

    def settle(self, names_served, moment):
        """Holds what is served against the ledger, and settles what was open."""
        lost = self.there - names_served
        require(not lost, f"{moment}: {len(lost)} acknowledged additions are lost, such as {sorted(lost)[:3]}")
        back = self.gone & names_served
        require(not back, f"{moment}: {len(back)} names are there that must not be, such as {sorted(back)[:3]}")
        for names, added in self.open:
            found = {name in names_served for name in names}
            require(len(found) == 1, f"{moment}: half of an update is there: {names}")
            (self.there if found.pop() else self.gone).update(names)
        unknown = names_served - self.there
        require(not unknown, f"{moment}: nobody added {sorted(unknown)[:3]}")
        self.open = []


class Client:
    """One that waits for each answer. `key`: (name, secret) of a TSIG key, None to be known by its address."""

    def __init__(self, number, address, zone, ledger, rng, key=None):
        self.number, self.address, self.ledger, self.rng = number, address, ledger, rng
        self.zone, self.zone_wire = zone, wire_name(zone)
        self.keyring = {dns.name.from_text(key[0]): dns.tsig.Key(key[0], key[1], "hmac-sha256")} if key else None
        self.own = []       # names that are there for certain
        self.count = 0
        self.socket = None
        self.waiting = None  # (id, names, added or None for one that is to fail, signed query)

    def connect(self):
        self.close()
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.connect(self.address)
        self.socket.setblocking(False)

    def close(self):
        if self.socket:
            self.socket.close()
            self.socket = None

    def names_of(self, count):
        self.count += 1
        return [f"c{self.number}-{self.count}{letter}" for letter in "abcdefgh"[:count]]

    def owner(self, name):
        return label(name) + self.zone_wire

    def next_update(self):
        """(prerequisites, updates, names, added)."""
        pick = self.rng.random()
        if pick < 0.08:
            names = self.names_of(1)  # refused: it asks for a name that nobody ever made
            needs = [record(self.owner("never-" + names[0]), ANY, ANY)]
            return needs, self.additions(names), names, None
        if pick < 0.48 and self.own:
            names = self.own.pop(self.rng.randrange(len(self.own)))
            return [], [record(self.owner(name), TXT, NONE, 0, txt(name)) for name in names], names, False
        names = self.names_of(self.rng.choice((1, 1, 1, 2, 5)))
        return [], self.additions(names), names, True

    def additions(self, names):
        return [record(self.owner(name), TXT, IN, 300, txt(name)) for name in names]

    def send(self):
        prerequisites, updates, names, added = self.next_update()
        message_id = self.rng.randrange(65536)
        wire, query = update_wire(message_id, self.zone_wire, prerequisites, updates), None
        if self.keyring:
            query = dns.message.from_wire(wire)
            query.use_tsig(self.keyring)
            wire = query.to_wire()
        self.waiting = (message_id, names, added, query)
        try:
            self.socket.send(wire)
        except ConnectionError:
            pass  # the server is gone: the answer stays open, as after any other silence

    def take_answer(self):
        """Whether one was there."""
        if not self.waiting or not self.socket:
            return False
        try:
            reply = self.socket.recv(4096)
        except (BlockingIOError, ConnectionError):
            return False
        message_id, names, added, query = self.waiting
        if struct.unpack("!H", reply[:2])[0] != message_id:
            return False
        if query is not None:
            parsed = dns.message.from_wire(reply, keyring=self.keyring, request_mac=query.mac)
            require(parsed.had_tsig, "a signed update was answered without a signature (RFC 8945 §5.3)")
        rcode = reply[3] & 15
        self.waiting = None
        if added is None:
            require(rcode == NXDOMAIN, f"a failed prerequisite was answered {dns.rcode.to_text(rcode)}")
            self.ledger.refused += 1
            self.ledger.gone.update(names)
            return True
        require(rcode == NOERROR, f"an update was answered {dns.rcode.to_text(rcode)}")
        self.ledger.answered(names, added)
        if added:
            self.own.append(names)
        return True

    def give_up(self):
        """After a crash: what was not answered may have been done."""
        if self.waiting:
            _, names, added, _ = self.waiting
            if added is None:
                self.ledger.gone.update(names)
            else:
                self.ledger.there.difference_update(names)
                self.ledger.gone.difference_update(names)
                self.ledger.open.append((names, added))
            self.waiting = None


def update_by_stream(address, zone, prerequisites, updates):
    """One update over TCP, of any size: the RCODE."""
    wire = update_wire(1, wire_name(zone), prerequisites, updates)
    with socket.create_connection(address, 10) as stream:
        stream.sendall(struct.pack("!H", len(wire)) + wire)
        reply = receive_exactly(stream, struct.unpack("!H", receive_exactly(stream, 2))[0])
    require(reply[:2] == wire[:2], "the reply has another ID")
    return reply[3] & 15


class Load:
    """Several clients, driven by one thread."""

    def __init__(self, clients):
        self.clients = clients

    def run(self, seconds):
        """Every client sends again as soon as it is answered."""
        end = time.monotonic() + seconds
        for client in self.clients:
            if not client.waiting:
                client.send()
        while (left := end - time.monotonic()) > 0:
            sockets = {client.socket: client for client in self.clients}
            for sock in select.select(list(sockets), [], [], left)[0]:
                if sockets[sock].take_answer() or not sockets[sock].waiting:
                    sockets[sock].send()

    def finish(self, seconds=5):
        """Waits for the answers that are under way."""
        end = time.monotonic() + seconds
        while waiting := {client.socket: client for client in self.clients if client.waiting}:
            require(time.monotonic() < end, f"{len(waiting)} updates are not answered within {seconds} s")
            for sock in select.select(list(waiting), [], [], 0.1)[0]:
                waiting[sock].take_answer()

    def after_kill(self):
        """What was answered before the end still counts; the rest is open."""
        for client in self.clients:
            with contextlib.suppress(OSError):
                while client.take_answer():
                    pass
            client.give_up()
            client.close()

    def connect(self):
        for client in self.clients:
            client.connect()
