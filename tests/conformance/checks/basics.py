"""Answers, aliases, referrals and negative answers: RFC 1034, 1035, 2181, 2308, 8020, 9471."""

import dns.flags

from harness import (ADDITIONAL, ANSWER, AUTHORITY, check, expect, expect_answer, expect_equal, expect_flag,
                     expect_nodata,
                     expect_nxdomain, expect_owners, expect_rcode, expect_section, expect_soa_authority, find, header,
                     owners, question,
                     records)

APEX = "plain.test."


@check("RFC 1034 §4.3.2 step 3a")
def an_exact_match_is_answered_with_authority(c):
    expect_answer(c.ask("www.plain.test", "A"), "www.plain.test. A 192.0.2.80\nwww.plain.test. A 192.0.2.81")


@check("RFC 1034 §3.7.1")
def only_the_asked_type_is_answered(c):
    expect_answer(c.ask("many.plain.test", "TXT"), 'many.plain.test. TXT "one"')


@check("RFC 1034 §3.1")
def names_match_whatever_their_case(c):
    expect_answer(c.ask("wWw.PLAIN.tEsT", "AAAA"), "www.plain.test. AAAA 2001:db8::80")


@check("RFC 1035 §4.1.2, RFC 4343 §4.1")
def the_question_is_returned_with_the_case_of_the_query(c):
    reply = c.udp(header() + question("wWw.PLAIN.tEsT"))
    expect(reply is not None and question("wWw.PLAIN.tEsT") in reply, "the question's case was changed")


@check("RFC 1034 §3.1")
def rdata_keeps_the_case_of_the_zone_file(c):
    reply = c.ask("mixed.plain.test", "TXT")
    expect_answer(reply, 'mixed.plain.test. TXT "written in mixed case"')


@check("RFC 1035 §4.1.1")
def authoritative_replies_do_not_offer_recursion(c):
    expect_flag(c.ask("www.plain.test", "A"), "RA", False)


@check("RFC 1035 §4.1.1")
def the_rd_bit_is_copied_into_the_reply(c):
    reply = c.udp(header(flags=dns.flags.RD) + question("www.plain.test"))
    expect_flag(c.parse(reply), "RD")
    expect_flag(c.parse(c.udp(header() + question("www.plain.test"))), "RD", False)


@check("RFC 1035 §4.1.1, RFC 4035 §3.1.6")
def z_is_zero_in_replies_and_ad_is_not_claimed(c):
    reply = c.parse(c.udp(header(flags=0x0040) + question("www.plain.test")))
    expect_equal("Z bit", reply.flags & 0x0040, 0)
    expect_flag(c.ask("www.plain.test", "A"), "AD", False)


@check("RFC 2181 §5.2")
def an_rrset_has_one_ttl(c):
    expect_equal("TTL", find(c.ask("ttl.plain.test", "TXT").answer, "ttl.plain.test.", "TXT").ttl, 60)


@check("RFC 1035 §3.3.14")
def strings_are_answered_octet_for_octet(c):
    expect_answer(c.ask("strings.plain.test", "TXT"), r'strings.plain.test. TXT "" "two" "\255\000\034"')


@check("RFC 2181 §11")
def any_octet_may_stand_in_a_label(c):
    for owner in (r"escaped\.dot.plain.test.", r"spa\032ce.plain.test.", r"\000nul.plain.test."):
        reply = c.ask(owner, "TXT")
        expect_rcode(reply, "NOERROR")
        expect_equal("records", len(reply.answer), 1)


@check("RFC 2181 §11")
def a_dot_inside_a_label_is_not_a_label_boundary(c):
    expect_nxdomain(c.ask("escaped.dot.plain.test", "TXT"), APEX)


@check("RFC 1034 §4.3.2 step 3a")
def a_cname_is_followed_within_the_zone(c):
    expect_answer(c.ask("alias2.plain.test", "AAAA"), """alias2.plain.test. CNAME alias.plain.test.
        alias.plain.test. CNAME www.plain.test.
        www.plain.test. AAAA 2001:db8::80""")


@check("RFC 1034 §3.6.2")
def the_cname_itself_is_answered_when_it_is_asked_for(c):
    expect_answer(c.ask("alias.plain.test", "CNAME"), "alias.plain.test. CNAME www.plain.test.")


@check("RFC 1034 §3.6.2")
def a_chain_is_answered_in_the_order_it_is_followed(c):
    expect_equal("order", [rrset.name.to_text() for rrset in c.ask("alias2.plain.test", "A").answer],
                 ["alias2.plain.test.", "alias.plain.test.", "www.plain.test."])


@check("RFC 1034 §3.6.2")
def a_cname_loop_ends(c):
    reply = c.ask("loop-a.plain.test", "A")
    expect_flag(reply, "AA")
    expect("loop-a.plain.test." in owners(reply.answer, "CNAME"), "the CNAME is missing")
    expect(len(reply.answer) <= 3, f"{len(reply.answer)} RRsets of a loop of two")


@check("RFC 6604 §3, RFC 2308 §2.1")
def a_cname_to_a_missing_name_is_nxdomain(c):
    reply = c.ask("dangling.plain.test", "A")
    expect_answer(reply, "dangling.plain.test. CNAME missing.plain.test.", "NXDOMAIN")
    expect_soa_authority(reply, APEX)


@check("RFC 2308 §2.2")
def a_cname_to_a_name_without_the_type_is_nodata(c):
    reply = c.ask("alias.plain.test", "TXT")
    expect_answer(reply, "alias.plain.test. CNAME www.plain.test.")
    expect_soa_authority(reply, APEX)


@check("RFC 8020 §2, RFC 6604 §3")
def a_cname_to_an_empty_non_terminal_is_nodata(c):
    reply = c.ask("to-ent.plain.test", "A")
    expect_answer(reply, "to-ent.plain.test. CNAME ent.plain.test.")
    expect_soa_authority(reply, APEX)


@check("RFC 1034 §4.3.2 step 3a")
def a_cname_out_of_the_zone_is_answered_alone(c):
    expect_answer(c.ask("outside.plain.test", "A"), "outside.plain.test. CNAME www.elsewhere.invalid.")


@check("RFC 1034 §4.3.2 step 3b")
def a_cname_into_a_delegation_is_answered_with_the_referral(c):
    reply = c.ask("to-child.plain.test", "A")
    expect_answer(reply, "to-child.plain.test. CNAME host.child.plain.test.")
    expect_equal("delegation", owners(reply.authority, "NS"), {"child.plain.test."})


@check("RFC 1034 §4.3.2 step 3c")
def a_cname_into_a_wildcard_is_expanded(c):
    expect_answer(c.ask("to-wild.plain.test", "TXT"), """to-wild.plain.test. CNAME something.wild.plain.test.
        something.wild.plain.test. TXT "from a wildcard\"""")


@check("RFC 1034 §4.3.2 step 3b, RFC 2181 §6.1")
def a_name_below_a_cut_is_a_referral_without_authority(c):
    reply = c.ask("host.child.plain.test", "A")
    expect_rcode(reply, "NOERROR")
    expect_flag(reply, "AA", False)
    expect_section(reply, ANSWER, "")
    expect_section(reply, AUTHORITY, """child.plain.test. NS ns.child.plain.test.
        child.plain.test. NS ns2.child.plain.test.""")


@check("RFC 9471 §3.1")
def a_referral_has_all_glue_within_the_delegation(c):
    glue = """ns.child.plain.test. A 192.0.2.53\nns.child.plain.test. AAAA 2001:db8::53
        ns2.child.plain.test. A 192.0.2.54"""
    for reply in (c.ask("host.child.plain.test", "A"), c.ask("child.plain.test", "NS")):
        expect_section(reply, ADDITIONAL, glue)


@check("RFC 9471 §3.2")
def a_referral_has_sibling_glue_where_it_fits(c):
    reply = c.ask("host.sibling.plain.test", "A")
    expect_section(reply, ADDITIONAL, """ns.child.plain.test. A 192.0.2.53\nns.child.plain.test. AAAA 2001:db8::53""")


@check("RFC 1034 §4.3.2 step 3b")
def a_referral_has_the_addresses_of_servers_in_the_zone(c):
    expect_section(c.ask("host.inzone.plain.test", "A"), ADDITIONAL,
                   "ns1.plain.test. A 127.0.0.1\nns1.plain.test. AAAA ::1")


@check("RFC 1034 §4.2.1")
def a_referral_to_foreign_servers_has_no_glue(c):
    expect_section(c.ask("host.foreign.plain.test", "A"), ADDITIONAL, "")


@check("RFC 1034 §4.3.2 step 3b, RFC 2181 §6.1")
def ns_at_the_cut_is_a_referral_too(c):
    reply = c.ask("child.plain.test", "NS")
    expect_flag(reply, "AA", False)
    expect_section(reply, ANSWER, "")
    expect_equal("delegation", owners(reply.authority, "NS"), {"child.plain.test."})


@check("RFC 2181 §5.4.1, RFC 1034 §4.2.1")
def glue_is_never_an_authoritative_answer(c):
    reply = c.ask("ns.child.plain.test", "A")
    expect_flag(reply, "AA", False)
    expect_section(reply, ANSWER, "")


@check("RFC 4035 §3.1.4.1")
def ds_at_an_unsigned_cut_is_answered_by_the_parent(c):
    expect_nodata(c.ask("child.plain.test", "DS"), APEX)


@check("RFC 4035 §3.1.4.1, RFC 3658 §2.2.1.1")
def ds_at_the_apex_of_a_zone_is_nodata(c):
    expect_nodata(c.ask("plain.test", "DS"), APEX)


@check("RFC 1035 §3.3.9, §3.3.11")
def mx_and_ns_answers_carry_the_addresses_of_their_targets(c):
    reply = c.ask("plain.test", "MX")
    expect_owners(reply, "A", {"mail.plain.test."})
    expect_owners(reply, "AAAA", {"mail.plain.test."})
    expect_owners(c.ask("plain.test", "NS"), "A", {"ns1.plain.test.", "ns2.plain.test."})


@check("RFC 2782")
def srv_answers_carry_the_addresses_of_their_targets(c):
    reply = c.ask("_sip._tcp.plain.test", "SRV")
    expect_owners(reply, "A", {"sip.plain.test.", "www.plain.test."})
    expect_owners(reply, "AAAA", {"sip.plain.test.", "www.plain.test."})


@check("RFC 2181 §5.5, RFC 1034 §4.3.2 step 6")
def no_record_stands_twice_in_a_reply(c):
    reply = c.ask("plain.test", "NS")
    for section in ([reply.authority, reply.additional], [reply.answer, reply.additional]):
        expect(not records(section[0]) & records(section[1]), "a record stands in two sections")


@check("RFC 2308 §2.2, §3")
def a_missing_type_is_nodata_with_the_soa(c):
    expect_nodata(c.ask("www.plain.test", "MX"), APEX)


@check("RFC 2308 §2.1, §3")
def a_missing_name_is_nxdomain_with_the_soa(c):
    expect_nxdomain(c.ask("missing.plain.test", "A"), APEX)


@check("RFC 2308 §3, §5")
def the_soa_of_a_negative_answer_has_the_lesser_ttl(c):
    for qname in ("missing.plain.test", "www.plain.test"):
        soa = find(c.ask(qname, "MX").authority, APEX, "SOA")
        expect_equal("TTL of the SOA", soa.ttl, 300)


@check("RFC 2308 §3")
def the_soa_itself_keeps_its_own_ttl(c):
    expect_equal("TTL", find(c.ask("plain.test", "SOA").answer, APEX, "SOA").ttl, 3600)


@check("RFC 8020 §2, RFC 4592 §2.2.2")
def an_empty_non_terminal_is_nodata(c):
    for qname in ("ent.plain.test", "_tcp.plain.test"):
        expect_nodata(c.ask(qname, "TXT"), APEX)


@check("RFC 8020 §2")
def a_name_below_a_missing_name_is_missing_too(c):
    expect_nxdomain(c.ask("a.b.c.missing.plain.test", "A"), APEX)


@check("RFC 1034 §4.3.2")
def a_name_below_a_leaf_is_nxdomain(c):
    expect_nxdomain(c.ask("below.www.plain.test", "A"), APEX)


@check("RFC 1035 §3.2.4")
def the_longest_matching_zone_answers(c):
    expect_nxdomain(c.ask("notthere.plain.test.", "A"), APEX)
    expect_nxdomain(c.ask("x.notthere.ns1.b.nsec.test.", "A"), "nsec.test.")


@check("RFC 1035 §4.1.1")
def a_name_outside_every_zone_is_refused(c):
    reply = c.ask("www.elsewhere.invalid", "A")
    expect_rcode(reply, "REFUSED")
    expect_flag(reply, "AA", False)
    expect_section(reply, ANSWER, "")


@check("RFC 1035 §4.1.1")
def a_suffix_that_is_no_label_boundary_is_another_zone(c):
    expect_rcode(c.ask("www.notplain.test", "A"), "REFUSED")
    expect_rcode(c.ask("test", "SOA"), "REFUSED")
    expect_rcode(c.ask(".", "NS"), "REFUSED")


@check("RFC 1035 §2.3.4")
def names_of_255_octets_are_answered(c):
    labels = ["a" * 63, "b" * 63, "c" * 63, "d" * 50]
    expect_nxdomain(c.ask(".".join(labels) + ".plain.test", "A"), APEX)


@check("RFC 1035 §4.1.4")
def replies_compress_the_names_they_repeat(c):
    raw = c.udp(header() + question("www.plain.test"))
    expect(len(raw) <= 12 + 20 + 2 * 16 + 200, f"{len(raw)} octets for two addresses")
    expect(b"\xc0\x0c" in raw, "the owner is not a pointer to the question")


@check("RFC 3597 §4")
def names_in_srv_rdata_are_not_compressed(c):
    raw = c.udp(header() + question("_sip._tcp.plain.test", "SRV"))
    expect(b"\x03sip\x05plain\x04test\x00" in raw, "the SRV target is compressed")
