"""Dynamic updates: RFC 2136 §2 and §3, paragraph by paragraph. Every check changes names of its own."""

import itertools
import struct

import dns.rdata
import dns.rdataclass
import dns.rdatatype

import signing_key
from harness import ANSWER, Skip, check, expect, expect_equal, expect_rcode, name, records
from signing_key import SigningKey

ZONE = "change.test."
KEY = ("update.", "Iv3MA1ZK14F9zGYudy8xtfB8JUrMetqYs1HTRo/2L0o=")
IN, NONE, ANY = 1, 254, 255
RCODES = {"NOERROR": 0, "FORMERR": 1, "SERVFAIL": 2, "NXDOMAIN": 3, "NOTIMP": 4, "REFUSED": 5, "YXDOMAIN": 6, "YXRRSET": 7,
          "NXRRSET": 8, "NOTAUTH": 9, "NOTZONE": 10}
_ids = itertools.count(1)


def type_number(text):
    return int(dns.rdatatype.from_text(text))


def in_zone(owner):
    """`owner` counts from the zone, unless it ends with a dot; "@" is the apex."""
    return name(ZONE if owner == "@" else owner if owner.endswith(".") else f"{owner}.{ZONE}")


def wire_record(owner, rtype, rclass, ttl, rdata):
    rdtype = rtype if isinstance(rtype, int) else type_number(rtype)
    if isinstance(rdata, str):
        rdata = dns.rdata.from_text("IN", rdtype, rdata, origin=name(ZONE), relativize=False).to_wire()
    return in_zone(owner).to_wire() + struct.pack("!HHIH", rdtype, rclass, ttl, len(rdata)) + rdata


class Update:
    """A message that grows; the methods say which of the forms of §2.4 and §2.5 they add."""

    def __init__(self, c):
        if c.kind == "nsd":
            raise Skip("knows no UPDATE")
        self.client = c.changing
        self.key = SigningKey(*KEY)
        self.zones = [(ZONE, "SOA", IN)]
        self.prerequisites, self.updates = [], []

    def need(self, owner, rtype, rclass, rdata=b"", ttl=0):
        self.prerequisites.append(wire_record(owner, rtype, rclass, ttl, rdata))
        return self

    def put(self, owner, rtype, rclass, ttl, rdata=b""):
        self.updates.append(wire_record(owner, rtype, rclass, ttl, rdata))
        return self

    def add(self, owner, rtype, rdata, ttl=300):
        return self.put(owner, rtype, IN, ttl, rdata)

    def remove(self, owner, rtype, rdata):
        return self.put(owner, rtype, NONE, 0, rdata)

    def remove_rrset(self, owner, rtype):
        return self.put(owner, rtype, ANY, 0)

    def remove_name(self, owner):
        return self.put(owner, "ANY", ANY, 0)

    def wire(self):
        zones = b"".join(name(zone).to_wire() + struct.pack("!HH", type_number(rtype), rclass)
                         for zone, rtype, rclass in self.zones)
        return (struct.pack("!HHHHHH", next(_ids) & 0xffff, 5 << 11, len(self.zones), len(self.prerequisites),
                            len(self.updates), 0)
                + zones + b"".join(self.prerequisites) + b"".join(self.updates))

    def send(self, signed=True):
        """The RCODE, of a reply that is whole and signed as the request was."""
        wire = self.wire()
        mac = b""
        if signed:
            wire, mac = self.key.sign(wire)
        raw = self.client.tcp(wire)
        expect(raw is not None, "no reply")
        expect(raw[:2] == wire[:2], "another ID")
        expect(raw[2] & 0xF8 == 0xA8, "no response to an UPDATE (RFC 2136 §3.8)")
        # What cannot be parsed may be told before its signature is looked at.
        if signed and (raw[3] & 15 != RCODES["FORMERR"] or signing_key.find(raw)):
            self.key.check(raw, mac)
        return raw[3] & 15

    def expect(self, rcode, signed=True):
        got = self.send(signed)
        expect(got == RCODES[rcode], f"rcode: expected {rcode}, got {[k for k, v in RCODES.items() if v == got] or got}")

    def expect_one_of(self, *rcodes, signed=True):
        got = self.send(signed)
        expect(got in [RCODES[rcode] for rcode in rcodes], f"rcode {got} is none of {', '.join(rcodes)}")


def held(c, owner, rtype):
    """The RRset that is served at a name of the zone, as presentation texts; its TTL where there is one."""
    reply = c.changing.ask(in_zone(owner).to_text(), rtype, tcp=True)
    rrsets = [rrset for rrset in reply.answer if rrset.rdtype == type_number(rtype) and rrset.name == in_zone(owner)]
    texts = {rdata.to_text() for rrset in rrsets for rdata in rrset}
    return texts, (rrsets[0].ttl if rrsets else None)


def expect_held(c, owner, rtype, *texts):
    expect_equal(f"{owner} {rtype}", held(c, owner, rtype)[0], set(texts))


def serial(c):
    return c.changing.ask(ZONE, "SOA").answer[0][0].serial


# §3.1: the zone section


@check("RFC 2136 §3.1.1")
def a_zone_section_whose_type_is_not_soa_is_a_format_error(c):
    update = Update(c).add("zone-type", "A", "192.0.2.1")
    update.zones = [(ZONE, "A", IN)]
    update.expect("FORMERR")
    expect_held(c, "zone-type", "A")


@check("RFC 2136 §3.1.1")
def two_zones_are_a_format_error(c):
    update = Update(c).add("two-zones", "A", "192.0.2.1")
    update.zones *= 2
    update.expect("FORMERR")
    expect_held(c, "two-zones", "A")


@check("RFC 2136 §3.1.2")
def a_zone_that_is_not_ours_is_notauth(c):
    for zone in ("elsewhere.test.", "www.change.test.", "test."):
        update = Update(c)
        update.zones = [(zone, "SOA", IN)]
        # Some look at the rights first (§3.3).
        update.expect_one_of("NOTAUTH", "REFUSED")


# §3.2: prerequisites


@check("RFC 2136 §3.2.1, §2.4.1")
def rrset_exists_whatever_its_value(c):
    Update(c).need("set", "A", ANY).expect("NOERROR")
    Update(c).need("set", "AAAA", ANY).expect("NXRRSET")
    Update(c).need("no-such-name", "A", ANY).expect("NXRRSET")


@check("RFC 2136 §3.2.3, §2.4.2")
def rrset_exists_with_exactly_these_values(c):
    Update(c).need("value", "A", IN, "192.0.2.1").need("value", "A", IN, "192.0.2.2").expect("NOERROR")
    Update(c).need("value", "A", IN, "192.0.2.2").need("value", "A", IN, "192.0.2.1").expect("NOERROR")
    Update(c).need("value", "A", IN, "192.0.2.1").expect("NXRRSET")
    three = Update(c)
    for number in (1, 2, 3):
        three.need("value", "A", IN, f"192.0.2.{number}")
    three.expect("NXRRSET")
    Update(c).need("value", "A", IN, "192.0.2.1").need("value", "A", IN, "192.0.2.9").expect("NXRRSET")
    Update(c).need("no-such-name", "A", IN, "192.0.2.1").expect("NXRRSET")


@check("RFC 2136 §3.2.3")
def values_of_several_rrsets_are_compared_set_by_set(c):
    both = [("value", "A", IN, "192.0.2.1"), ("mail", "A", IN, "192.0.2.25"), ("value", "A", IN, "192.0.2.2")]
    update = Update(c)
    for one in both:
        update.need(*one)
    update.expect("NOERROR")
    update = Update(c)
    for one in both[:2]:
        update.need(*one)
    update.expect("NXRRSET")


@check("RFC 2136 §3.2.1, §2.4.3")
def rrset_does_not_exist(c):
    Update(c).need("set", "AAAA", NONE).expect("NOERROR")
    Update(c).need("no-such-name", "A", NONE).expect("NOERROR")
    Update(c).need("set", "A", NONE).expect("YXRRSET")


@check("RFC 2136 §3.2.1, §2.4.4")
def name_is_in_use(c):
    Update(c).need("set", "ANY", ANY).expect("NOERROR")
    Update(c).need("no-such-name", "ANY", ANY).expect("NXDOMAIN")


@check("RFC 2136 §3.2.1, §2.4.5")
def name_is_not_in_use(c):
    Update(c).need("no-such-name", "ANY", NONE).expect("NOERROR")
    Update(c).need("set", "ANY", NONE).expect("YXDOMAIN")


@check("RFC 2136 §2.4.4")
def an_empty_non_terminal_is_not_in_use(c):
    Update(c).need("ent", "ANY", ANY).expect("NXDOMAIN")
    Update(c).need("ent", "ANY", NONE).expect("NOERROR")


@check("RFC 2136 §2.4, §7.16")
def a_wildcard_satisfies_nothing_but_itself(c):
    Update(c).need("x.wild", "TXT", ANY).expect("NXRRSET")
    Update(c).need("x.wild", "ANY", ANY).expect("NXDOMAIN")
    Update(c).need("*.wild", "TXT", ANY).expect("NOERROR")


@check("RFC 2136 §2.4")
def a_cname_is_not_followed_by_prerequisites(c):
    Update(c).need("alias", "A", ANY).expect("NXRRSET")
    Update(c).need("alias", "CNAME", ANY).expect("NOERROR")


@check("RFC 2136 §3.2.1")
def a_prerequisite_with_a_ttl_is_a_format_error(c):
    for form in (("set", "A", ANY), ("set", "A", NONE), ("value", "A", IN, "192.0.2.1")):
        Update(c).need(*form, ttl=1).expect("FORMERR")


@check("RFC 2136 §3.2.2")
def a_prerequisite_outside_of_the_zone_is_notzone(c):
    for rclass in (ANY, NONE):
        Update(c).need("www.elsewhere.test.", "A", rclass).expect("NOTZONE")


@check("RFC 2136 §3.2.3, §3.2.4")
def a_prerequisite_of_any_or_none_with_rdata_is_a_format_error(c):
    for rclass in (ANY, NONE):
        Update(c).need("set", "A", rclass, bytes([192, 0, 2, 1])).expect("FORMERR")


@check("RFC 2136 §3.2.5")
def a_prerequisite_of_another_class_is_a_format_error(c):
    Update(c).need("set", "A", 3, b"").expect("FORMERR")


@check("RFC 2136 §3.2.5, §3.7")
def a_failed_prerequisite_changes_nothing(c):
    before = serial(c)
    Update(c).need("set", "A", ANY).need("set", "AAAA", ANY).add("not-made", "A", "192.0.2.1").expect("NXRRSET")
    expect_held(c, "not-made", "A")
    expect_equal("serial", serial(c), before)


# §3.3: rights


@check("RFC 2136 §3.3, RFC 3007 §3")
def an_update_without_a_signature_is_refused(c):
    Update(c).add("unsigned", "A", "192.0.2.1").expect_one_of("REFUSED", "NOTAUTH", signed=False)
    expect_held(c, "unsigned", "A")


# §3.4.1: the prescan, which nothing is changed before


@check("RFC 2136 §3.4.1.3")
def an_update_outside_of_the_zone_is_notzone(c):
    Update(c).add("prescan-1", "A", "192.0.2.1").add("www.elsewhere.test.", "A", "192.0.2.1").expect("NOTZONE")
    expect_held(c, "prescan-1", "A")


@check("RFC 2136 §3.4.1.2")
def an_update_of_another_class_is_a_format_error(c):
    Update(c).add("prescan-2", "A", "192.0.2.1").put("prescan-2", "A", 3, 0, bytes([192, 0, 2, 1])).expect("FORMERR")
    expect_held(c, "prescan-2", "A")


@check("RFC 2136 §3.4.1.2")
def a_type_that_no_zone_holds_cannot_be_added(c):
    for rtype in ("ANY", "AXFR", "MAILB", "MAILA", "IXFR"):
        Update(c).add("prescan-3", "A", "192.0.2.1").put("prescan-3", rtype, IN, 0).expect("FORMERR")
    expect_held(c, "prescan-3", "A")


@check("RFC 2136 §3.4.1.2")
def a_deletion_with_a_ttl_is_a_format_error(c):
    Update(c).put("set", "A", ANY, 1).expect("FORMERR")
    Update(c).put("set", "A", NONE, 1, "192.0.2.1").expect("FORMERR")
    expect_held(c, "set", "A", "192.0.2.1", "192.0.2.2")


@check("RFC 2136 §3.4.1.2")
def a_deletion_of_an_rrset_with_rdata_is_a_format_error(c):
    Update(c).put("set", "A", ANY, 0, "192.0.2.1").expect("FORMERR")
    expect_held(c, "set", "A", "192.0.2.1", "192.0.2.2")


@check("RFC 2136 §3.4.1.2")
def the_deletion_of_a_record_of_type_any_is_a_format_error(c):
    Update(c).put("set", "ANY", NONE, 0).expect("FORMERR")
    Update(c).put("set", "AXFR", ANY, 0).expect("FORMERR")


# §3.4.2: the changes


@check("RFC 2136 §3.4.2.2")
def a_record_is_added_to_a_name_and_to_an_rrset(c):
    Update(c).add("added", "A", "192.0.2.1").expect("NOERROR")
    expect_held(c, "added", "A", "192.0.2.1")
    Update(c).add("added", "A", "192.0.2.2").add("added", "TXT", '"also"').expect("NOERROR")
    expect_held(c, "added", "A", "192.0.2.1", "192.0.2.2")
    expect_held(c, "added", "TXT", '"also"')


@check("RFC 2136 §3.4.2.2")
def a_record_that_is_there_is_not_there_twice(c):
    Update(c).add("twice", "A", "192.0.2.1").add("twice", "A", "192.0.2.1").expect("NOERROR")
    Update(c).add("twice", "A", "192.0.2.1").expect("NOERROR")
    expect_held(c, "twice", "A", "192.0.2.1")


@check("RFC 2136 §3.4.2.2, RFC 2181 §5.2")
def a_record_added_with_another_ttl_changes_it(c):
    Update(c).add("ttl", "A", "192.0.2.1", 300).expect("NOERROR")
    Update(c).add("ttl", "A", "192.0.2.1", 600).expect("NOERROR")
    expect_equal("TTL", held(c, "ttl", "A")[1], 600)


@check("RFC 2136 §3.4.2.2")
def a_cname_is_not_added_beside_data(c):
    Update(c).add("data", "CNAME", "www").expect("NOERROR")
    expect_held(c, "data", "A", "192.0.2.1")
    expect_held(c, "data", "CNAME")


@check("RFC 2136 §3.4.2.2")
def data_is_not_added_beside_a_cname(c):
    Update(c).add("alias", "A", "192.0.2.1").add("alias", "TXT", '"x"').expect("NOERROR")
    expect_held(c, "alias", "CNAME", "www.change.test.")
    expect_held(c, "alias", "TXT")


@check("RFC 2136 §3.4.2.2")
def a_cname_is_replaced_by_another(c):
    Update(c).add("cname", "CNAME", "mail").expect("NOERROR")
    expect_held(c, "cname", "CNAME", "mail.change.test.")


@check("RFC 2136 §3.4.2.2, RFC 1982 §3.2")
def an_soa_replaces_one_with_a_lower_serial_alone(c):
    now = serial(c)
    Update(c).add("@", "SOA", f"ns1 changed {now - 1} 7200 900 1209600 300").expect("NOERROR")
    expect(c.changing.ask(ZONE, "SOA").answer[0][0].rname == name("hostmaster.change.test."), "a lower serial was taken")
    Update(c).add("@", "SOA", f"ns1 hostmaster {now + 10} 7200 901 1209600 300", 3600).expect("NOERROR")
    soa = c.changing.ask(ZONE, "SOA").answer[0][0]
    expect_equal("RETRY", soa.retry, 901)
    expect(soa.serial >= now + 10, f"serial {soa.serial}, below {now + 10}")


@check("RFC 2136 §3.4.2.2")
def an_soa_below_the_apex_is_not_added(c):
    # "If there is no SOA at the name, ignored".
    Update(c).add("below", "SOA", "ns1 hostmaster 1 7200 900 1209600 300").expect_one_of("NOERROR", "REFUSED")
    expect_held(c, "below", "SOA")


@check("RFC 2136 §3.4.2.3, §2.5.2")
def an_rrset_is_deleted(c):
    Update(c).remove_rrset("gone", "A").expect("NOERROR")
    expect_held(c, "gone", "A")
    expect_held(c, "gone", "TXT", '"beside"')
    Update(c).remove_rrset("gone", "A").remove_rrset("never-was", "A").expect("NOERROR")


@check("RFC 2136 §3.4.2.3, §2.5.3")
def all_rrsets_of_a_name_are_deleted(c):
    Update(c).add("name-gone", "A", "192.0.2.1").add("name-gone", "TXT", '"x"').expect("NOERROR")
    Update(c).remove_name("name-gone").expect("NOERROR")
    expect_rcode(c.changing.ask("name-gone.change.test.", "A"), "NXDOMAIN")


@check("RFC 2136 §3.4.2.3")
def deletions_at_the_apex_leave_soa_and_ns(c):
    Update(c).add("@", "TXT", '"apex"').expect("NOERROR")
    Update(c).remove_name("@").remove_rrset("@", "NS").remove_rrset("@", "SOA").expect("NOERROR")
    expect_held(c, "@", "TXT")
    expect_held(c, "@", "NS", "ns1.change.test.", "ns2.change.test.")
    expect(held(c, "@", "SOA")[0], "no SOA")
    Update(c).add("@", "MX", "10 mail", 3600).expect("NOERROR")


@check("RFC 2136 §3.4.2.4, §2.5.4")
def a_record_is_deleted_by_its_value(c):
    Update(c).add("one-gone", "A", "192.0.2.1").add("one-gone", "A", "192.0.2.2").expect("NOERROR")
    Update(c).remove("one-gone", "A", "192.0.2.1").remove("one-gone", "A", "192.0.2.9").expect("NOERROR")
    expect_held(c, "one-gone", "A", "192.0.2.2")


@check("RFC 2136 §3.4.2.4")
def neither_the_soa_nor_the_last_ns_can_be_deleted(c):
    soa = held(c, "@", "SOA")[0].pop()
    Update(c).remove("@", "SOA", soa).remove("@", "NS", "ns1").remove("@", "NS", "ns2").expect("NOERROR")
    texts, _ = held(c, "@", "NS")
    expect_equal("name servers left", len(texts), 1)
    expect(held(c, "@", "SOA")[0], "no SOA")
    Update(c).add("@", "NS", "ns1", 3600).add("@", "NS", "ns2", 3600).expect("NOERROR")


@check("RFC 2136 §3.4.2, §2.5")
def updates_are_done_in_the_order_of_the_message(c):
    Update(c).add("order", "A", "192.0.2.1").remove_rrset("order", "A").add("order", "A", "192.0.2.2").expect("NOERROR")
    expect_held(c, "order", "A", "192.0.2.2")
    Update(c).add("order", "A", "192.0.2.3").remove_name("order").expect("NOERROR")
    expect_held(c, "order", "A")


@check("RFC 2136 §3.4.2.2")
def a_name_changes_from_cname_to_data_in_one_message(c):
    Update(c).add("turns", "CNAME", "www").expect("NOERROR")
    Update(c).remove_rrset("turns", "CNAME").add("turns", "A", "192.0.2.7").expect("NOERROR")
    expect_held(c, "turns", "A", "192.0.2.7")


@check("RFC 2136 §3.6")
def the_serial_rises_with_a_change(c):
    before = serial(c)
    Update(c).add("serial", "A", "192.0.2.1").expect("NOERROR")
    expect(0 < (serial(c) - before) % 2**32 < 2**31, f"serial {serial(c)} after {before}")


@check("RFC 2136 §3.8, §2.5")
def an_update_that_asks_for_nothing_is_done(c):
    Update(c).expect("NOERROR")


@check("RFC 2136 §2, RFC 3597 §3")
def a_type_that_nobody_knows_is_added_and_deleted(c):
    Update(c).put("unknown", 65280, IN, 300, b"\1\2\3").expect("NOERROR")
    reply = c.changing.ask("unknown.change.test.", "TYPE65280")
    expect_equal("records", {record[2] for record in records(reply.answer)}, {b"\1\2\3"})
    Update(c).put("unknown", 65280, NONE, 0, b"\1\2\3").expect("NOERROR")
    expect_rcode(c.changing.ask("unknown.change.test.", "TYPE65280"), "NXDOMAIN")


@check("RFC 2136 §2.5.1, RFC 1035 §3.2.1")
def rdata_that_is_none_is_a_format_error(c):
    for rtype, rdata in (("A", b"\1\2\3"), ("AAAA", b"\1" * 15), ("MX", b"\0"), ("TXT", b"\5ab"), ("CNAME", b"\3ab")):
        Update(c).put("bad-rdata", rtype, IN, 300, rdata).expect("FORMERR")
    expect_rcode(c.changing.ask("bad-rdata.change.test.", "A"), "NXDOMAIN")


@check("RFC 1034 §4.3.3, RFC 4592 §2")
def a_wildcard_is_added_and_answers(c):
    Update(c).add("*.made", "TXT", '"any"').expect("NOERROR")
    expect_held(c, "whatever.made", "TXT", '"any"')
    Update(c).add("a.b.made", "A", "192.0.2.1").expect("NOERROR")
    # b.made is now an empty non-terminal: no wildcard for it (RFC 4592 §2.2.2).
    reply = c.changing.ask("b.made.change.test.", "TXT")
    expect_rcode(reply, "NOERROR")
    expect(not reply.sections[ANSWER], "an empty non-terminal was answered from a wildcard")
