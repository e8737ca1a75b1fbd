"""SIG(0) (RFC 2931) by itself, so that a check can sign what is wrong: a key pair of its own, and octets."""

import struct
import time

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from signing_key import canonical

SIG, KEY, ANY = 24, 25, 255
RSASHA256, ECDSAP256SHA256, ED25519 = 8, 13, 15
NAMES = {RSASHA256: "rsasha256", ECDSAP256SHA256: "ecdsap256sha256", ED25519: "ed25519"}
HOST = 0x0200  # flags of a KEY: of a host (RFC 2535 §3.1.2)
NO_AUTHENTICATION = 0x8000
DNSSEC = 3     # its protocol


def _octets(number):
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


class Sig0Key:
    """A private key and its KEY record at `owner`. What a check wants otherwise is an argument of sign()."""

    def __init__(self, owner, algorithm=ED25519, flags=HOST):
        self.owner, self.algorithm = owner, algorithm
        if algorithm == ED25519:
            self.private = ed25519.Ed25519PrivateKey.generate()
            public = self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        elif algorithm == ECDSAP256SHA256:
            self.private = ec.generate_private_key(ec.SECP256R1())
            point = self.private.public_key().public_numbers()
            public = point.x.to_bytes(32, "big") + point.y.to_bytes(32, "big")
        else:
            self.private = rsa.generate_private_key(65537, 2048)
            numbers = self.private.public_key().public_numbers()
            exponent = _octets(numbers.e)
            public = bytes([len(exponent)]) + exponent + _octets(numbers.n)  # RFC 3110 §2
        self.rdata = struct.pack("!HBB", flags, DNSSEC, algorithm) + public

    @property
    def record(self):
        """The line of a zone file, as RFC 3597 §5 has it: dnspython knows no KEY."""
        return f"{self.owner} 300 IN TYPE{KEY} \\# {len(self.rdata)} {self.rdata.hex()}"

    @property
    def tag(self):
        """RFC 4034 appendix B."""
        total = sum(octet << 8 if at % 2 == 0 else octet for at, octet in enumerate(self.rdata))
        return (total + (total >> 16)) & 0xffff

    def raw_signature(self, octets):
        if self.algorithm == ED25519:
            return self.private.sign(octets)
        if self.algorithm == ECDSAP256SHA256:
            r, s = utils.decode_dss_signature(self.private.sign(octets, ec.ECDSA(SHA256())))
            return r.to_bytes(32, "big") + s.to_bytes(32, "big")  # RFC 6605 §4
        return self.private.sign(octets, padding.PKCS1v15(), SHA256())

    def sign(self, wire, begin=-60, end=60, covered=0, signer=None, spoil=False, last=b""):
        """The message with its SIG(0). `begin` and `end`: seconds from now; `last`: a record behind it."""
        now = int(time.time())
        head = (struct.pack("!HBBIIIH", covered, self.algorithm, 0, 0, now + end, now + begin, self.tag)
                + canonical(signer or self.owner))
        # RFC 2931 §3.1: the RDATA without the signature, then the request without the record.
        signature = bytearray(self.raw_signature(head + wire))
        if spoil:
            signature[-1] ^= 1
        rdata = head + signature
        additional = struct.unpack("!H", wire[10:12])[0] + 1 + bool(last)
        return (wire[:10] + struct.pack("!H", additional) + wire[12:] + b"\0"
                + struct.pack("!HHIH", SIG, ANY, 0, len(rdata)) + rdata + last)
