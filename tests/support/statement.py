"""Verifies a publisher's statement and rotation from the records of a zone or of answers, as steward-records(7) says.

It reads RDATA in wire form and shares nothing with tools/make_sample_zone.py, which writes them.
"""

import base64
import hashlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

CURVES = {13: (ec.SECP256R1(), hashes.SHA256()), 14: (ec.SECP384R1(), hashes.SHA384())}
RSA_DIGESTS = {8: hashes.SHA256(), 10: hashes.SHA512()}


class Key:
    """A KEY record (RFC 2535 §3.1) that signs statements. ValueError where it is none."""

    def __init__(self, rdata):
        if rdata[:2] not in (b"\x02\x00", b"\x02\x01") or rdata[2:3] != b"\x03":
            raise ValueError("flags 512 or 513 and protocol 3 wanted")
        self.algorithm, octets = rdata[3], rdata[4:]
        if self.algorithm in RSA_DIGESTS:  # RFC 3110 §2
            size, at = (octets[0], 1) if octets[0] else (int.from_bytes(octets[1:3], "big"), 3)
            exponent, modulus = octets[at:at + size], octets[at + size:]
            self.key = rsa.RSAPublicNumbers(*(int.from_bytes(n, "big") for n in (exponent, modulus))).public_key()
        elif self.algorithm in CURVES:  # RFC 6605 §4
            self.key = ec.EllipticCurvePublicKey.from_encoded_point(CURVES[self.algorithm][0], b"\x04" + octets)
        elif self.algorithm == 15:  # RFC 8080 §3
            self.key = Ed25519PublicKey.from_public_bytes(octets)
        else:
            raise ValueError(f"algorithm {self.algorithm} is not accepted")
        spki = self.key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self.fingerprint = "sha256:" + hashlib.sha256(spki).hexdigest()

    def verifies(self, signature, data):
        try:
            if self.algorithm in RSA_DIGESTS:
                self.key.verify(signature, data, padding.PKCS1v15(), RSA_DIGESTS[self.algorithm])
            elif self.algorithm in CURVES:
                half = len(signature) // 2
                r, s = (int.from_bytes(part, "big") for part in (signature[:half], signature[half:]))
                self.key.verify(utils.encode_dss_signature(r, s), data, ec.ECDSA(CURVES[self.algorithm][1]))
            else:
                self.key.verify(signature, data)
        except (InvalidSignature, ValueError):
            return False
        return True


def keys_of(rdatas):
    """{fingerprint: Key} of those that are some."""
    keys = {}
    for rdata in rdatas:
        try:
            key = Key(rdata)
        except (ValueError, IndexError):
            continue
        keys[key.fingerprint] = key
    return keys


def strings_of(txt_rdata):
    """The character-strings of TXT RDATA in wire form."""
    strings, at = [], 0
    while at < len(txt_rdata):
        size = txt_rdata[at]
        if at + 1 + size > len(txt_rdata):
            raise ValueError("the last string ends early")
        strings.append(txt_rdata[at + 1:at + 1 + size])
        at += 1 + size
    return strings


def values_of(strings):
    """{key: value}; adjacent equal keys are joined, any other repeated key is an error."""
    values, last = {}, None
    for text in strings:
        key, _, value = text.partition(b"=")
        if key in values and key != last:
            raise ValueError(f"the key {key.decode()} is repeated")
        values[key] = values.get(key, b"") + value
        last = key
    return {key.decode(): value for key, value in values.items()}


def signature_problem(context, owner, strings, left_out, name, key):
    """Whether the value of `name` is a signature by `key`: over the context, a zero octet, the owner in lower-case wire
    form, and each string with its length octet except those whose key is in `left_out`."""
    signed = context + b"\0" + owner.canonicalize().to_wire()
    signed += b"".join(bytes([len(text)]) + text for text in strings if text.split(b"=")[0].decode() not in left_out)
    value = values_of(strings).get(name, b"")
    if key is None:
        return [f"no KEY has the fingerprint of {name}"]
    octets = base64.urlsafe_b64decode(value + b"=" * (-len(value) % 4))
    if base64.urlsafe_b64encode(octets).rstrip(b"=") != value:
        return [f"{name} is not base64url without padding"]
    return [] if key.verifies(octets, signed) else [f"{name} does not verify"]


def problems_of(owner, txt, keys, rows):
    """What is wrong with a statement, as a list of sentences.

    `owner`: dnspython name; `txt`: RDATA in wire form; `keys`: RDATA of KEY; `rows`: [(type, canonical RDATA)] of SRV
    and SVCB."""
    strings = strings_of(txt)
    values = values_of(strings)
    if values.get("v") != b"steward1" or not strings[0].startswith(b"v="):
        return ["it is no v=steward1 statement"]
    key = keys_of(keys).get(values.get("fp", b"").decode())
    problems = signature_problem(b"steward-statement-v1", owner, strings, {"sig"}, "sig", key)
    if not strings[-1].startswith(b"sig="):
        problems.append("sig= does not come last")
    digest = hashlib.sha256(b"".join(rdtype.to_bytes(2, "big") + len(rdata).to_bytes(2, "big") + rdata
                                     for rdtype, rdata in sorted(rows))).hexdigest()
    if values.get("ep") != f"sha256:{digest}".encode():
        problems.append("ep= does not match the SRV and SVCB rows")
    if values.get("status") in (b"withdrawn", b"revoked") and sorted(rows) != [(33, bytes(7)), (64, bytes(3))]:
        problems.append("withdrawn or revoked, but not with SRV 0 0 0 . and SVCB 0 . alone")
    return problems


def rotation_problems(owner, txt, keys):
    """What is wrong with a `_keys` record of the agent `owner`; `keys`: RDATA of the old and the new KEY."""
    strings = strings_of(txt)
    values = values_of(strings)
    if values.get("v") != b"steward-rotate1":
        return ["it is no v=steward-rotate1 rotation"]
    known = keys_of(keys)
    return [problem for which in ("old", "new") for problem in
            signature_problem(b"steward-rotate-v1", owner, strings, {"sig-old", "sig-new"}, f"sig-{which}",
                              known.get(values.get(which, b"").decode()))]
