"""A primary that answers as a test wants it: SOA queries by itself, transfers by a function of the test.

    primary = FakePrimary(lambda query, zone: [octets, ...]) ; primary.serials["a.test."] = 1 ; primary.start()

One thread a connection; UDP and TCP at one port, with `tls_context` TCP only.
"""

import contextlib
import socket
import ssl
import struct
import threading

import dns.exception
import dns.flags
import dns.message
import dns.rdatatype
import dns.rrset

from servers import free_port


class Cut(Exception):
    """Raised by a transfer's iterator: the connection ends at once, TLS without its close_notify."""


class FakePrimary:
    """`transfer(query, zone)` yields the octets of message after message; a pair (octets, size) claims another size."""

    def __init__(self, transfer, keyring=None, tls_context=None, timers="2 1 604800 60"):
        self.transfer = transfer
        self.keyring = keyring
        self.tls_context = tls_context
        self.timers = timers
        self.serials = {}
        self.asked = []     # (zone, type, "udp" or "tcp")
        self.refused = set()  # zones that are answered REFUSED
        self.silent = False
        self.port = free_port(["127.0.0.1"])
        self.sockets = []

    def soa(self, zone, serial=None):
        serial = self.serials[zone] if serial is None else serial
        return dns.rrset.from_text(zone, 300, "IN", "SOA", f"ns1.{zone} hostmaster.{zone} {serial} {self.timers}")

    def start(self):
        self.listener = socket.create_server(("127.0.0.1", self.port), backlog=200)
        self.sockets = [self.listener]
        threading.Thread(target=self.accept, args=(self.listener,), daemon=True).start()
        if not self.tls_context:
            datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            datagrams.bind(("127.0.0.1", self.port))
            self.sockets.append(datagrams)
            threading.Thread(target=self.take_datagrams, args=(datagrams,), daemon=True).start()
        return self

    def stop(self):
        for sock in self.sockets:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()
        self.sockets = []

    def count(self, zone, kind):
        return sum(1 for one, what, _ in list(self.asked) if one == zone and what == kind)

    def query_of(self, wire, transport):
        query = dns.message.from_wire(wire, keyring=self.keyring)
        zone = query.question[0].name.to_text().lower()
        self.asked.append((zone, dns.rdatatype.to_text(query.question[0].rdtype), transport))
        return query, zone

    def soa_answer(self, query, zone):
        reply = dns.message.make_response(query)
        if zone in self.refused:
            reply.set_rcode(5)
        else:
            reply.flags |= dns.flags.AA
            reply.answer.append(self.soa(zone))
        return reply.to_wire()

    def take_datagrams(self, sock):
        while True:
            try:
                wire, client = sock.recvfrom(65535)
                if self.silent:
                    continue
                query, zone = self.query_of(wire, "udp")
                sock.sendto(self.soa_answer(query, zone), client)
            except OSError:
                return
            except (dns.exception.DNSException, KeyError):
                continue

    def accept(self, listener):
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self.talk, args=(connection,), daemon=True).start()

    def talk(self, connection):
        with contextlib.suppress(OSError, dns.exception.DNSException, KeyError, ssl.SSLError), connection:
            connection.settimeout(60)
            if self.tls_context:
                connection = self.tls_context.wrap_socket(connection, server_side=True)
            while True:
                size = read_exactly(connection, 2)
                if not size:
                    return
                query, zone = self.query_of(read_exactly(connection, struct.unpack("!H", size)[0]), "tcp")
                if query.question[0].rdtype == dns.rdatatype.SOA or zone in self.refused:
                    send(connection, self.soa_answer(query, zone))
                    continue
                if self.silent:
                    threading.Event().wait(60)
                try:
                    for message in self.transfer(query, zone):
                        send(connection, message)
                except Cut:
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    return


def send(connection, message):
    octets, size = message if isinstance(message, tuple) else (message, len(message))
    connection.sendall(struct.pack("!H", size) + octets)


def read_exactly(connection, size):
    octets = b""
    while len(octets) < size:
        got = connection.recv(size - len(octets))
        if not got:
            return b""
        octets += got
    return octets
