"""Types with rules of their own: RFC 3597, 8482, 8659, 9460, and the CH class."""

from harness import (Skip, check, expect, expect_answer, expect_equal, expect_flag, expect_owners, expect_rcode,
                     expect_section,
                     find, header, owners, question, records, ANSWER)

ID_SERVER = b"\x02id\x06server\0"


@check("RFC 3597 §3, §5")
def an_unknown_type_is_answered_as_it_stands_in_the_zone(c):
    expect_answer(c.ask("unknown.plain.test", "TYPE65280"), r"unknown.plain.test. TYPE65280 \# 4 0A000001")


@check("RFC 3597 §5")
def empty_rdata_is_answered_with_rdlength_zero(c):
    expect_answer(c.ask("empty-rdata.plain.test", "TYPE65281"), r"empty-rdata.plain.test. TYPE65281 \# 0")


@check("RFC 3597 §5")
def a_known_type_in_generic_form_is_the_known_type(c):
    expect_answer(c.ask("generic-a.plain.test", "A"), "generic-a.plain.test. A 192.0.2.7")


@check("RFC 3597 §3")
def an_unknown_type_that_is_not_there_is_nodata(c):
    expect_answer(c.ask("www.plain.test", "TYPE65282"), "")


@check("RFC 8659 §4, RFC 3403 §4.1")
def caa_and_naptr_are_answered(c):
    expect_answer(c.ask("caa.plain.test", "CAA"), 'caa.plain.test. CAA 0 issue "ca.example.net"')
    expect_answer(c.ask("naptr.plain.test", "NAPTR"),
                  'naptr.plain.test. NAPTR 100 10 "u" "E2U+sip" "!^.*$!sip:info@plain.test!" .')


@check("RFC 9460 §2, §7")
def svcb_rows_are_answered_octet_for_octet(c):
    expect_answer(c.ask("svcb.plain.test", "SVCB"),
                  """svcb.plain.test. SVCB 1 svc-target.plain.test. alpn="h2,h3" port=8443
        svcb.plain.test. SVCB 2 svc-target.plain.test. mandatory=alpn alpn=h2""")


@check("RFC 9460 §14.3.1")
def svcb_private_keys_are_answered_in_ascending_order(c):
    expect_answer(c.ask("svckey.plain.test", "SVCB"),
                  'svckey.plain.test. SVCB 1 svc-target.plain.test. key65400="a" key65401="private"')


@check("RFC 9460 §4.1")
def svcb_answers_carry_the_addresses_of_their_target(c):
    reply = c.ask("svcb.plain.test", "SVCB")
    expect_owners(reply, "A", {"svc-target.plain.test."})
    expect_owners(reply, "AAAA", {"svc-target.plain.test."})


@check("RFC 9460 §4.1, §2.5.2")
def a_service_mode_target_of_the_root_is_the_owner(c):
    expect_owners(c.ask("svcself.plain.test", "SVCB"), "A", {"svcself.plain.test."})
    expect_owners(c.ask("https.plain.test", "HTTPS"), "A", {"https.plain.test."})


@check("RFC 9460 §4.1")
def an_alias_mode_answer_carries_what_it_points_to(c):
    reply = c.ask("svcalias.plain.test", "SVCB")
    expect_answer(reply, "svcalias.plain.test. SVCB 0 svcb.plain.test.")
    expect_equal("SVCB", owners(reply.additional, "SVCB"), {"svcb.plain.test."})


@check("RFC 9460 §2.5.1")
def an_alias_to_the_root_says_there_is_no_service(c):
    reply = c.ask("svcnone.plain.test", "SVCB")
    expect_answer(reply, "svcnone.plain.test. SVCB 0 .")
    expect("svcnone.plain.test." not in owners(reply.additional, "A"), "addresses for a service that does not exist")


@check("RFC 9460 §9")
def an_https_row_is_answered(c):
    expect_answer(c.ask("https.plain.test", "HTTPS"), "https.plain.test. HTTPS 1 . ipv4hint=192.0.2.72")


@check("RFC 8482 §4.1, §4.2")
def any_over_udp_is_answered_small(c):
    reply = c.ask("plain.test", "ANY")
    if not reply.answer and reply.flags & 0x0200:
        raise Skip("answers ANY over UDP with TC, as RFC 8482 §4.4 leaves open")
    expect_rcode(reply, "NOERROR")
    expect_equal("RRsets", len(reply.answer), 1)


@check("RFC 8482 §4")
def any_at_a_missing_name_is_nxdomain(c):
    expect_rcode(c.ask("missing.plain.test", "ANY", tcp=True), "NXDOMAIN")


@check("RFC 8482 §4.3")
def any_at_a_cname_is_answered_without_following_it(c):
    reply = c.ask("alias.plain.test", "ANY", tcp=True)
    expect_rcode(reply, "NOERROR")
    expect(not owners(reply.answer, "A"), "the CNAME was followed")


@check("RFC 8482 §4.1")
def any_at_an_empty_non_terminal_is_nodata(c):
    reply = c.ask("ent.plain.test", "ANY", tcp=True)
    expect_rcode(reply, "NOERROR")
    expect_section(reply, ANSWER, "")


@check("RFC 4892 §2")
def id_server_is_answered_in_class_ch(c):
    reply = c.ask("id.server", "TXT", rdclass="CH")
    expect_rcode(reply, "NOERROR")
    expect_equal("TXT rows", len(records(reply.answer, "TXT")), 1)


@check("RFC 4892 §2, BIND's version.bind")
def version_server_is_answered_in_class_ch(c):
    for qname in ("version.server", "version.bind"):
        reply = c.ask(qname, "TXT", rdclass="CH")
        expect_rcode(reply, "NOERROR")
        expect_equal(f"TXT rows of {qname}", len(records(reply.answer, "TXT")), 1)


@check("RFC 4892 §2")
def another_name_in_class_ch_is_refused(c):
    reply = c.ask("www.plain.test", "A", rdclass="CH")
    expect(reply.rcode() in (4, 5), f"rcode {reply.rcode()} is neither NOTIMP nor REFUSED")
    expect_section(reply, ANSWER, "")


@check("RFC 4892 §2")
def chaos_data_is_not_served_in_class_in(c):
    expect_rcode(c.ask("id.server", "TXT"), "REFUSED")


@check("RFC 1035 §3.2.5")
def an_unknown_class_is_refused(c):
    reply = c.parse(c.udp(header() + question("www.plain.test", "A", "CLASS4711")))
    expect(reply.rcode() in (4, 5), f"rcode {reply.rcode()} is neither NOTIMP nor REFUSED")


@check("RFC 5936 §2.2, RFC 1995 §2")
def a_transfer_over_udp_gives_no_zone_away(c):
    reply = c.ask("plain.test", "AXFR")
    expect(not owners(reply.answer, "A"), "zone data over UDP")
    expect(reply.rcode() != 0 or not reply.answer, "NOERROR with an answer")


@check("RFC 6895 §3.1")
def meta_types_are_never_found_as_data(c):
    for rdtype in ("MAILB", "MAILA"):
        expect_section(c.ask("plain.test", rdtype), ANSWER, "")


@check("RFC 2181 §5.2, RFC 3597 §7")
def type_zero_and_type_65535_are_answered_without_data(c):
    for rdtype in ("TYPE0", "TYPE65535"):
        reply = c.parse(c.udp(header() + question("plain.test", rdtype)))
        expect_section(reply, ANSWER, "")
        expect(reply.rcode() in (0, 1, 4, 5), f"rcode {reply.rcode()} for {rdtype}")


@check("RFC 1034 §3.6")
def the_soa_is_answered_with_its_own_ttl_and_serial(c):
    reply = c.ask("plain.test", "SOA")
    expect_flag(reply, "AA")
    expect_equal("serial", find(reply.answer, "plain.test.", "SOA")[0].serial, 1)
