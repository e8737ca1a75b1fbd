"""Reads zone files with dnspython, which knows no text form of KEY (RFC 2535 §7.1): rows of it become RFC 3597 generic
RDATA."""

import base64
import pathlib
import re

import dns.zone

KEY_ROW = re.compile(r"(?<=\s)KEY\s+(\d+)\s+(\d+)\s+(\d+)\s+([A-Za-z0-9+/= ]+)$", re.MULTILINE)


def _generic(match):
    flags, protocol, algorithm = map(int, match.group(1, 2, 3))
    rdata = flags.to_bytes(2, "big") + bytes([protocol, algorithm]) + base64.b64decode(match.group(4).replace(" ", ""))
    return f"TYPE25 \\# {len(rdata)} {rdata.hex()}"


def read_zone(path, origin):
    """A zone file as a dnspython zone with absolute names. $INCLUDE is not followed."""
    return zone_of_text(pathlib.Path(path).read_text(), origin)


def zone_of_text(text, origin):
    return dns.zone.from_text(KEY_ROW.sub(_generic, text), origin, relativize=False)
