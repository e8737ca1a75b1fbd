"""Publishes as a person with Debian's tools does: a key of dnssec-keygen, a statement, and nsupdate -k.

The statement is made here from steward-records(7) alone and shares nothing with the server.
"""

import base64
import datetime
import hashlib
import pathlib
import re
import socket
import struct
import subprocess

import dns.message
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.update
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import statement
from signing import run_tool

STATEMENT_CONTEXT = b"steward-statement-v1\0"
ROTATION_CONTEXT = b"steward-rotate-v1\0"
KEY_HEAD = bytes([2, 0, 3, 15])  # flags 512, protocol DNSSEC, Ed25519
TOMBSTONE = ["SRV 0 0 0 .", "SVCB 0 ."]


def now_text(shift=0):
    time = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=shift)
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


class Key:
    """A key pair in BIND's files, as `dnssec-keygen -T KEY -n HOST` makes it."""

    def __init__(self, folder, agent):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        stem = run_tool("dnssec-keygen", "-q", "-K", self.folder, "-T", "KEY", "-n", "HOST", "-a", "ED25519", agent).strip()
        self.file = self.folder / (stem + ".key")
        private = re.search(r"^PrivateKey: (\S+)$", (self.folder / (stem + ".private")).read_text(), re.M).group(1)
        self.private = Ed25519PrivateKey.from_private_bytes(base64.b64decode(private))
        self.public = self.private.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        self.record = f"KEY 512 3 15 {base64.b64encode(self.public).decode()}"
        self.fingerprint = statement.Key(KEY_HEAD + self.public).fingerprint

    def sign(self, octets):
        return base64.urlsafe_b64encode(self.private.sign(octets)).rstrip(b"=")


def strings(key, value):
    """`key=value` in strings of at most 255 octets: the rest goes on under the same key."""
    room = 255 - len(key) - 1
    return [f"{key}={value[at:at + room]}".encode() for at in range(0, max(len(value), 1), room)]


def in_strings(parts):
    return b"".join(bytes([len(part)]) + part for part in parts)


def text_of(parts):
    """The presentation form of TXT."""
    return "TXT " + " ".join('"' + "".join(chr(c) if 32 <= c < 127 and c not in b'"\\' else f"\\{c:03d}" for c in part) + '"' for part in parts)


def endpoint_digest(rows):
    wire = []
    for row in rows:
        rdtype, _, rest = row.partition(" ")
        rdata = dns.rdata.from_text(dns.rdataclass.IN, dns.rdatatype.from_text(rdtype), rest)
        wire.append((int(rdata.rdtype), rdata.to_digestable()))
    return "sha256:" + hashlib.sha256(b"".join(number.to_bytes(2, "big") + len(rdata).to_bytes(2, "big") + rdata
                                               for number, rdata in sorted(wire))).hexdigest()


def make_statement(agent, key, version, rows, status="active", modified=None, **fields):
    """The strings of the publisher's statement. `rows`: SRV and SVCB in presentation form."""
    parts = [b"v=steward1"]
    capabilities = fields.pop("capabilities", "plan")
    manifest = fields.pop("manifest", None)
    for name, value in [("version", version), ("capabilities", capabilities), ("status", status), *fields.items(), ("fp", key.fingerprint),
                        ("modified", modified or now_text())]:
        parts += strings(name, value)
    if manifest is not None:
        parts += strings("digest", "sha256:" + hashlib.sha256(manifest).hexdigest())
    parts += strings("ep", endpoint_digest(rows))
    signed = STATEMENT_CONTEXT + dns.name.from_text(agent).canonicalize().to_wire() + in_strings(parts)
    return parts + strings("sig", key.sign(signed).decode())


def make_rotation(agent, number, old, new, modified=None):
    """The strings of a rotation from one key to another."""
    parts = [b"v=steward-rotate1", f"n={number}".encode(), b"old=" + old.fingerprint.encode(), b"new=" + new.fingerprint.encode(),
             b"modified=" + (modified or now_text()).encode()]
    signed = ROTATION_CONTEXT + dns.name.from_text(agent).canonicalize().to_wire() + in_strings(parts)
    return parts + [b"sig-old=" + old.sign(signed), b"sig-new=" + new.sign(signed)]


def publish_lines(agent, parts, key, rows, manifest=None, before=None):
    """What nsupdate is told. `before`: the statement's strings as they were read, for compare-and-swap; None: the name is new."""
    lines = [f"prereq yxrrset {agent} {text_of(before)}" if before else f"prereq nxrrset {agent} TXT"]
    for rdtype in ("TXT", "SRV", "SVCB", "KEY"):
        lines.append(f"update delete {agent} {rdtype}")
    lines.append(f"update add {agent} 300 {text_of(parts)}")
    lines.append(f"update add {agent} 300 {key.record}")
    lines += [f"update add {agent} 300 {row}" for row in rows]
    if manifest is not None:
        lines.append(f"update delete _manifest.{agent} TXT")
        lines.append(f"update add _manifest.{agent} 300 {text_of([manifest[at:at + 255] for at in range(0, len(manifest), 255)])}")
    return lines


def nsupdate(server, zone, key, lines, timeout=10):
    """One message signed with SIG(0); the RCODE and, where the server told, the text of the extended error."""
    script = f"server {server.address} {server.port}\nzone {zone}\n" + "\n".join(lines) + "\nsend\nanswer\n"
    done = subprocess.run(["nsupdate", "-t", str(timeout), "-k", str(key.file.with_suffix(".private"))], input=script, capture_output=True,
                          text=True, check=False, timeout=60)
    said = done.stdout + done.stderr
    rcode = "NOERROR" if done.returncode == 0 else (re.findall(r"update failed: (\w+)", said) or [f"exit {done.returncode}: {said}"])[0]
    return rcode, " ".join(re.findall(r"EDE: \d+ \([^)]*\): \(([^\n]*)\)", said)) or said


def rename(key, folder, agent):
    """The same key pair in files for another name: a publisher has one key for all his agents."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    _, _, rest = key.file.name.partition("+")
    renamed = Key.__new__(Key)
    renamed.__dict__.update(key.__dict__)
    renamed.folder, renamed.file = folder, folder / f"K{agent}+{rest}"
    old = key.file.name.partition("+")[0][1:]
    renamed.file.write_text(re.sub(rf"^{re.escape(old)}", agent, key.file.read_text(), flags=re.M))
    private = renamed.file.with_suffix(".private")
    private.touch(0o600)
    private.write_text(key.file.with_suffix(".private").read_text())
    return renamed


def key_tag(rdata):
    """RFC 4034 appendix B."""
    total = sum(octet << 8 if at % 2 == 0 else octet for at, octet in enumerate(rdata))
    return (total + (total >> 16)) & 0xFFFF


def sign_message(wire, agent, key):
    """A whole message with a SIG(0) behind it (RFC 2931 §3), good for five minutes."""
    now = int(datetime.datetime.now(datetime.timezone.utc).timestamp())
    rdata = struct.pack("!HBBIIIH", 0, 15, 0, 0, now + 300, now - 300, key_tag(KEY_HEAD + key.public))
    rdata += dns.name.from_text(agent).canonicalize().to_wire()
    rdata += key.private.sign(rdata + wire)
    signed = wire[:10] + struct.pack("!H", struct.unpack("!H", wire[10:12])[0] + 1) + wire[12:]
    return signed + b"\0" + struct.pack("!HHIH", 24, 255, 0, len(rdata)) + rdata


def signed_update(server, zone, agent, key, parts, rows, options):
    """A first publish with EDNS options, which nsupdate cannot send; the response."""
    message = dns.update.UpdateMessage(zone)
    message.use_edns(0, payload=1232, options=options)
    message.absent(agent, "TXT")
    key_rdata = KEY_HEAD + key.public
    for row in (text_of(parts), f"KEY \\# {len(key_rdata)} {key_rdata.hex()}", *rows):
        rdtype, _, rest = row.partition(" ")
        message.add(agent, 300, rdtype, rest)
    wire = sign_message(message.to_wire(), agent, key)
    with socket.create_connection((server.address, server.port), timeout=5) as connection:
        connection.sendall(struct.pack("!H", len(wire)) + wire)
        size = struct.unpack("!H", connection.recv(2, socket.MSG_WAITALL))[0]
        return dns.message.from_wire(connection.recv(size, socket.MSG_WAITALL))
