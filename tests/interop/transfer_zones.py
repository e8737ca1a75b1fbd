"""The zones that are transferred among servers: their text before and after the change, and what of them two servers are compared by."""

import hashlib
import pathlib
import re
import subprocess
from dataclasses import dataclass

import dns.rdatatype
import dns.zone

from links import READER, Key
from report import Failed
from servers import find_program

SHA256 = Key("one", "hmac-sha256", "c3Rld2FyZC1zdGV3YXJkLXN0ZXdhcmQtc3Rld2FyZCE=")
SHA512 = Key("two", "hmac-sha512", "c2Vjb25kLXNlY29uZC1zZWNvbmQtc2Vjb25kLXNlY29uZC1zZWNvbmQtc2Vjb25kLXNlY29uZCE=")
UPDATER = Key("updater", "hmac-sha256", "dXBkYXRlci11cGRhdGVyLXVwZGF0ZXItdXBkYXRlciE=")
TLS_NAME = "ns1.example"


@dataclass(frozen=True)
class Mode:
    """How a zone is made and transferred. `serials`: of its file before and after the change."""

    name: str
    what: str
    key: Key = None
    tls: bool = False
    dnssec: object = False
    serials: tuple = (1, 2)
    names: int = 40
    update_key: Key = None
    tls_client: str = ""


MODES = [
    Mode("unsigned", "unsigned"),
    Mode("nsec", "signed, NSEC", dnssec=True),
    Mode("nsec3", "signed, NSEC3", dnssec={"nsec3": True}),
    Mode("sha256", "TSIG with HMAC-SHA-256", key=SHA256),
    Mode("sha512", "TSIG with HMAC-SHA-512, signed, NSEC", key=SHA512, dnssec=True),
    Mode("tls", "TLS", tls=True),
    Mode("tlskey", "TLS and TSIG", tls=True, key=SHA256),
    Mode("mutual", "mutual TLS", tls=True, tls_client=TLS_NAME),
    Mode("wrap", "serial 4294967295 to 1", serials=(4294967295, 1)),
    Mode("update", "changed by nsupdate", update_key=UPDATER),
    Mode("large", "20000 names", names=20000),
]

ODD = r"""a\.b TXT "a dot in a label"
\000\255 TXT "octets"
*.wild A 192.0.2.77
Mixed A 192.0.2.78
deep.er.than.ever TXT "\"quoted\" \\ ; \200" "" "second"
sub NS ns.sub
ns.sub A 192.0.2.79
svc HTTPS 1 . alpn=h2 port=443 ipv4hint=192.0.2.80
odd TYPE65280 \# 4 01020304
caa CAA 0 issue "ca.example"
alias CNAME n1
mail MX 10 n1
_s._tcp SRV 1 2 3 n1
"""


def zone_text(mode, changed):
    """Records, with timers that have nobody ask before a NOTIFY would have come."""
    lines = ["$TTL 300", f"@ SOA ns1 hostmaster {mode.serials[changed]} 3600 600 604800 60", "@ NS ns1", "ns1 A 127.0.0.1"]
    lines += [f"n{number} A 198.18.{number >> 8 & 255}.{number & 255}" for number in range(mode.names)]
    lines += [f't{number} TXT "text {number}"' for number in range(mode.names // 4)]
    lines += ["fresh TXT new", "n1 AAAA 2001:db8::1"] if changed else ["gone TXT old", "n1 A 192.0.2.1"]
    return "\n".join(lines) + "\n" + ODD


def update_text(zone, server, key):
    return (f"server {server.address} {server.port}\nzone {zone}\nkey {key.algorithm}:{key.name} {key.secret}\n"
            f"update delete gone.{zone}\nupdate delete n1.{zone} A 192.0.2.1\nupdate add fresh.{zone} 300 TXT new\n"
            f"update add n1.{zone} 300 AAAA 2001:db8::1\nsend\n")


def transferred(server, zone, key=None):
    """The zone's records by AXFR, as sorted lines in the words of dig."""
    command = [find_program("dig"), "-b", READER, f"@{server.address}", "-p", str(server.port), zone, "AXFR", "+noall", "+answer", "+onesoa",
               "+time=10", "+tries=1", "+nosplit"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    lines = [line for line in done.stdout.splitlines() if line and not line.startswith(";")]
    if not lines or "Transfer failed" in done.stdout:
        raise Failed(f"no transfer of {zone} from {server.kind}: {done.stdout[-300:]}{done.stderr}")
    return sorted(tidy(line) for line in lines)


def tidy(line):
    """Names compare without case (RFC 4343), other data as they are."""
    owner, ttl, rdclass, rdtype, data = line.split(None, 4)
    return f"{owner.lower()} {ttl} {rdclass} {rdtype} {data.lower() if rdtype in NAMED else data}"


NAMED = {"NS", "SOA", "MX", "CNAME", "NSEC", "NSEC3", "SRV", "PTR"}


def written(server, zone):
    """The zone's records from the file that the server wrote, in dnspython's words."""
    path = pathlib.Path(server.file_of(zone))
    if not path.exists():
        raise Failed(f"{server.kind} wrote no {path.name}")
    return canonical(path.read_text(), zone.name)


def canonical(text, origin):
    text = re.sub(r"(?m)^.*\sNSEC\s.*$", lambda line: line[0].lower(), text)  # the case of the next name is free
    zone = dns.zone.from_text(text, origin, relativize=False, check_origin=False)
    return sorted(f"{str(owner).lower()} {ttl} {dns.rdatatype.to_text(rdata.rdtype)} {rdata.to_digestable(zone.origin).hex()}"
                  for owner, ttl, rdata in zone.iterate_rdatas())


def digest(lines):
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def compare(ours, theirs):
    """"" if the two lists of lines are equal, else what differs first."""
    if digest(ours) == digest(theirs):
        return ""
    only = [line for line in ours if line not in set(theirs)][:4]
    other = [line for line in theirs if line not in set(ours)][:4]
    return f"{len(ours)} and {len(theirs)} records; only at the primary: {only}; only at the secondary: {other}"


def fields(line):
    """The words KEY=VALUE of a line of our log."""
    return dict(re.findall(r'([\w.-]+)=("(?:[^"\\]|\\.)*"|\S+)', line))
