"""TSIG over the wire: RFC 8945 §5. Signed by signing_key, which owes nothing to any server."""

import struct
import time

import signing_key
import zone_wire
from harness import Skip, check, expect, expect_equal, header, question
from signing_key import SigningKey
from transfers import replies_to
from updates import KEY, ZONE, Update

NOERROR, FORMERR, NOTAUTH = 0, 1, 9
BADSIG, BADKEY, BADTIME, BADTRUNC = 16, 17, 18, 22
SHA256_SIZE = 32
WWW = question("www.change.test")


def key_of(c):
    if c.kind == "nsd":
        raise Skip("has no key for anything but transfers")
    return SigningKey(*KEY)


def ask(c, tcp=False, message_id=0x4321, **wrong):
    """A signed query: the reply, its RCODE, its TSIG, and the MAC of the request."""
    wire, mac = key_of(c).sign(header(message_id) + WWW, **wrong)
    raw = c.changing.tcp(wire) if tcp else c.changing.udp(wire)
    expect(raw is not None, "no reply")
    return raw, raw[3] & 15, signing_key.find(raw), mac


def expect_tsig_error(c, error, has_mac, **wrong):
    raw, rcode, tsig, mac = ask(c, **wrong)
    expect_equal("rcode", rcode, NOTAUTH)
    expect(tsig is not None, "no TSIG in the reply")
    expect_equal("TSIG error", tsig.error, error)
    expect_equal("records in the answer", struct.unpack("!H", raw[6:8])[0], 0)
    if has_mac:
        key_of(c).check(raw, mac)
    else:
        expect_equal("MAC", tsig.mac, b"")
    return tsig


@check("RFC 8945 §5.3, §5.2")
def a_signed_query_has_a_signed_answer(c):
    for tcp in (False, True):
        raw, rcode, _, mac = ask(c, tcp=tcp)
        expect_equal("rcode", rcode, NOERROR)
        expect(struct.unpack("!H", raw[6:8])[0] == 2, "no answer")
        key_of(c).check(raw, mac)


@check("RFC 8945 §5.3")
def an_unsigned_query_has_an_unsigned_answer(c):
    raw = c.changing.udp(header() + WWW)
    expect(raw is not None and signing_key.find(raw) is None, "a TSIG that nobody asked for")


@check("RFC 8945 §5.2.1, §5.3.2")
def an_unknown_key_is_badkey_without_a_mac(c):
    expect_tsig_error(c, BADKEY, False, name="nobody.")


@check("RFC 8945 §5.2.1")
def a_known_key_with_another_algorithm_is_badkey(c):
    expect_tsig_error(c, BADKEY, False, algorithm="hmac-sha512")


@check("RFC 8945 §6")
def an_unknown_algorithm_is_badkey(c):
    expect_tsig_error(c, BADKEY, False, algorithm="hmac-none.example.")


@check("RFC 8945 §5.2.2")
def a_wrong_mac_is_badsig_without_a_mac(c):
    expect_tsig_error(c, BADSIG, False, mac=bytes(SHA256_SIZE))


@check("RFC 8945 §5.2.2, §4.3.3")
def every_signed_octet_counts(c):
    wire, _ = key_of(c).sign(header(0x1111) + WWW)
    tsig = signing_key.find(wire)
    for at in (2, 14, len(WWW) + 11):  # RD, the name, the class
        broken = bytearray(wire)
        broken[at] ^= 1
        if at == 14:
            expect(chr(broken[at]) != chr(wire[at]), "unchanged")
        raw = c.changing.udp(bytes(broken))
        expect(raw is not None, "no reply")
        expect(raw[3] & 15 != NOERROR, f"octet {at}: NOERROR")
    expect(tsig.mac, "not signed")


@check("RFC 8945 §5.2.3")
def a_time_outside_of_the_fudge_is_badtime_with_the_servers_time(c):
    now = int(time.time())
    for signed_at in (now - 4000, now + 4000):
        tsig = expect_tsig_error(c, BADTIME, True, signed_at=signed_at)
        expect_equal("time signed", tsig.time, signed_at)
        expect_equal("octets of other data", len(tsig.other), 6)
        server = int.from_bytes(tsig.other, "big")
        expect(abs(server - now) < 60, f"the server's time is {server}, ours {now}")


@check("RFC 8945 §5.2.3, §10")
def the_fudge_of_the_request_counts(c):
    _, rcode, _, _ = ask(c, signed_at=int(time.time()) - 200, fudge=300)
    expect_equal("rcode within the fudge", rcode, NOERROR)
    expect_tsig_error(c, BADTIME, True, signed_at=int(time.time()) - 200, fudge=100)


@check("RFC 8945 §5.2.2.1, §5.2.4")
def a_mac_cut_to_half_is_taken_or_badtrunc(c):
    raw, rcode, tsig, mac = ask(c, size=SHA256_SIZE // 2)
    expect(tsig is not None, "no TSIG in the reply")
    expect((rcode, tsig.error) in ((NOERROR, 0), (NOTAUTH, BADTRUNC)), f"rcode {rcode}, TSIG error {tsig.error}")
    key_of(c).check(raw, mac)


@check("RFC 8945 §5.2.2.1")
def a_mac_of_less_than_half_or_more_than_all_is_a_format_error(c):
    for size in (1, 9, SHA256_SIZE // 2 - 1):
        expect_equal(f"rcode of {size} octets", ask(c, size=size)[1], FORMERR)
    expect_equal("rcode of 33 octets", ask(c, mac=bytes(SHA256_SIZE + 1))[1], FORMERR)


@check("RFC 8945 §5.2")
def a_tsig_that_is_not_last_or_not_alone_is_a_format_error(c):
    key = key_of(c)
    signed, _ = key.sign(header() + WWW)
    twice, _ = key.sign(signed)
    raw = c.changing.udp(twice)
    expect(raw is not None and raw[3] & 15 == FORMERR, "two TSIGs: no FORMERR")
    opt = b"\0" + struct.pack("!HHIH", 41, 1232, 0, 0)
    behind = signed[:10] + struct.pack("!H", 2) + signed[12:] + opt
    raw = c.changing.udp(behind)
    expect(raw is not None and raw[3] & 15 == FORMERR, "a TSIG before OPT: no FORMERR")


@check("RFC 8945 §4.2")
def a_tsig_of_another_class_is_a_format_error(c):
    expect_equal("rcode", ask(c, rclass=1)[1], FORMERR)


@check("RFC 8945 §5.2, §5.1")
def a_forwarder_may_have_changed_the_id(c):
    key = key_of(c)
    wire, mac = key.sign(header(0x1234) + WWW)
    raw = c.changing.udp(b"\x99\x99" + wire[2:])
    expect(raw is not None and raw[:2] == b"\x99\x99", "no reply to the ID of the message")
    expect_equal("rcode", raw[3] & 15, NOERROR)


@check("RFC 8945 §4.2, RFC 4343")
def the_name_of_a_key_has_no_case(c):
    raw, rcode, _, mac = ask(c, name="UPDATE.")
    expect_equal("rcode", rcode, NOERROR)
    key_of(c).check(raw, mac)


@check("RFC 8945 §5.3.1")
def the_messages_of_a_signed_transfer_are_signed_in_a_chain(c):
    key = key_of(c)
    wire, mac = key.sign(zone_wire.transfer_query(ZONE, zone_wire.AXFR))
    raw, _ = replies_to(c, wire)
    expect(len(raw) > 1, "one message alone")
    key.check_stream(raw, mac)


@check("RFC 8945 §5.2")
def a_transfer_with_a_wrong_signature_is_not_begun(c):
    wire, _ = key_of(c).sign(zone_wire.transfer_query(ZONE, zone_wire.AXFR), mac=bytes(SHA256_SIZE))
    raw = c.changing.tcp(wire)
    expect(raw is not None, "no reply")
    expect_equal("rcode", raw[3] & 15, NOTAUTH)
    expect_equal("records", raw[6:8], b"\0\0")


@check("RFC 8945 §5.2, RFC 2136 §3.3")
def an_update_with_a_wrong_signature_changes_nothing(c):
    wire, _ = key_of(c).sign(Update(c).add("badly-signed", "A", "192.0.2.1").wire(), mac=bytes(SHA256_SIZE))
    raw = c.changing.tcp(wire)
    expect(raw is not None, "no reply")
    expect_equal("rcode", raw[3] & 15, NOTAUTH)
    expect_equal("rcode of the name", c.changing.ask("badly-signed.change.test.", "A").rcode(), 3)


@check("RFC 8945 §5.3.2")
def a_refused_update_is_refused_with_a_signature(c):
    Update(c).need("no-such-name", "ANY", 255).expect("NXDOMAIN")
    Update(c).add("www.elsewhere.test.", "A", "192.0.2.1").expect("NOTZONE")
