"""What update_peers.py sends: UPDATEs as nsupdate's text, and messages that nsupdate would not send.

Each script has a zone of its own with the records of ZONE; `{z}` is its name. An empty line sends what stands before it.
"""

import struct
from dataclasses import dataclass

import dns.name
import dns.rdataclass
import dns.rdatatype

ZONE = """$TTL 300
@ SOA ns1 hostmaster 7 3600 600 1209600 60
@ NS ns1
@ NS ns2
@ TXT apex
ns1 A 192.0.2.1
ns2 A 192.0.2.2
a A 192.0.2.1
a A 192.0.2.2
a MX 10 Mail
alias CNAME a
x.ent TXT here
*.w TXT wild
sub NS ns.sub
ns.sub A 192.0.2.3
d DNAME other.test.
"""


@dataclass(frozen=True)
class Script:
    name: str
    section: str  # of RFC 2136, unless it says otherwise
    text: str = ""
    signed: bool = False  # the server signs the zone
    raw: object = None    # (zone) -> a message without its TSIG


def record(owner, rdtype, rdclass, ttl, rdata=b""):
    return dns.name.from_text(owner).to_wire() + struct.pack(
        "!HHIH", dns.rdatatype.from_text(rdtype), dns.rdataclass.from_text(rdclass), ttl, len(rdata)) + rdata


def message(zone, prerequisites=(), updates=(), rdtype="SOA", zones=1):
    head = struct.pack("!6H", 4711, 0x2800, zones, len(prerequisites), len(updates), 0)
    question = dns.name.from_text(zone).to_wire() + struct.pack("!HH", dns.rdatatype.from_text(rdtype), 1)
    return head + question * zones + b"".join(prerequisites) + b"".join(updates)


def with_prerequisite(owner, *rest):
    return lambda zone: message(zone, [record(owner.format(z=zone), *rest)])


def with_update(owner, *rest):
    return lambda zone: message(zone, (), [record(owner.format(z=zone), *rest)])


A = bytes([192, 0, 2, 1])

PREREQUISITES = [
    Script("yxdomain-holds", "2.4.4", "prereq yxdomain a.{z}\nupdate add n.{z} 300 A 192.0.2.9"),
    Script("yxdomain-fails", "2.4.4", "prereq yxdomain n.{z}\nupdate add n.{z} 300 A 192.0.2.9"),
    Script("yxdomain-empty-non-terminal", "2.4.4", "prereq yxdomain ent.{z}\nupdate add n.{z} 300 A 192.0.2.9"),
    Script("yxdomain-below-wildcard", "2.4.4", "prereq yxdomain n.w.{z}\nupdate add n.{z} 300 A 192.0.2.9"),
    Script("nxdomain-holds", "2.4.5", "prereq nxdomain n.{z}\nupdate add n.{z} 300 A 192.0.2.9"),
    Script("nxdomain-fails", "2.4.5", "prereq nxdomain a.{z}\nupdate add n.{z} 300 A 192.0.2.9"),
    Script("nxdomain-empty-non-terminal", "2.4.5", "prereq nxdomain ent.{z}\nupdate add n.{z} 300 A 192.0.2.9"),
    Script("yxrrset-holds", "2.4.1", "prereq yxrrset a.{z} A\nupdate add n.{z} 300 A 192.0.2.9"),
    Script("yxrrset-fails", "2.4.1", "prereq yxrrset a.{z} AAAA\nupdate add n.{z} 300 A 192.0.2.9"),
    Script("nxrrset-holds", "2.4.3", "prereq nxrrset a.{z} AAAA\nupdate add n.{z} 300 A 192.0.2.9"),
    Script("nxrrset-fails", "2.4.3", "prereq nxrrset a.{z} A\nupdate add n.{z} 300 A 192.0.2.9"),
    Script("value-holds", "3.2.3", "prereq yxrrset a.{z} A 192.0.2.2\nprereq yxrrset a.{z} A 192.0.2.1\nupdate add n.{z} 300 A 192.0.2.9"),
    Script("value-subset", "3.2.3", "prereq yxrrset a.{z} A 192.0.2.1\nupdate add n.{z} 300 A 192.0.2.9"),
    Script("value-superset", "3.2.3", "prereq yxrrset a.{z} A 192.0.2.2\nprereq yxrrset a.{z} A 192.0.2.1\nprereq yxrrset a.{z} A 192.0.2.3"),
    Script("value-case", "1.1.1", "prereq yxrrset A.{z} MX 10 mAIL.{z}\nupdate add n.{z} 300 A 192.0.2.9"),
    Script("value-absent", "3.2.3", "prereq yxrrset n.{z} A 192.0.2.1"),
]

CHANGES = [
    Script("add", "2.5.1", "update add n.{z} 300 A 192.0.2.9\nupdate add a.{z} 300 A 192.0.2.3"),
    Script("add-repeat", "3.4.2.2", "update add a.{z} 300 A 192.0.2.1"),
    Script("add-new-ttl", "3.4.2.2", "update add a.{z} 60 A 192.0.2.1"),
    Script("add-new-ttl-and-record", "3.4.2.2", "update add a.{z} 60 A 192.0.2.3"),
    Script("cname-beside-data", "3.4.2.2", "update add a.{z} 300 CNAME b.{z}"),
    Script("cname-ttl-0-beside-data", "3.4.2.2", "update add a.{z} 0 CNAME b.{z}"),
    Script("data-beside-cname", "3.4.2.2", "update add alias.{z} 300 A 192.0.2.9"),
    Script("cname-replaced", "3.4.2.2", "update add alias.{z} 300 CNAME b.{z}"),
    Script("cname-at-apex", "3.4.2.2", "update add {z} 300 CNAME b.{z}"),
    Script("cname-at-empty-non-terminal", "3.4.2.2", "update add ent.{z} 300 CNAME a.{z}"),
    Script("cname-to-data", "3.4.2.7", "update delete alias.{z}\nupdate add alias.{z} 300 A 192.0.2.9"),
    Script("dname-replaced", "RFC 6672 5.2", "update add d.{z} 300 DNAME new.test."),
    Script("dname-beside-cname", "RFC 6672 5.2", "update add alias.{z} 300 DNAME new.test."),
    Script("cname-beside-dname", "RFC 6672 5.2", "update add d.{z} 300 CNAME a.{z}"),
    Script("dname-beside-ns", "RFC 6672 2.3", "update add sub.{z} 300 DNAME new.test."),
    Script("below-dname", "RFC 6672 5.2", "update add x.d.{z} 300 A 192.0.2.9"),
    Script("soa-ahead", "3.4.2.2", "update add {z} 300 SOA ns1.{z} other.{z} 100 1 2 3 60"),
    Script("soa-behind", "3.4.2.2", "update add {z} 300 SOA ns1.{z} other.{z} 3 1 2 3 60"),
    Script("soa-elsewhere", "3.4.2.2", "update add a.{z} 300 SOA ns1.{z} other.{z} 100 1 2 3 60"),
    Script("wks-replaced", "3.4.2.2", "update add h.{z} 300 WKS 192.0.2.1 6 25\n\nupdate add h.{z} 300 WKS 192.0.2.1 6 80"),
    Script("delete-rrset", "2.5.2", "update delete a.{z} A"),
    Script("delete-rrset-absent", "2.5.2", "update delete n.{z} A\nupdate delete a.{z} AAAA"),
    Script("delete-apex-soa-ns", "3.4.2.3", "update delete {z} NS\nupdate delete {z} SOA"),
    Script("delete-cut", "2.5.2", "update delete sub.{z} NS"),
    Script("delete-name", "2.5.3", "update delete a.{z}"),
    Script("delete-apex", "3.4.2.3", "update delete {z}"),
    Script("delete-empty-non-terminal", "2.5.3", "update delete ent.{z}"),
    Script("delete-record", "2.5.4", "update delete a.{z} A 192.0.2.1"),
    Script("delete-record-case", "2.5.4", "update delete A.{z} MX 10 mAIL.{z}"),
    Script("delete-record-absent", "2.5.4", "update delete a.{z} A 192.0.2.99"),
    Script("delete-last-ns", "3.4.2.4", "update delete {z} NS ns1.{z}\nupdate delete {z} NS ns2.{z}"),
    Script("replace-last-ns", "3.4.2.4", "update delete {z} NS ns1.{z}\n\nupdate add {z} 300 NS ns3.{z}\nupdate delete {z} NS ns2.{z}"),
    Script("order", "3.4.2.7", "update add n.{z} 300 A 192.0.2.9\nupdate delete n.{z}\nupdate add n.{z} 300 TXT last"),
    Script("outside", "3.4.1.3", "zone {z}\nupdate add outside.example. 300 A 192.0.2.9"),
    Script("atomic", "3.4.1.3", "zone {z}\nupdate add n.{z} 300 A 192.0.2.9\nupdate add outside.example. 300 A 192.0.2.9"),
    Script("glue", "3.4.2.2", "update add ns2.sub.{z} 300 A 192.0.2.9\nupdate add sub.{z} 300 NS ns2.sub.{z}"),
    Script("wildcard", "2.5", "update add *.{z} 300 TXT wild\nupdate delete *.w.{z}"),
    Script("opaque", "2.5.1", "update add n.{z} 300 TYPE65280 \\# 3 abcdef"),
    Script("svcb", "2.5.1", "update add n.{z} 300 SVCB 1 . alpn=h2 port=443"),
]

MALFORMED = [
    Script("prerequisite-ttl", "3.2", raw=with_prerequisite("a.{z}", "A", "ANY", 1)),
    Script("prerequisite-rdata-any", "3.2", raw=with_prerequisite("a.{z}", "A", "ANY", 0, A)),
    Script("prerequisite-rdata-none", "3.2", raw=with_prerequisite("n.{z}", "A", "NONE", 0, A)),
    Script("prerequisite-class", "3.2", raw=with_prerequisite("a.{z}", "A", "CH", 0)),
    Script("prerequisite-outside", "3.2", raw=with_prerequisite("outside.example.", "A", "NONE", 0)),
    Script("prerequisite-type-any", "CVE-2009-0696", raw=with_prerequisite("a.{z}", "ANY", "IN", 0)),
    Script("update-type-any", "3.4.1.2", raw=with_update("a.{z}", "ANY", "IN", 300)),
    Script("update-type-axfr", "3.4.1.2", raw=with_update("a.{z}", "AXFR", "ANY", 0)),
    Script("update-type-maila", "3.4.1.2", raw=with_update("a.{z}", "MAILA", "ANY", 0)),
    Script("update-ttl-any", "3.4.1.2", raw=with_update("a.{z}", "A", "ANY", 1)),
    Script("update-ttl-none", "3.4.1.2", raw=with_update("a.{z}", "A", "NONE", 1, A)),
    Script("update-rdata-any", "3.4.1.2", raw=with_update("a.{z}", "A", "ANY", 0, A)),
    Script("update-class", "3.4.1.2", raw=with_update("a.{z}", "A", "CH", 0, A)),
    Script("update-rdata-short", "3.4.1.2", raw=with_update("a.{z}", "A", "IN", 0, A[:3])),
    Script("zone-type", "3.1.1", raw=lambda zone: message(zone, rdtype="A")),
    Script("two-zones", "3.1.1", raw=lambda zone: message(zone, zones=2)),
    Script("no-zone", "3.1.1", raw=lambda zone: message(zone, zones=0)),
]

SIGNED = [
    Script("signed-add", "RFC 3007", "update add n.{z} 300 A 192.0.2.9", signed=True),
    Script("signed-delete", "RFC 3007", "update delete a.{z}", signed=True),
    Script("signed-nsec", "RFC 3007", "update delete a.{z} NSEC", signed=True),
    Script("signed-rrsig", "RFC 3007", "update delete a.{z} RRSIG", signed=True),
    Script("signed-nsec3param", "RFC 5155", "update add {z} 0 NSEC3PARAM 1 0 0 -", signed=True),
    Script("signed-dnskey", "RFC 3007", "update delete {z} DNSKEY", signed=True),
    Script("signed-cds", "RFC 7344", "update delete {z} CDS", signed=True),
]

SCRIPTS = PREREQUISITES + CHANGES + MALFORMED + SIGNED
