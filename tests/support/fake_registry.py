"""A registry that takes publishes as a test wants it: answers are lost, connections cut, updates refused.

    registry = FakeRegistry("acme.example.").start(); registry.faults.append("lose the answer")

It checks an UPDATE by itself: prerequisites with dnspython, the SIG(0) with the cryptography package. One
thread a connection, TCP only, or TLS with `tls_context`.
"""

import contextlib
import socket
import ssl
import struct
import threading

import dns.edns
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import dns.update

from fake_primary import read_exactly
from servers import free_port
from statement import keys_of

SOA = "ns1.{0} hostmaster.{0} 1 3600 600 604800 60"
FAULTS = ("lose the answer", "cut before it", "say nothing", "serve another first")


class Sig0:
    """The SIG(0) that closes a message, and the message without it [RFC 2931 §3.1]."""

    def __init__(self, wire):
        at = wire.rfind(b"\0" + struct.pack("!HHI", 24, 255, 0))  # the root, SIG, ANY, TTL 0
        rdata = wire[at + 11:]
        if at < 12 or len(rdata) != struct.unpack("!H", wire[at + 9:at + 11])[0]:
            raise ValueError("no SIG(0) closes the message")
        self.signer, used = dns.name.from_wire(rdata, 18)
        self.algorithm = rdata[2]
        self.signature = rdata[18 + used:]
        self.message = wire[:10] + struct.pack("!H", struct.unpack("!H", wire[10:12])[0] - 1) + wire[12:at]
        self.signed = rdata[:18 + used] + self.message


class FakeRegistry:
    def __init__(self, zone, tls_context=None):
        self.zone = dns.name.from_text(zone)
        self.tls_context = tls_context
        self.rrsets = {}     # {(name, type): rrset}
        self.updates = []    # those that were carried out, as messages
        self.received = 0    # updates in all
        self.faults = []     # one an UPDATE, from the front: one of FAULTS
        self.refusal = None  # (rcode, extended error, text)
        self.lease = None    # granted, in octets of the option
        self.port = free_port(["127.0.0.1"])
        self.lock = threading.Lock()
        self.connections = []

    @property
    def address(self):
        return f"127.0.0.1@{self.port}"

    def start(self):
        self.listener = socket.create_server(("127.0.0.1", self.port), backlog=200)
        threading.Thread(target=self.accept, args=(self.listener,), daemon=True).start()
        return self

    def stop(self):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for connection in self.connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def find(self, name, rdtype):
        return self.rrsets.get((dns.name.from_text(str(name)), dns.rdatatype.from_text(rdtype)))

    def accept(self, listener):
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            self.connections.append(connection)
            threading.Thread(target=self.talk, args=(connection,), daemon=True).start()

    def talk(self, connection):
        with contextlib.suppress(OSError, dns.exception.DNSException, ssl.SSLError), connection:
            if self.tls_context:
                connection = self.tls_context.wrap_socket(connection, server_side=True)
            while True:
                size = read_exactly(connection, 2)
                if not size:
                    return
                wire = read_exactly(connection, struct.unpack("!H", size)[0])
                reply = self.take_update(wire) if wire[2] >> 3 & 15 == 5 else self.answer(dns.message.from_wire(wire))
                if reply is None:
                    return
                octets = reply.to_wire(max_size=65535)
                connection.sendall(struct.pack("!H", len(octets)) + octets)

    def answer(self, query):
        question = query.question[0]
        reply = dns.message.make_response(query)
        with self.lock:
            if not question.name.is_subdomain(self.zone):
                reply.set_rcode(dns.rcode.REFUSED)
                return reply
            reply.flags |= dns.flags.AA
            found = self.rrsets.get((question.name, question.rdtype))
            if found:
                reply.answer.append(found)
                return reply
            reply.authority.append(dns.rrset.from_text(self.zone, 60, "IN", "SOA", SOA.format(self.zone)))
            if not any(name.is_subdomain(question.name) for name, _ in self.rrsets):
                reply.set_rcode(dns.rcode.NXDOMAIN)
        return reply

    def take_update(self, wire):
        """The response, or None: the connection ends without one."""
        sig0 = Sig0(wire)
        update = dns.message.from_wire(sig0.message, one_rr_per_rrset=True)
        reply = dns.message.make_response(update)
        with self.lock:
            self.received += 1
            fault = self.faults.pop(0) if self.faults else None
            if fault == "cut before it":
                return None
            if self.refusal:
                rcode, code, text = self.refusal
                reply.set_rcode(rcode)
                reply.use_edns(0, options=[dns.edns.GenericOption(15, struct.pack("!H", code) + text)])
                return reply
            if fault == "serve another first":
                for rrset in update.update:
                    if rrset.rdtype == dns.rdatatype.TXT and rrset.rdclass == dns.rdataclass.IN and not rrset.name.labels[0].startswith(b"_"):
                        self.rrsets[(rrset.name, rrset.rdtype)] = dns.rrset.from_text(rrset.name, 300, "IN", "TXT", '"another"')
            reply.set_rcode(self.carry_out(update, sig0))
            if self.lease and reply.rcode() == dns.rcode.NOERROR:
                reply.use_edns(0, options=[dns.edns.GenericOption(2, self.lease)])
        if fault == "say nothing":
            threading.Event().wait(30)
        return None if fault in ("lose the answer", "say nothing") else reply

    def carry_out(self, update, sig0):
        for rrset in update.prerequisite:
            present = self.rrsets.get((rrset.name, rrset.rdtype))
            if rrset.deleting == dns.rdataclass.NONE or rrset.rdclass == dns.rdataclass.NONE:
                if present:
                    return dns.rcode.YXRRSET
            elif not present or set(present) != set(rrset):
                return dns.rcode.NXRRSET
        if not self.signed_by_agent(update, sig0):
            return dns.rcode.NOTAUTH
        for rrset in update.update:
            if rrset.deleting == dns.rdataclass.ANY:
                self.rrsets.pop((rrset.name, rrset.rdtype), None)
                continue
            present = self.rrsets.setdefault((rrset.name, rrset.rdtype), dns.rrset.RRset(rrset.name, 1, rrset.rdtype))
            present.update(rrset)
        self.updates.append(update)
        return dns.rcode.NOERROR

    def signed_by_agent(self, update, sig0):
        keys = [rrset for rrset in update.update if rrset.rdtype == dns.rdatatype.KEY and rrset.name == sig0.signer]
        stored = self.rrsets.get((sig0.signer, dns.rdatatype.KEY))
        octets = [key.to_wire() for rrset in ([stored] if stored else keys) for key in rrset]
        return any(key.algorithm == sig0.algorithm and key.verifies(sig0.signature, sig0.signed) for key in keys_of(octets).values())
