"""Rewrites a zone file so that every server reads it: RFC 3597 generic form for the types that one of them has no text
form of."""

import dns.rdata
import dns.rdataclass
import dns.rdatatype

import replies  # registers MB, MG, MR and MINFO with dnspython
from signing import run_tool

assert replies  # imported for what it registers
GENERIC = {"NULL", "MB", "MG", "MR", "WKS", "X25", "ISDN", "PX"}  # Knot DNS 3.2 or NSD 4.6 lacks them


def generic_type(mnemonic):
    return f"TYPE{int(dns.rdatatype.from_text(mnemonic))}" if mnemonic in GENERIC else mnemonic


def generic_line(line):
    """A line `owner TTL IN TYPE RDATA` with the types of GENERIC as numbers, also in RRSIG and in bit maps."""
    owner, ttl, rdclass, rdtype, rdata = line.split(None, 4)
    if rdtype in GENERIC and not rdata.startswith("\\#"):
        octets = dns.rdata.from_text(dns.rdataclass.IN, dns.rdatatype.from_text(rdtype), rdata).to_wire()
        rdata = f"\\# {len(octets)} {octets.hex()}"
    elif rdtype in ("DS", "CDS", "TLSA", "SMIMEA", "SSHFP"):  # Knot DNS takes no blank within hex digits
        *numbers, digits = rdata.split(None, 2 if rdtype == "SSHFP" else 3)
        rdata = " ".join([*numbers, digits.replace(" ", "")])
    elif rdtype in ("RRSIG", "NSEC", "NSEC3", "CSYNC"):
        rdata = " ".join(map(generic_type, rdata.split()))
    return f"{owner} {ttl} {rdclass} {generic_type(rdtype)} {rdata}"


def make_portable(path, origin):
    """Rewrites the file in place, one record a line, absolute names."""
    text = run_tool("named-compilezone", "-q", "-k", "ignore", "-i", "none", "-s", "full", "-o", "-", origin, path)
    lines = [line for line in text.splitlines() if line and not line.startswith(";")]
    path.write_text("".join(generic_line(line) + "\n" for line in lines))
    return path
