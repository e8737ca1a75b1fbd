"""Verifies a publisher's statement from the records of a zone or of answers, as steward-records(7) says.

It reads RDATA in wire form and shares nothing with tools/make_sample_zone.py, which writes them.
"""

import base64
import hashlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

CONTEXT = b"steward-statement-v1\0"
ED25519_SPKI = bytes.fromhex("302a300506032b6570032100")  # RFC 8410 §4: what stands before the 32 octets


def strings_of(txt_rdata):
    """The character-strings of TXT RDATA in wire form."""
    strings, at = [], 0
    while at < len(txt_rdata):
        size = txt_rdata[at]
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


def problems_of(owner, txt, keys, rows):
    """What is wrong with a statement, as a list of sentences.

    `owner`: dnspython name; `txt`: RDATA in wire form; `keys`: RDATA of KEY; `rows`: [(type, canonical RDATA)] of SRV
    and SVCB."""
    strings = strings_of(txt)
    values = values_of(strings)
    problems = []
    if values.get("v") != b"steward1":
        return ["it is no v=steward1 statement"]
    raw_keys = [key[4:] for key in keys if key[:2] in (b"\x02\x00", b"\x02\x01") and key[2:4] == b"\x03\x0f"
                and len(key) == 36]
    fp = values.get("fp", b"").decode()
    signer = next((key for key in raw_keys if "sha256:" + hashlib.sha256(ED25519_SPKI + key).hexdigest() == fp), None)
    if signer is None:
        return [f"no KEY has the fingerprint {fp}"]
    signed = CONTEXT + owner.canonicalize().to_wire()
    signed += b"".join(bytes([len(text)]) + text for text in strings if not text.startswith(b"sig="))
    signature = values.get("sig", b"")
    try:
        octets = base64.urlsafe_b64decode(signature + b"=" * (-len(signature) % 4))
        Ed25519PublicKey.from_public_bytes(signer).verify(octets, signed)
    except (InvalidSignature, ValueError):
        problems.append("the signature does not verify")
    if not strings[-1].startswith(b"sig="):
        problems.append("sig= does not come last")
    digest = hashlib.sha256(b"".join(rdtype.to_bytes(2, "big") + len(rdata).to_bytes(2, "big") + rdata
                                     for rdtype, rdata in sorted(rows))).hexdigest()
    if values.get("ep") != f"sha256:{digest}".encode():
        problems.append("ep= does not match the SRV and SVCB rows")
    return problems
