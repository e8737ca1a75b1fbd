"""A registry that asks to be a child, by itself: requests as steward-records(7), "Registration", has them, and what is wrong with them on purpose."""

import datetime
import os
import pathlib
import socket
import ssl
import struct
import sys
import tempfile

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "conformance"))

import dns.edns
import dns.message
import dns.name
import dns.rcode
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

import sig0_key

NONCE_OPTION = 65001
UPDATE, IN = 5 << 11, 1
A, NS, SOA, TXT, KEY, OPT = 1, 2, 6, 16, 25, 41


def wire(name):
    return dns.name.from_text(name).to_wire()


def record(owner, rdtype, rdata, ttl=300):
    return wire(owner) + struct.pack("!HHIH", rdtype, IN, ttl, len(rdata)) + rdata


def strings(*texts):
    return b"".join(bytes([len(text)]) + text.encode() for text in texts)


class Registrant:
    """`label` below `parent`: its key and a self-signed certificate of it."""

    def __init__(self, label, parent, apex, algorithm=sig0_key.ED25519):
        self.zone = f"{label}.{parent}"
        self.parent = parent
        self.space = self.zone[:-len(apex) - 1]
        self.identity = f"{label}._registries._agents.{parent}"
        self.key = sig0_key.Sig0Key(self.identity, algorithm)

    def unsigned(self, space=None, token=None, nonce=b"fresh"):
        texts = ["v=steward-register1", f"namespace={space or self.space}"] + ([f"invite={token}"] if token else [])
        updates = [record(self.identity, KEY, self.key.rdata), record(self.identity, TXT, strings(*texts)),
                   record(self.zone, NS, wire(f"ns.{self.zone}")), record(f"ns.{self.zone}", A, socket.inet_aton("127.53.61.200"))]
        option = b"" if nonce is None else struct.pack("!HH", NONCE_OPTION, 16) + (os.urandom(16) if nonce == b"fresh" else nonce)
        opt = b"\0" + struct.pack("!HHIH", OPT, 1232, 0, len(option)) + option
        header = os.urandom(2) + struct.pack("!HHHHH", UPDATE, 1, 0, len(updates), 1)
        return header + wire(self.parent) + struct.pack("!HH", SOA, IN) + b"".join(updates) + opt

    def request(self, begin=-60, end=60, signer=None, spoil=False, **arguments):
        return self.key.sign(self.unsigned(**arguments), begin=begin, end=end, signer=signer, spoil=spoil)

    def certificate(self, folder):
        """Certificate and key in one file in PEM."""
        now = datetime.datetime.now(datetime.timezone.utc)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "registrant")])
        private = self.key.private
        digest = None if isinstance(private, ed25519.Ed25519PrivateKey) else SHA256()
        made = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(private.public_key())
                .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(hours=1))
                .not_valid_after(now + datetime.timedelta(days=1))
                .add_extension(x509.SubjectAlternativeName([x509.DNSName(self.zone.rstrip("."))]), critical=False)
                .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True).sign(private, digest))
        path = pathlib.Path(folder) / "registrant.pem"
        path.write_bytes(made.public_bytes(Encoding.PEM) + private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return str(path)


def weak(label, parent, apex):
    """A request by an algorithm that no registry may have, and who sends it."""
    registrant = Registrant(label, parent, apex, sig0_key.ECDSAP256SHA256)
    return registrant.request(), registrant


class Door:
    """The parent that is asked."""

    def __init__(self, parent, tls_port, apex):
        self.parent, self.tls_port, self.apex = parent, tls_port, apex

    def tcp(self, message):
        with socket.create_connection((self.parent.address, 53), timeout=10) as stream:
            return self._exchange(stream, message)

    def tls(self, message, who=None, version=ssl.TLSVersion.TLSv1_3):
        """(response code, text of the extended error). `who` shows his certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.maximum_version = version
        context.set_alpn_protocols(["dot"])
        with tempfile.TemporaryDirectory() as folder:
            if who:
                context.load_cert_chain(who.certificate(folder))
        with socket.create_connection((self.parent.address, self.tls_port), timeout=10) as plain:
            with context.wrap_socket(plain) as stream:
                return self._exchange(stream, message)

    def send(self, registrant):
        return self.tls(registrant.request(), registrant)

    @staticmethod
    def _exchange(stream, message):
        stream.sendall(struct.pack("!H", len(message)) + message)
        octets = b""
        while len(octets) < 2 or len(octets) < 2 + struct.unpack("!H", octets[:2])[0]:
            more = stream.recv(65535)
            if not more:
                raise ConnectionError("closed without an answer")
            octets += more
        reply = dns.message.from_wire(octets[2:])
        texts = [option.text for option in reply.options if option.otype == dns.edns.EDE]
        return dns.rcode.to_text(reply.rcode()), (texts[0] if texts else None) or ""
