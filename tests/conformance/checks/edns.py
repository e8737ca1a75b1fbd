"""EDNS, sizes and truncation, NSID, padding, extended errors: RFC 6891, 2181 §9, 5001, 7830, 8914, 9715."""

from harness import (ANSWER, check, expect, expect_answer, expect_equal, expect_flag, expect_rcode, expect_section,
                     find_option,
                     header, opt_option, opt_rr, question)

WWW = question("www.plain.test")
NSID, COOKIE, PADDING, EDE = 3, 10, 12, 15


def with_opt(opt, question_wire=WWW, additional=1):
    return header(counts=(1, 0, 0, additional)) + question_wire + opt


@check("RFC 6891 §6.1.1")
def a_query_with_opt_is_answered_with_opt(c):
    reply = c.ask("www.plain.test", "A", edns=0)
    expect_equal("EDNS version", reply.edns, 0)
    expect(reply.payload >= 512, f"advertised size {reply.payload}")


@check("RFC 6891 §6.1.1")
def errors_and_refusals_carry_opt_too(c):
    for qname in ("missing.plain.test", "www.elsewhere.invalid", "host.child.plain.test"):
        expect_equal(f"EDNS version for {qname}", c.ask(qname, "A", edns=0).edns, 0)


@check("RFC 6891 §6.1.3")
def an_unknown_version_is_badvers_with_our_version(c):
    for version in (1, 100, 255):
        reply = c.parse(c.udp(with_opt(opt_rr(version=version))))
        expect_rcode(reply, "BADVERS")
        expect_equal("EDNS version", reply.edns, 0)
        expect_section(reply, ANSWER, "")


@check("RFC 6891 §6.1.1")
def two_opt_records_are_a_format_error(c):
    raw = c.udp(with_opt(opt_rr() + opt_rr(), additional=2))
    expect_equal("rcode", raw[3] & 0x0F, 1)


@check("RFC 6891 §6.1.2")
def unknown_options_are_ignored(c):
    reply = c.parse(c.udp(with_opt(opt_rr(options=opt_option(65001, b"whatever") + opt_option(65002)))))
    expect_rcode(reply, "NOERROR")
    expect(find_option(reply, 65001) is None, "an unknown option was echoed")
    expect_equal("answers", len(reply.answer), 1)


@check("RFC 6891 §6.1.4")
def unknown_edns_flags_are_ignored_and_not_echoed(c):
    reply = c.parse(c.udp(with_opt(opt_rr(flags=0x7FFF))))
    expect_rcode(reply, "NOERROR")
    expect_equal("EDNS flags", reply.ednsflags & 0x7FFF, 0)


@check("RFC 3225 §3")
def the_do_bit_is_copied(c):
    expect(c.ask("www.plain.test", "A", do=True).ednsflags & 0x8000, "DO was not copied")
    expect(not c.ask("www.plain.test", "A", edns=0).ednsflags & 0x8000, "DO came from nowhere")


@check("RFC 6891 §6.2.3")
def a_payload_below_512_counts_as_512(c):
    reply = c.parse(c.udp(with_opt(opt_rr(payload=100))))
    expect_equal("answers", len(reply.answer), 1)
    expect_flag(reply, "TC", False)


@check("RFC 6891 §6.1.2")
def an_option_longer_than_rdlength_is_a_format_error(c):
    raw = c.udp(with_opt(opt_rr(options=b"\0\x03\0\x10ab")))
    expect_equal("rcode", raw[3] & 0x0F, 1)


@check("RFC 6891 §6.1.2")
def an_opt_with_an_owner_other_than_the_root_is_a_format_error(c):
    raw = c.udp(with_opt(b"\x01a" + opt_rr()))
    expect_equal("rcode", raw[3] & 0x0F, 1)


@check("RFC 6891 §6.1.1")
def an_opt_in_another_section_is_no_edns(c):
    raw = c.udp(header(counts=(1, 1, 0, 0)) + WWW + opt_rr())
    expect(raw is None or raw[3] & 0x0F in (0, 1), "neither ignored nor a format error")


@check("RFC 1035 §4.2.1, RFC 2181 §9")
def without_edns_512_octets_are_the_limit(c):
    raw = c.udp(header() + question("a600.big.plain.test"))
    expect(len(raw) <= 512, f"{len(raw)} octets")
    expect(raw[2] & 2, "TC is clear")


@check("RFC 6891 §6.2.5")
def the_requestors_payload_size_is_the_limit(c):
    for payload in (512, 700, 1000, 1232):
        raw = c.udp(with_opt(opt_rr(payload=payload), question("a4000.big.plain.test")))
        expect(len(raw) <= payload, f"{len(raw)} octets for {payload}")
        expect(raw[2] & 2, "TC is clear")
    expect_flag(c.ask("a600.big.plain.test", "A", payload=800), "TC", False)


@check("RFC 9715 §3, RFC 6891 §6.2.5")
def a_udp_reply_has_at_most_1232_octets_by_default(c):
    raw = c.udp(with_opt(opt_rr(payload=65535), question("a8000.big.plain.test", "AAAA")))
    expect(len(raw) <= 1232, f"{len(raw)} octets")
    expect(raw[2] & 2, "TC is clear")


@check("RFC 2181 §9, §5.1")
def a_truncated_reply_has_no_part_of_an_rrset(c):
    for payload, qname in ((512, "a600.big.plain.test"), (1232, "a4000.big.plain.test")):
        reply = c.ask(qname, "A", payload=payload)
        expect_flag(reply, "TC")
        expect(sum(len(rrset) for rrset in reply.answer) in (0, 40, 250), "a part of an RRset was sent")


@check("RFC 6891 §7")
def a_truncated_reply_keeps_its_opt(c):
    expect_equal("EDNS version", c.ask("a4000.big.plain.test", "A", payload=512).edns, 0)


@check("RFC 2181 §9")
def tc_is_clear_where_only_additional_data_was_left_out(c):
    reply = c.ask("a1200.big.plain.test", "TXT", payload=1232)
    expect_flag(reply, "TC", False)
    expect_equal("answers", len(reply.answer), 1)


@check("RFC 7766 §5, RFC 2181 §9")
def what_was_truncated_is_whole_over_tcp(c):
    for qname, rdtype in (("a4000.big.plain.test", "A"), ("a8000.big.plain.test", "AAAA")):
        reply = c.ask(qname, rdtype, tcp=True, payload=512)
        expect_flag(reply, "TC", False)
        expect_equal("records", sum(len(rrset) for rrset in reply.answer), 250)


@check("RFC 5001 §2.1")
def nsid_is_answered_where_it_is_asked_for(c):
    reply = c.parse(c.udp(with_opt(opt_rr(options=opt_option(NSID)))))
    expect(find_option(reply, NSID), "no NSID, or an empty one")


@check("RFC 5001 §2.1")
def nsid_is_not_answered_unasked(c):
    expect_equal("NSID", find_option(c.ask("www.plain.test", "A", edns=0), NSID), None)


@check("RFC 7830 §4, §6")
def padding_is_not_sent_over_udp(c):
    reply = c.parse(c.udp(with_opt(opt_rr(options=opt_option(PADDING, bytes(20))))))
    expect_rcode(reply, "NOERROR")
    expect_equal("padding", find_option(reply, PADDING), None)


@check("RFC 8914 §4.21")
def a_refusal_says_not_authoritative(c):
    data = find_option(c.ask("www.elsewhere.invalid", "A", edns=0), EDE)
    expect(data is not None, "no EDE option")
    expect_equal("EDE code", int.from_bytes(data[:2], "big"), 20)


@check("RFC 8914 §2")
def an_extended_error_is_not_sent_without_edns(c):
    expect_equal("EDNS version", c.ask("www.elsewhere.invalid", "A").edns, -1)


@check("RFC 8914 §2")
def a_good_answer_has_no_extended_error(c):
    expect_equal("EDE", find_option(c.ask("www.plain.test", "A", edns=0), EDE), None)


@check("RFC 7871 §7.2.1")
def client_subnet_is_ignored_by_a_server_that_does_not_tailor(c):
    option = opt_option(8, b"\0\x01\x18\0\xc0\0\x02")
    expect_answer(c.parse(c.udp(with_opt(opt_rr(options=option)))),
                  "www.plain.test. A 192.0.2.80\nwww.plain.test. A 192.0.2.81")
