"""Wildcards and DNAME: RFC 4592, with the zone of its §2.2.1, and RFC 6672."""

from harness import (ANSWER, check, expect, expect_answer, expect_equal, expect_flag, expect_nodata, expect_nxdomain,
                     expect_owners, expect_rcode, expect_section, expect_soa_authority, find, owners)

APEX = "plain.test."


@check("RFC 4592 §2.2.1 first list, 1")
def host3_example_mx_is_synthesized(c):
    expect_answer(c.ask("host3.example", "MX"), "host3.example. MX 10 host1.example.")


@check("RFC 4592 §2.2.1 first list, 2")
def host3_example_a_is_nodata_since_the_wildcard_has_none(c):
    expect_nodata(c.ask("host3.example", "A"), "example.")


@check("RFC 4592 §2.2.1 first list, 3")
def foo_bar_example_txt_is_synthesized(c):
    expect_answer(c.ask("foo.bar.example", "TXT"), 'foo.bar.example. TXT "this is a wildcard"')


@check("RFC 4592 §2.2.1 second list, 1")
def host1_example_mx_is_nodata_since_the_name_exists(c):
    expect_nodata(c.ask("host1.example", "MX"), "example.")


@check("RFC 4592 §2.2.1 second list, 2")
def sub_star_example_mx_is_nodata_since_the_name_exists(c):
    expect_nodata(c.ask("sub.*.example", "MX"), "example.")


@check("RFC 4592 §2.2.1 second list, 3")
def telnet_tcp_host1_example_srv_is_nxdomain(c):
    expect_nxdomain(c.ask("_telnet._tcp.host1.example", "SRV"), "example.")


@check("RFC 4592 §2.2.1 second list, 4")
def host_subdel_example_a_is_a_referral(c):
    reply = c.ask("host.subdel.example", "A")
    expect_flag(reply, "AA", False)
    expect_section(reply, ANSWER, "")
    expect_equal("delegation", owners(reply.authority, "NS"), {"subdel.example."})


@check("RFC 4592 §2.2.1 second list, 5")
def ghost_star_example_mx_is_nxdomain_since_star_example_exists(c):
    expect_nxdomain(c.ask("ghost.*.example", "MX"), "example.")


@check("RFC 4592 §2.2.2")
def host2_example_is_an_empty_non_terminal_that_the_wildcard_does_not_cover(c):
    for qname in ("host2.example", "_tcp.host1.example", "_tcp.host2.example"):
        expect_nodata(c.ask(qname, "TXT"), "example.")


@check("RFC 4592 §2.1.1")
def an_asterisk_may_be_asked_for_as_a_name(c):
    expect_answer(c.ask("*.example", "TXT"), '*.example. TXT "this is a wildcard"')


@check("RFC 4592 §2.1.2, §2.1.3")
def an_asterisk_within_a_query_matches_only_itself(c):
    expect_answer(c.ask("sub.*.example", "TXT"), 'sub.*.example. TXT "this is not a wildcard"')


@check("RFC 4592 §3.3.1")
def the_synthesized_owner_keeps_the_ttl_of_the_wildcard(c):
    expect_equal("TTL", find(c.ask("foo.bar.example", "TXT").answer, "foo.bar.example.", "TXT").ttl, 3600)


@check("RFC 4592 §3.3.1")
def the_closest_encloser_stops_the_wildcard_above(c):
    expect_nxdomain(c.ask("x.exists.wild.plain.test", "TXT"), APEX)
    expect_nxdomain(c.ask("x.a.wild.plain.test", "TXT"), APEX)
    expect_nodata(c.ask("a.wild.plain.test", "TXT"), APEX)


@check("RFC 4592 §3.3.1")
def a_wildcard_covers_several_labels(c):
    expect_answer(c.ask("x.y.z.wild.plain.test", "TXT"), 'x.y.z.wild.plain.test. TXT "from a wildcard"')


@check("RFC 4592 §3.3.3")
def a_wildcard_cname_is_synthesized_and_followed(c):
    expect_answer(c.ask("any.wildcname.plain.test", "AAAA"), """any.wildcname.plain.test. CNAME www.plain.test.
        www.plain.test. AAAA 2001:db8::80""")


@check("RFC 4592 §3.3.3, RFC 6604 §3")
def a_wildcard_cname_to_a_missing_name_is_nxdomain(c):
    reply = c.ask("any.wilddead.plain.test", "A")
    expect_answer(reply, "any.wilddead.plain.test. CNAME missing.plain.test.", "NXDOMAIN")
    expect_soa_authority(reply, APEX)


@check("RFC 4592 §3.3.3")
def a_wildcard_cname_asked_for_is_answered_as_cname(c):
    expect_answer(c.ask("any.wildcname.plain.test", "CNAME"), "any.wildcname.plain.test. CNAME www.plain.test.")


@check("RFC 4592 §4.2")
def a_zone_cut_is_not_covered_by_a_wildcard_beside_it(c):
    reply = c.ask("x.cut.wildns.plain.test", "TXT")
    expect_flag(reply, "AA", False)
    expect_section(reply, ANSWER, "")


@check("RFC 4592 §3.3.1")
def wildcard_answers_carry_additional_addresses(c):
    expect_owners(c.ask("any.wild.plain.test", "MX"), "A", {"mail.plain.test."})


@check("RFC 4592 §2.2.2")
def the_parent_of_a_wildcard_is_an_empty_non_terminal(c):
    expect_nodata(c.ask("wild.plain.test", "TXT"), APEX)


@check("RFC 6672 §2.2, §3.1")
def a_name_below_a_dname_is_rewritten_with_a_synthesized_cname(c):
    expect_answer(c.ask("www.dname.plain.test", "A"), """dname.plain.test. DNAME target.plain.test.
        www.dname.plain.test. CNAME www.target.plain.test.
        www.target.plain.test. A 192.0.2.100""")


@check("RFC 6672 §3.1")
def the_synthesized_cname_has_the_ttl_of_the_dname(c):
    answer = c.ask("www.dname.plain.test", "A").answer
    expect_equal("TTL", find(answer, "www.dname.plain.test.", "CNAME").ttl,
                 find(answer, "dname.plain.test.", "DNAME").ttl)


@check("RFC 6672 §2.3")
def the_dname_owner_itself_is_not_redirected(c):
    expect_answer(c.ask("dname.plain.test", "TXT"), 'dname.plain.test. TXT "a DNAME owner may hold other data"')
    expect_answer(c.ask("dname.plain.test", "DNAME"), "dname.plain.test. DNAME target.plain.test.")
    expect_nodata(c.ask("dname.plain.test", "A"), APEX)


@check("RFC 6672 §3.2")
def a_dname_to_a_missing_name_is_nxdomain(c):
    reply = c.ask("nothere.dname.plain.test", "A")
    expect_answer(reply, """dname.plain.test. DNAME target.plain.test.
        nothere.dname.plain.test. CNAME nothere.target.plain.test.""", "NXDOMAIN")
    expect_soa_authority(reply, APEX)


@check("RFC 6672 §3.2")
def a_cname_to_a_name_below_a_dname_is_followed_through_it(c):
    expect_answer(c.ask("to-dname.plain.test", "A"), """to-dname.plain.test. CNAME www.dname.plain.test.
        dname.plain.test. DNAME target.plain.test.
        www.dname.plain.test. CNAME www.target.plain.test.
        www.target.plain.test. A 192.0.2.100""")


@check("RFC 6672 §3.2, RFC 4592 §3.3.3")
def a_dname_into_a_wildcard_is_expanded(c):
    expect_answer(c.ask("x.d2.plain.test", "TXT"), """d2.plain.test. DNAME t2.plain.test.
        x.d2.plain.test. CNAME x.t2.plain.test.
        x.t2.plain.test. TXT "wildcard under a DNAME target\"""")


@check("RFC 6672 §2.2, §3.2")
def a_dname_that_makes_a_name_too_long_is_yxdomain(c):
    reply = c.ask("g" * 60 + "." + "h" * 40 + ".dlong.plain.test", "A")
    expect_rcode(reply, "YXDOMAIN")
    expect_flag(reply, "AA")
    expect_equal("DNAME", owners(reply.answer, "DNAME"), {"dlong.plain.test."})


@check("RFC 6672 §2.2")
def a_dname_out_of_the_zone_is_answered_with_its_cname(c):
    expect_answer(c.ask("a.b.doutside.plain.test", "A"), """doutside.plain.test. DNAME elsewhere.invalid.
        a.b.doutside.plain.test. CNAME a.b.elsewhere.invalid.""")


@check("RFC 6672 §3.2")
def a_dname_loop_ends(c):
    reply = c.ask("x.dloop.plain.test", "A")
    expect("dloop.plain.test." in owners(reply.answer, "DNAME"), "the DNAME is missing")
    expect(len(reply.answer) < 64, f"{len(reply.answer)} RRsets of a loop of two")


@check("RFC 6672 §3.1")
def the_synthesized_cname_is_answered_to_a_cname_query(c):
    reply = c.ask("www.dname.plain.test", "CNAME")
    expect_answer(reply, """dname.plain.test. DNAME target.plain.test.
        www.dname.plain.test. CNAME www.target.plain.test.""")
