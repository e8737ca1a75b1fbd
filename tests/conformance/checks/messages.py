"""Messages that are not plain questions: opcodes, malformed messages, addresses. RFC 1035 §4, RFC 9619, RFC 2181 §4."""

import struct

import dns.flags

from harness import (Skip, check, expect, expect_equal, expect_rcode, header, opt_rr, question)

WWW = question("www.plain.test")


def rcode_of(raw):
    expect(raw is not None, "no reply")
    return raw[3] & 0x0F


@check("RFC 1035 §4.1.1")
def a_reply_is_never_replied_to(c):
    c.expect_silence(header(flags=dns.flags.QR) + WWW, "QR=1")


@check("RFC 1035 §4.1.1")
def less_than_a_header_is_dropped(c):
    for size in (0, 1, 2, 11):
        c.expect_silence(header()[:size], f"{size} octets")


@check("RFC 1035 §4.1.1")
def an_unknown_opcode_is_notimp(c):
    for opcode in (1, 2, 3, 6, 15):
        raw = c.udp(header(flags=opcode << 11) + WWW)
        expect_equal(f"rcode of opcode {opcode}", rcode_of(raw), 4)
        expect_equal("opcode of the reply", raw[2] >> 3 & 0x0F, opcode)


@check("RFC 1996 §3.10, RFC 2136 §3.1")
def a_notify_or_update_from_nobody_is_refused(c):
    for opcode in (4, 5):
        raw = c.udp(header(flags=opcode << 11) + question("plain.test", "SOA"))
        expect(rcode_of(raw) in (4, 5, 9), f"rcode {rcode_of(raw)} is none of NOTIMP, REFUSED, NOTAUTH")


@check("RFC 9619 §4, RFC 1035 §4.1.2")
def two_questions_are_a_format_error(c):
    expect_equal("rcode", rcode_of(c.udp(header(counts=(2, 0, 0, 0)) + WWW + question("mail.plain.test"))), 1)


@check("RFC 1035 §4.1.2")
def a_query_without_a_question_is_a_format_error(c):
    expect_equal("rcode", rcode_of(c.udp(header(counts=(0, 0, 0, 0)))), 1)


@check("RFC 1035 §4.1.1")
def a_question_cut_short_is_a_format_error(c):
    for size in (1, 5, len(WWW) - 1):
        expect_equal(f"rcode at {size} octets", rcode_of(c.udp(header() + WWW[:size])), 1)


@check("RFC 1035 §4.1.1")
def counts_beyond_the_message_are_a_format_error(c):
    expect_equal("rcode", rcode_of(c.udp(header(counts=(1, 0, 0, 1)) + WWW)), 1)


@check("RFC 1035 §4.1.4")
def a_compression_loop_is_a_format_error(c):
    expect_equal("rcode", rcode_of(c.udp(header() + b"\xc0\x0c" + b"\0\x01\0\x01")), 1)
    expect_equal("rcode", rcode_of(c.udp(header() + b"\x01a\xc0\x0c" + b"\0\x01\0\x01")), 1)


@check("RFC 1035 §4.1.4")
def a_pointer_beyond_the_message_is_a_format_error(c):
    expect_equal("rcode", rcode_of(c.udp(header() + b"\xff\xff" + b"\0\x01\0\x01")), 1)


@check("RFC 1035 §4.1.4, RFC 6891 §6.1.2")
def the_reserved_label_types_are_a_format_error(c):
    for octet in (0x41, 0x80):
        raw = c.udp(header() + bytes([octet]) + b"\0" * 70 + b"\0\x01\0\x01")
        expect_equal(f"rcode of label type {octet:#x}", rcode_of(raw), 1)


@check("RFC 1035 §2.3.4")
def a_name_of_more_than_255_octets_is_a_format_error(c):
    long_name = (b"\x3f" + b"a" * 63) * 4 + b"\0"
    expect_equal("rcode", rcode_of(c.udp(header() + long_name + b"\0\x01\0\x01")), 1)


@check("RFC 1035 §4.1")
def octets_after_the_message_are_tolerated_or_a_format_error(c):
    raw = c.udp(header() + WWW + b"garbage after the end")
    expect(raw is None or rcode_of(raw) in (0, 1), "neither answered nor refused as malformed")
    c.expect_alive()


@check("RFC 1035 §4.1.1, RFC 2181 §4")
def tc_in_a_query_does_not_disturb(c):
    raw = c.udp(header(flags=dns.flags.TC) + WWW)
    expect(raw is None or rcode_of(raw) in (0, 1), "neither answered nor refused as malformed")
    expect(raw is None or not raw[2] & 2, "TC was copied into the reply")


@check("RFC 1035 §4.1.1, RFC 4035 §3.2.2")
def aa_and_ad_and_cd_and_rcode_in_a_query_do_not_disturb(c):
    raw = c.udp(header(flags=dns.flags.AA | dns.flags.AD | dns.flags.CD) + WWW)
    expect_equal("rcode", rcode_of(raw), 0)


@check("RFC 4035 §3.1.6")
def cd_and_ad_are_clear_in_an_authoritative_reply(c):
    raw = c.udp(header(flags=dns.flags.AD | dns.flags.CD) + WWW)
    expect_equal("rcode", rcode_of(raw), 0)
    expect_equal("AD and CD", raw[3] & 0x30, 0)


@check("RFC 1035 §4.1.1")
def a_query_with_records_in_its_answer_section_does_no_harm(c):
    record = b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 60, 4) + b"\x7f\0\0\1"
    raw = c.udp(header(counts=(1, 1, 0, 0)) + WWW + record)
    expect(raw is None or rcode_of(raw) in (0, 1), "neither answered nor refused as malformed")
    c.expect_alive()


@check("RFC 1035 §4.1.1")
def the_id_is_returned_whatever_it_is(c):
    for message_id in (0, 1, 0x8000, 0xFFFF):
        raw = c.udp(header(message_id) + WWW)
        expect_equal("ID", raw[:2], struct.pack("!H", message_id))


@check("RFC 1035 §4.1.1")
def an_error_reply_has_the_id_and_qr_and_no_answer(c):
    raw = c.udp(header(0xBEEF) + WWW[:-1])
    expect(raw is not None, "no reply")
    expect_equal("ID", raw[:2], b"\xbe\xef")
    expect(raw[2] & 0x80, "QR is clear")
    expect_equal("ANCOUNT", raw[6:8], b"\0\0")


@check("RFC 3596 §2")
def queries_over_ipv6_are_answered(c):
    if not c.ipv6:
        raise Skip("this machine has no ::1")
    expect_rcode(c.ask("www.plain.test", "A", address="::1"), "NOERROR")
    expect_rcode(c.ask("www.plain.test", "A", address="::1", tcp=True), "NOERROR")


@check("RFC 2181 §4.1")
def a_wildcard_bind_replies_from_the_address_that_was_asked(c):
    if c.kind == "bind":
        raise Skip("named binds interface addresses one by one, 127.0.0.5 is none")
    for address in ("127.0.0.1", "127.0.0.5", "127.200.3.4"):
        raw = c.wildcard.udp(header() + WWW, address=address, connect=True)
        expect(raw is not None, f"no reply from {address}, which was asked")


@check("RFC 2181 §4.2")
def a_reply_comes_from_the_port_that_was_asked(c):
    expect(c.udp(header() + WWW, connect=True) is not None, "no reply from the port that was asked")


@check("RFC 1035 §4.2.1")
def without_edns_a_reply_has_no_opt(c):
    reply = c.parse(c.udp(header() + WWW))
    expect_equal("EDNS version", reply.edns, -1)


@check("RFC 6895 §2, RFC 1035 §4.1.1")
def hostile_octets_do_not_end_the_server(c):
    state = 12345
    for round_number in range(300):
        octets = bytearray(header(flags=0) + WWW + (opt_rr() if round_number % 2 else b""))
        for _ in range(1 + round_number % 7):
            state = (state * 1103515245 + 12345) & 0x7FFFFFFF
            octets[2 + state % (len(octets) - 2)] = state >> 16 & 0xFF
        c.udp(bytes(octets[: 12 + state % len(octets)]), timeout=0.002, attempts=1)
    c.expect_alive()
