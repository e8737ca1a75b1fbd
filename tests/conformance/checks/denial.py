"""Signed answers and authenticated denial, each with NSEC, NSEC3 and opt-out: RFC 4035 §3.1, RFC 5155 §7.2, 4592 §4,
6672 §5.3."""

import dns.name
import dns.rdatatype

from harness import (ANSWER, check, expect, expect_equal, expect_flag, expect_rcode, expect_section, find, name,
                     owners, records)
from proof import expect_signed, proof_of

DNSSEC_TYPES = {"RRSIG", "NSEC", "NSEC3"}


def variants(c):
    """(denial, apex, zone) of each signed zone."""
    return [(denial, apex, zone) for denial, (apex, zone) in c.signed.items()]


def ask_signed(c, relative, rdtype, apex, rcode="NOERROR", unsigned=(), zone=None):
    reply = c.ask(f"{relative}.{apex}" if relative else apex, rdtype, do=True, payload=1232)
    if reply.flags & 0x0200:
        reply = c.ask(f"{relative}.{apex}" if relative else apex, rdtype, do=True, tcp=True)
    expect_rcode(reply, rcode)
    expect_signed(reply, zone, apex, {(name(f"{owner}.{apex}"), dns.rdatatype.from_text(t)) for owner, t in unsigned})
    return reply


def expect_denied(proof, owner, encloser, denial):
    """NXDOMAIN: neither the name nor a wildcard that could have made it exists."""
    expect(proof.no_closer(owner, encloser), f"nothing covers {owner}")
    if denial != "nsec":
        expect(proof.matched(encloser) is not None, f"no NSEC3 matches the closest encloser {encloser}")
    wildcard = dns.name.Name((b"*",) + encloser.labels)
    expect(proof.covered(wildcard), f"nothing covers {wildcard}")


@check("RFC 4035 §3.1.1")
def a_positive_answer_is_signed(c):
    for _, apex, zone in variants(c):
        reply = ask_signed(c, "a", "TXT", apex, zone=zone)
        expect_flag(reply, "AA")
        expect(owners(reply.answer, "RRSIG"), "no RRSIG in the answer")
        expect(not records(reply.authority, "NSEC") | records(reply.authority, "NSEC3"),
               "a denial beside a plain answer")


@check("RFC 4035 §3.1.1, RFC 3225 §3")
def without_do_nothing_of_dnssec_is_sent(c):
    for _, apex, _ in variants(c):
        for relative, rdtype in (("a", "A"), ("missing", "A"), ("a", "MX"), ("q.w", "MX"), ("x.insecure", "A")):
            reply = c.ask(f"{relative}.{apex}", rdtype, edns=0)
            got = {rdtype for section in reply.sections for _, rdtype, _ in records(section)}
            expect(not got & (DNSSEC_TYPES | {"DS"}), f"{got & DNSSEC_TYPES} to {relative} {rdtype} without DO")


@check("RFC 4035 §3.1.2")
def dnskey_is_answered_at_the_apex_with_its_signature(c):
    for _, apex, zone in variants(c):
        reply = ask_signed(c, "", "DNSKEY", apex, zone=zone)
        expect_equal("DNSKEY", records(reply.answer, "DNSKEY"), records([zone.find_rrset(apex, "DNSKEY")]))


@check("RFC 4035 §3.1.1")
def nsec_and_nsec3param_are_answered_when_asked_for(c):
    for denial, apex, zone in variants(c):
        if denial == "nsec":
            expect_equal("NSEC", owners(ask_signed(c, "a", "NSEC", apex, zone=zone).answer, "NSEC"), {f"a.{apex}"})
        else:
            expect_equal("NSEC3PARAM", owners(ask_signed(c, "", "NSEC3PARAM", apex, zone=zone).answer, "NSEC3PARAM"),
                         {apex})


@check("RFC 4034 §3, RFC 4035 §3.1")
def rrsig_is_answered_when_asked_for(c):
    for _, apex, _ in variants(c):
        reply = c.ask(f"a.{apex}", "RRSIG", tcp=True, do=True)
        expect_rcode(reply, "NOERROR")
        expect_equal("other types", {rdtype for _, rdtype, _ in records(reply.answer)}, {"RRSIG"})


@check("RFC 4035 §3.1.3.1, RFC 5155 §7.2.3")
def nodata_is_proved(c):
    for denial, apex, zone in variants(c):
        reply = ask_signed(c, "a", "MX", apex, zone=zone)
        expect(proof_of(reply, denial, apex).nodata(name(f"a.{apex}"), "MX"), f"{denial}: NODATA is not proved")


@check("RFC 4035 §3.1.3.1, RFC 5155 §7.2.3")
def nodata_at_an_empty_non_terminal_is_proved(c):
    for denial, apex, zone in variants(c):
        for relative in ("ent", "e.ent", "y.w", "w"):
            reply = ask_signed(c, relative, "A", apex, zone=zone)
            expect(proof_of(reply, denial, apex).nodata(name(f"{relative}.{apex}"), "A"),
                   f"{denial}: {relative} is not proved")


@check("RFC 4035 §3.1.3.2, RFC 5155 §7.2.2")
def nxdomain_is_proved_with_the_closest_encloser_and_the_wildcard(c):
    for denial, apex, zone in variants(c):
        for relative, encloser in (("missing", ""), ("ml", ""), ("zzz", ""), ("0", ""), ("x.y.missing", ""),
                                   ("b.a", "a"),
                                   ("nothere.e.ent", "e.ent"), ("x.x.w", "x.w")):
            reply = ask_signed(c, relative, "A", apex, "NXDOMAIN", zone=zone)
            closest = name(f"{encloser}.{apex}" if encloser else apex)
            expect_denied(proof_of(reply, denial, apex), name(f"{relative}.{apex}"), closest, denial)


@check("RFC 4035 §3.1.3.3, RFC 5155 §7.2.6, RFC 4592 §4.6")
def a_wildcard_answer_proves_that_the_name_is_not_there(c):
    for denial, apex, zone in variants(c):
        reply = ask_signed(c, "q.r.w", "MX", apex, zone=zone)
        rrsig = next(rrset for rrset in reply.answer if rrset.rdtype == dns.rdatatype.RRSIG)[0]
        expect_equal("RRSIG labels", rrsig.labels, len(name(apex).labels) - 1 + 1)
        expect(proof_of(reply, denial, apex).no_closer(name(f"q.r.w.{apex}"), name(f"w.{apex}")),
               f"{denial}: not proved")


@check("RFC 4035 §3.1.3.4, RFC 5155 §7.2.5")
def wildcard_nodata_is_proved(c):
    for denial, apex, zone in variants(c):
        reply = ask_signed(c, "q.w", "AAAA", apex, zone=zone)
        expect_section(reply, ANSWER, "")
        proof = proof_of(reply, denial, apex)
        expect(proof.no_closer(name(f"q.w.{apex}"), name(f"w.{apex}")), f"{denial}: nothing covers the name")
        types = proof.matched(name(f"*.w.{apex}"))
        expect(types is not None and "AAAA" not in types, f"{denial}: nothing matches the wildcard")


@check("RFC 4035 §3.1.3.3, RFC 4592 §4.6")
def a_wildcard_cname_is_proved_and_followed(c):
    for denial, apex, zone in variants(c):
        reply = ask_signed(c, "q.wc", "A", apex, zone=zone)
        expect_equal("A", owners(reply.answer, "A"), {f"a.{apex}"})
        expect(proof_of(reply, denial, apex).no_closer(name(f"q.wc.{apex}"), name(f"wc.{apex}")),
               f"{denial}: not proved")


@check("RFC 4035 §3.1.3, RFC 6604 §3")
def a_cname_to_a_missing_name_proves_the_target_missing(c):
    for denial, apex, zone in variants(c):
        reply = ask_signed(c, "dangling", "A", apex, "NXDOMAIN", zone=zone)
        expect_denied(proof_of(reply, denial, apex), name(f"missing.{apex}"), name(apex), denial)


@check("RFC 4035 §3.1.3.3")
def a_cname_into_a_wildcard_proves_its_target(c):
    for denial, apex, zone in variants(c):
        reply = ask_signed(c, "to-wild", "MX", apex, zone=zone)
        expect_equal("MX", owners(reply.answer, "MX"), {f"q.w.{apex}"})
        expect(proof_of(reply, denial, apex).no_closer(name(f"q.w.{apex}"), name(f"w.{apex}")), f"{denial}: not proved")


@check("RFC 4035 §3.1.4")
def a_secure_referral_carries_the_signed_ds(c):
    for _, apex, zone in variants(c):
        reply = ask_signed(c, "host.secure", "A", apex, zone=zone)
        expect_flag(reply, "AA", False)
        expect_equal("DS", owners(reply.authority, "DS"), {f"secure.{apex}"})
        ns_types = [rrset.covers for rrset in reply.authority if rrset.rdtype == dns.rdatatype.RRSIG]
        expect_equal("signed types", [dns.rdatatype.to_text(t) for t in ns_types], ["DS"])
        expect(len(owners(reply.additional, "A")) == 2, "glue is missing")
        expect(not owners(reply.additional, "RRSIG"), "glue is signed")


@check("RFC 4035 §3.1.4, RFC 5155 §7.2.7")
def an_insecure_referral_proves_that_there_is_no_ds(c):
    for denial, apex, zone in variants(c):
        reply = ask_signed(c, "host.insecure", "A", apex, zone=zone)
        expect_flag(reply, "AA", False)
        expect(proof_of(reply, denial, apex).insecure(name(f"insecure.{apex}"), name(apex)),
               f"{denial}: DS absence is not proved")


@check("RFC 4035 §3.1.4.1")
def ds_at_a_cut_is_answered_with_authority(c):
    for _, apex, zone in variants(c):
        reply = ask_signed(c, "secure", "DS", apex, zone=zone)
        expect_flag(reply, "AA")
        expect_equal("DS", owners(reply.answer, "DS"), {f"secure.{apex}"})


@check("RFC 4035 §3.1.4.1, RFC 5155 §7.2.4")
def ds_nodata_at_an_insecure_cut_is_proved(c):
    for denial, apex, zone in variants(c):
        reply = ask_signed(c, "insecure", "DS", apex, zone=zone)
        expect_flag(reply, "AA")
        expect(find(reply.authority, apex, "SOA"), "no SOA")
        expect(proof_of(reply, denial, apex).insecure(name(f"insecure.{apex}"), name(apex)), f"{denial}: not proved")


@check("RFC 4035 §3.1.4, RFC 1034 §4.3.2")
def ds_below_a_cut_is_a_referral(c):
    for _, apex, zone in variants(c):
        reply = ask_signed(c, "x.secure", "DS", apex, zone=zone)
        expect_flag(reply, "AA", False)
        expect_section(reply, ANSWER, "")


@check("RFC 5155 §7.2.8")
def an_nsec3_owner_is_not_a_name_of_the_zone(c):
    for denial, apex, zone in variants(c):
        if denial == "nsec":
            continue
        owner = next(own for own, node in zone.nodes.items() if any(s.rdtype == dns.rdatatype.NSEC3
                                                                    for s in node.rdatasets))
        reply = c.ask(owner.to_text(), "A", do=True)
        expect_rcode(reply, "NXDOMAIN")


@check("RFC 6672 §5.3.1")
def a_dname_is_signed_and_its_cname_is_not(c):
    for _, apex, zone in variants(c):
        reply = ask_signed(c, "x.dn", "A", apex, "NXDOMAIN", unsigned=[("x.dn", "CNAME")], zone=zone)
        expect_equal("RRSIG owners", owners(reply.answer, "RRSIG"), {f"dn.{apex}"})


@check("RFC 5155 §7.1, §12.1.1")
def names_below_an_opt_out_delegation_are_no_error(c):
    for _, apex, _ in variants(c):
        for relative in ("below", "insecure2.below"):
            expect_rcode(c.ask(f"{relative}.{apex}", "A", do=True), "NOERROR")


@check("RFC 4035 §3.1.1, RFC 2181 §5.1")
def a_denial_repeats_no_record(c):
    for _, apex, _ in variants(c):
        for relative in ("missing", "zzz", "x.y.missing", "q.w"):
            raw = c.udp(c.query(f"{relative}.{apex}", "A", do=True, payload=1232).to_wire())
            rows = c.parse(raw)
            count = int.from_bytes(raw[8:10], "big")
            expect_equal("authority rows", count, sum(len(rrset) for rrset in rows.authority))


@check("RFC 2308 §5, RFC 9077 §3")
def denial_ttls_are_at_most_the_negative_ttl(c):
    for denial, apex, _ in variants(c):
        reply = c.ask(f"missing.{apex}", "A", do=True)
        for rrset in reply.authority:
            if dns.rdatatype.to_text(rrset.rdtype) in DNSSEC_TYPES:
                expect(rrset.ttl <= 300, f"{denial}: TTL {rrset.ttl} of {rrset.name}")


@check("RFC 4035 §3.1.1, RFC 2181 §9")
def a_signed_answer_that_does_not_fit_is_truncated_not_stripped(c):
    for _, apex, _ in variants(c):
        reply = c.ask(apex, "DNSKEY", do=True, payload=512)
        signed = bool(owners(reply.answer, "RRSIG"))
        expect(reply.flags & 0x0200 or (signed and reply.answer), "a signature was left out without TC")


@check("RFC 4035 §3.1.1")
def additional_addresses_are_signed_where_they_fit(c):
    for _, apex, _ in variants(c):
        reply = c.ask(apex, "MX", do=True, tcp=True)
        expect(f"mail.{apex}" in owners(reply.additional, "A"), "no address of mail")
        expect(f"mail.{apex}" in owners(reply.additional, "RRSIG"), "the address of mail is not signed")


@check("RFC 4034 §6.2, RFC 4035 §3.1")
def case_in_the_question_does_not_disturb_the_proof(c):
    for denial, apex, zone in variants(c):
        reply = ask_signed(c, "MiSSing", "A", apex.upper(), "NXDOMAIN", zone=zone)
        expect_denied(proof_of(reply, denial, apex), name(f"missing.{apex}"), name(apex), denial)
