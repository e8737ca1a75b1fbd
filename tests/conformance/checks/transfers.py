"""Transfers out: AXFR (RFC 5936), IXFR (RFC 1995), and what is answered to NOTIFY (RFC 1996)."""

import struct

import dns.rdatatype
import dns.zone

import zone_wire
from harness import Skip, check, expect, expect_equal, header, name, question
from updates import ZONE, Update

SOA_RDATA_TAIL = 20


def soa_record(c):
    """The zone's SOA now, as zone_wire has records."""
    return zone_wire.soa_of(zone_wire.fetch(c.changing.address, c.changing.port, ZONE).records)


def with_serial(soa, serial):
    return soa[:3] + (soa[3][:-SOA_RDATA_TAIL] + struct.pack("!I", serial) + soa[3][-SOA_RDATA_TAIL + 4:],)


def replies_to(c, wire, key=None):
    """The messages that answer a transfer request, until its end, in wire form; and what they say."""
    raw, records = [], []
    with c.changing.stream() as stream:
        stream.send(wire)
        while True:
            octets = stream.receive()
            expect(octets is not None, f"closed after {len(raw)} messages")
            message = zone_wire.Message(octets)
            expect_equal("rcode", message.rcode, 0)
            raw.append(octets)
            records += message.records()
            if zone_wire.is_whole(records):
                return raw, records


def refusal(c, wire, tcp=True):
    """The RCODE of a reply that has no answer."""
    raw = c.changing.tcp(wire) if tcp else c.changing.udp(wire)
    expect(raw is not None, "no reply")
    expect_equal("records in the answer", struct.unpack("!H", raw[6:8])[0], 0)
    return raw[3] & 15


@check("RFC 5936 §2.2, §3")
def axfr_has_every_record_once_between_two_soas(c):
    records = zone_wire.fetch(c.changing.address, c.changing.port, ZONE).records
    wanted = set()
    for owner, rdataset in c.changing_zone.iterate_rdatasets():
        for rdata in rdataset:
            wanted.add((owner.canonicalize().to_wire(), int(rdataset.rdtype), rdata.to_wire(origin=None).lower()))
    got = {(owner, rtype, rdata.lower()) for owner, rtype, _, rdata in records if rtype != zone_wire.SOA}
    wanted = {record for record in wanted if record[1] != zone_wire.SOA}
    # Other checks change their own names: what the file says of the rest must be there.
    own = {name(label + "." + ZONE).to_wire() for label in ("set", "value", "gone", "cname", "data")}
    missing = {record for record in wanted - got if record[0] not in own}
    expect(not missing, f"missing: {list(missing)[:4]}")


@check("RFC 5936 §3.5")
def axfr_has_what_a_delegation_hides(c):
    records = zone_wire.fetch(c.changing.address, c.changing.port, ZONE).records
    owners = {record[0] for record in records}
    for owner in ("ns.child.change.test.", "lost.child.change.test."):
        expect(name(owner).to_wire() in owners, f"{owner} is not transferred")


@check("RFC 5936 §2.2.1")
def every_message_of_a_transfer_has_the_id_and_aa(c):
    query = zone_wire.transfer_query(ZONE, zone_wire.AXFR)
    raw, _ = replies_to(c, query)
    expect(len(raw) > 1, "one message alone: the zone is meant to take several")
    for message in raw:
        expect(message[:2] == query[:2], "another ID")
        expect(message[2] & 0x84 == 0x84, "QR and AA are not both set")
        expect_equal("opcode", message[2] >> 3 & 15, 0)
        expect(struct.unpack("!H", message[4:6])[0] <= 1, "more than one question")
    expect_equal("questions of the first message", struct.unpack("!H", raw[0][4:6])[0], 1)


@check("RFC 5936 §4.1, RFC 7766 §6.2.1")
def a_connection_serves_after_a_transfer(c):
    wire = zone_wire.transfer_query(ZONE, zone_wire.AXFR)
    with c.changing.stream() as stream:
        for _ in range(2):
            stream.send(wire)
            records = []
            while not zone_wire.is_whole(records):
                octets = stream.receive()
                expect(octets is not None, "closed")
                records += zone_wire.Message(octets).records()
        stream.send(header() + question("www.change.test"))
        expect(stream.receive() is not None, "no answer on the connection")


@check("RFC 5936 §4.2")
def axfr_over_udp_is_not_answered_with_a_zone(c):
    expect(refusal(c, zone_wire.transfer_query(ZONE, zone_wire.AXFR), tcp=False) != 0, "NOERROR")


@check("RFC 5936 §2.2.1")
def axfr_of_a_name_that_is_no_zone_is_notauth(c):
    for qname in ("www.change.test.", "elsewhere.test."):
        rcode = refusal(c, zone_wire.transfer_query(qname, zone_wire.AXFR))
        expect(rcode in (5, 9), f"{qname}: rcode {rcode} is neither NOTAUTH nor REFUSED")


@check("RFC 1995 §2")
def ixfr_of_the_present_version_is_the_soa_alone(c):
    transfer = zone_wire.fetch(c.changing.address, c.changing.port, ZONE, since=soa_record(c))
    expect_equal("differences", transfer.differences, [])


@check("RFC 1995 §2")
def ixfr_of_a_newer_version_is_the_soa_alone(c):
    soa = soa_record(c)
    wire = zone_wire.transfer_query(ZONE, zone_wire.IXFR, with_serial(soa, zone_wire.serial_of(soa) + 5))
    raw = c.changing.tcp(wire)
    records = list(zone_wire.Message(raw).records())
    expect_equal("types", [record[1] for record in records], [zone_wire.SOA])
    expect_equal("serial", zone_wire.serial_of(records[0]), zone_wire.serial_of(soa))


@check("RFC 1995 §4")
def ixfr_leads_from_the_version_before_to_the_present_one(c):
    if c.kind == "nsd":
        raise Skip("knows no UPDATE, so that its zone does not change")
    for number in range(3):
        before = zone_wire.fetch(c.changing.address, c.changing.port, ZONE).records
        update = Update(c)
        update.add(f"ixfr-{number}", "A", f"192.0.2.{number + 1}").add("ixfr", "TXT", f'"{number}"')
        if number:
            update.remove(f"ixfr-{number - 1}", "A", f"192.0.2.{number}").remove("ixfr", "TXT", f'"{number - 1}"')
        update.expect("NOERROR")
        after = zone_wire.fetch(c.changing.address, c.changing.port, ZONE).records
        transfer = zone_wire.fetch(c.changing.address, c.changing.port, ZONE, since=zone_wire.soa_of(before))
        expect(transfer.differences is not None, "the whole zone for a change of two names")
        expect(zone_wire.apply(before, transfer.differences) == after, "the differences lead to another zone")


@check("RFC 1995 §4")
def ixfr_of_an_unknown_version_is_the_whole_zone(c):
    transfer = zone_wire.fetch(c.changing.address, c.changing.port, ZONE, since=with_serial(soa_record(c), 7))
    expect(transfer.records is not None, "differences from a version that never was")


@check("RFC 1995 §2, §4")
def ixfr_over_udp_is_whole_or_the_soa_alone(c):
    raw = c.changing.udp(zone_wire.transfer_query(ZONE, zone_wire.IXFR, with_serial(soa_record(c), 7)))
    expect(raw is not None, "no reply")
    message = zone_wire.Message(raw)
    records = list(message.records())
    expect_equal("rcode", message.rcode, 0)
    expect(len(records) == 1 or zone_wire.is_whole(records) or message.flags & 0x200, "a part of a transfer")
    expect_equal("first type", records[0][1] if records else zone_wire.SOA, zone_wire.SOA)


@check("RFC 1995 §3")
def ixfr_without_the_soa_of_the_client_is_a_format_error(c):
    wire = zone_wire.transfer_query(ZONE, zone_wire.IXFR)
    expect_equal("rcode", refusal(c, wire), 1)


@check("RFC 1996 §3.10")
def a_notify_for_an_unknown_zone_is_refused(c):
    raw = c.changing.udp(header(flags=4 << 11 | 0x400) + question("elsewhere.test", "SOA"))
    expect(raw is not None, "no reply")
    expect(raw[3] & 15 in (5, 9), f"rcode {raw[3] & 15} is neither NOTAUTH nor REFUSED")
    expect(raw[2] & 0xF8 == 0xA0, "no response to a NOTIFY")


@check("RFC 1996 §3.7")
def a_notify_whose_type_is_not_soa_is_not_taken(c):
    raw = c.changing.udp(header(flags=4 << 11 | 0x400) + question("change.test", "A"))
    expect(raw is not None and raw[3] & 15 != 0, "NOERROR, or no reply")
