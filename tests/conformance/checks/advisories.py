"""What once stopped another name server, each in a form that any of them can be sent; ../../ADVISORIES.md says which was which."""

import contextlib
import struct
import time

import dns.message
import dns.rdatatype

import signing_key
from harness import Skip, check, expect, expect_equal, header, name, question
from signing_key import SigningKey
from tsig import key_of
from updates import ANY, IN, NONE, ZONE, Update, expect_held, in_zone, wire_record

NOERROR, FORMERR, NXDOMAIN = 0, 1, 3
NOTIFY, UPDATE = 4, 5
TKEY, IXFR, SOA = 249, 251, 6
CH, HS = 3, 4
ENOUGH = 5.0  # seconds


def expect_serving(c):
    expect(c.changing.ask(f"www.{ZONE}", "A").answer, "the server no longer answers")


def expect_error(c, what, wire):
    """A reply that is an error, or none; never a change of mind about the zone."""
    raw = c.changing.tcp(wire)
    expect(raw is None or raw[3] & 15 != NOERROR, f"{what}: NOERROR")


@check("CVE-2026-5946")
def updates_and_notifies_of_other_classes_are_errors(c):
    if c.kind == "nsd":
        raise Skip("knows no UPDATE, and acknowledges any NOTIFY")
    for rclass in (0, CH, HS, NONE, ANY, 65535):
        zone = name(ZONE).to_wire() + struct.pack("!HH", SOA, rclass)
        for opcode in (NOTIFY, UPDATE):
            expect_error(c, f"opcode {opcode}, class {rclass}", header(7, opcode << 11) + zone)
        update = Update(c)
        update.zones = [(ZONE, "SOA", rclass)]
        update.put("other-class", "A", IN, 300, "192.0.2.1")
        expect_error(c, f"an update of class {rclass}", update.key.sign(update.wire())[0])
    expect_held(c, "other-class", "A")
    expect_serving(c)


@check("CVE-2026-3119, RFC 2930 §3")
def a_signed_tkey_query_is_an_error_and_nothing_more(c):
    algorithm = name("hmac-sha256").to_wire()
    now = int(time.time())
    rdata = algorithm + struct.pack("!IIHHH", now, now + 3600, 2, 0, 4) + b"\1\2\3\4" + struct.pack("!H", 0)
    owner = name("some.key.").to_wire()
    query = (header(9, counts=(1, 0, 0, 1)) + owner + struct.pack("!HH", TKEY, ANY)
             + owner + struct.pack("!HHIH", TKEY, ANY, 0, len(rdata)) + rdata)
    for wire in (query, key_of(c).sign(query)[0]):
        raw = c.changing.tcp(wire)
        expect(raw is None or not struct.unpack("!H", raw[6:8])[0] or raw[3] & 15, "an answer")
    expect_serving(c)


@check("CVE-2025-13878, RFC 3597 §3")
def types_that_are_new_have_any_rdata(c):
    for rtype in (67, 68):  # HHIT, BRID
        for rdata in (b"", b"\0", b"\xff" * 300):
            update = Update(c)
            update.put(f"new-{rtype}", rtype, IN, 300, rdata)
            got = update.send()
            expect(got in (NOERROR, FORMERR), f"type {rtype} with {len(rdata)} octets: rcode {got}")
        c.changing.ask(f"new-{rtype}.{ZONE}", rtype, tcp=True)
    expect_serving(c)


@check("CVE-2026-12244, RFC 9460 §2.2")
def svcb_parameters_that_run_past_their_rdata_are_a_format_error(c):
    if c.kind == "knot":
        raise Skip("takes RDATA of SVCB as it comes")
    for params in (b"\0\1\xff\xff\2h2", b"\0\1\0\5\4h2", b"\0\4\0\3\1\2\3", b"\0\0\0\1\0", b"\0\3\0\1\1", b"\0\1",
                   b"\0\6\0\4\1\2\3\4", b"\0\3\0\2\0\1\0\1\0\3\2h2"):
        update = Update(c)
        update.updates.append(wire_record("svcb-long", "SVCB", IN, 300, struct.pack("!H", 1) + name(ZONE).to_wire() + params))
        expect_equal(f"rcode of {params.hex()}", update.send(), FORMERR)
    expect_held(c, "svcb-long", "SVCB")


@check("CVE-2026-12246, RFC 3123 §4")
def apl_addresses_longer_than_their_family_are_a_format_error(c):
    if c.kind == "knot":
        raise Skip("takes RDATA of APL as it comes")
    for rdata in (b"\0\1\x20\x05\1\2\3\4\5", b"\0\2\x80\x11" + bytes(range(1, 18)), b"\0\1\x20\x7f" + b"\1" * 127):
        update = Update(c)
        update.put("apl-long", "APL", IN, 300, rdata)
        expect_equal(f"rcode of {rdata[:8].hex()}", update.send(), FORMERR)
    expect_held(c, "apl-long", "APL")


@check("CVE-2023-4408")
def a_message_of_very_many_names_costs_little(c):
    update = Update(c)
    for number in range(1500):
        update.need(f"nobody{number}", "A", NONE)
    began = time.monotonic()
    for _ in range(5):
        update.send()
    query = header(3, counts=(1, 0, 0, 4000)) + question(f"www.{ZONE}")
    for number in range(4000):
        query += bytes([4]) + f"{number:04}".encode() + b"\xc0\x0c" + struct.pack("!HHIH", 1, IN, 0, 0)
    with c.changing.stream() as stream, contextlib.suppress(ConnectionError):
        for _ in range(20):
            stream.send(query[:65535])
    expect_serving(c)
    expect(time.monotonic() - began < ENOUGH, f"{time.monotonic() - began:.1f} s")


@check("NSD 4.15.1, RFC 1034 §3.6.2")
def a_chain_of_very_many_aliases_is_answered_or_given_up(c):
    update = Update(c)
    for number in range(300):
        update.add(f"chain{number}", "CNAME", f"chain{number + 1}.{ZONE}")
    update.expect("NOERROR")
    for tcp in (False, True):
        reply = c.changing.ask(f"chain0.{ZONE}", "A", tcp=tcp)
        expect(tcp or len(reply.to_wire()) <= 1232, "a long reply over UDP")
    expect_serving(c)


@check("Knot DNS 3.0.7, RFC 4592 §3.3.3")
def a_wildcard_alias_of_names_that_it_covers_ends(c):
    Update(c).add("*.loop", "CNAME", f"a.loop.{ZONE}").expect("NOERROR")
    reply = c.changing.ask(f"b.loop.{ZONE}", "A", tcp=True)
    owners = [rrset.name for rrset in reply.answer]
    expect(in_zone("b.loop") in owners, "the first step is missing")
    expect_equal("records of each owner", len(owners), len(set(owners)))
    expect_serving(c)


@check("CVE-2021-25215, RFC 6672 §3.2")
def a_dname_that_is_asked_for_behind_a_dname_is_answered(c):
    (Update(c).add("via", "DNAME", f"to.{ZONE}").add("end.to", "DNAME", f"www.{ZONE}").add("points", "CNAME", f"end.via.{ZONE}")
     .expect("NOERROR"))
    for owner in ("end.via", "points"):
        reply = c.changing.ask(f"{owner}.{ZONE}", "DNAME", tcp=True)
        found = {(rrset.name, rrset.rdtype) for rrset in reply.answer}
        expect((in_zone("end.to"), dns.rdatatype.DNAME) in found, f"the DNAME at the end of {owner} is missing: {found}")
    expect_serving(c)


@check("NSD 4.15.1, RFC 1995 §3")
def an_ixfr_whose_soa_is_too_long_or_short_is_an_error(c):
    for rdata in (b"", b"\0\0", b"\0\0" + bytes(19), b"\0\0" + bytes(21), b"\0\0" + b"\1" * 40_000, b"\xc0\x0c" * 2 + bytes(16)):
        record = name(ZONE).to_wire() + struct.pack("!HHIH", SOA, IN, 0, len(rdata)) + rdata
        wire = header(5, counts=(1, 0, 1, 0)) + name(ZONE).to_wire() + struct.pack("!HH", IXFR, IN) + record
        with c.changing.stream() as stream:
            stream.send(wire)
            raw = stream.receive()
        expect(c.kind != "ours" or raw[3] & 15 == FORMERR, f"SOA of {len(rdata)} octets: no format error")
    expect_serving(c)


@check("Knot DNS 3.4.2")
def the_root_is_a_name_like_any_other(c):
    for rtype in (1, 2, SOA, 5, 39, 43, 255, 65535):
        raw = c.changing.udp(header(4) + b"\0" + struct.pack("!HH", rtype, IN))
        expect(raw is not None and not struct.unpack("!H", raw[6:8])[0], f"type {rtype}: no reply, or an answer")
    expect_serving(c)


@check("Knot DNS 3.1.8")
def a_tsig_of_any_shape_ends_nothing(c):
    key = key_of(c)
    wire, _ = key.sign(header(6) + question(f"www.{ZONE}"))
    start = signing_key.find(wire).start
    size = struct.unpack("!H", wire[start + len(signing_key.canonical(key.name)) + 8:][:2])[0]
    rdlength = len(wire) - size - 2
    for cut in range(size):
        shorter = wire[:rdlength] + struct.pack("!H", cut) + wire[rdlength + 2:rdlength + 2 + cut]
        c.changing.udp(shorter, timeout=0.002, attempts=1)
    other = SigningKey("x" * 60 + ".", "AA==")
    for error in (16, 17, 18, 22, 65535):
        c.changing.udp(other.sign(header(6) + question(f"www.{ZONE}"), error=error)[0], timeout=0.002, attempts=1)
    expect_serving(c)
