"""SIG(0) over the wire: RFC 2931 §3 with the KEY records of RFC 2535 §3. Signed by sig0_key, which owes nothing to any server."""

import time

import dns.message

from harness import Skip, check, expect, expect_equal, header, opt_rr, question
from sig0_key import ECDSAP256SHA256, ED25519, NAMES, NO_AUTHENTICATION, RSASHA256, Sig0Key
from updates import ZONE, Update, expect_held

NOERROR, FORMERR, NOTAUTH, REFUSED = 0, 1, 9, 5
WITHOUT = "has no SIG(0), BIND since CVE-2024-1975 (9.18.28)"
FORGED = 300  # more than one network's verifications of a second

KEYS = {NAMES[algorithm]: Sig0Key(f"{NAMES[algorithm]}.{ZONE}", algorithm)
        for algorithm in (ED25519, ECDSAP256SHA256, RSASHA256)}
KEYS["mute"] = Sig0Key(f"mute.{ZONE}", ED25519, NO_AUTHENTICATION | 0x0200)
STRANGER = Sig0Key(f"stranger.{ZONE}")


def key_records():
    """Lines of the zone that is changed."""
    return "".join(key.record + "\n" for key in KEYS.values())


def signers():
    """Whose SIG(0) may change it."""
    return [key.owner for key in [*KEYS.values(), STRANGER]]


def send(c, owner, key, **wrong):
    """The RCODE of an update that adds a TXT record there."""
    if c.kind != "ours":
        raise Skip(WITHOUT)
    wire = Update(c).add(owner, "TXT", '"signed"').wire()
    raw = c.changing.tcp(key.sign(wire, **wrong))
    expect(raw is not None, "no reply")
    expect_equal("ID", raw[:2], wire[:2])
    return raw[3] & 15


def expect_refused(c, owner, key, *rcodes, **wrong):
    got = send(c, owner, key, **wrong)
    expect(got in (rcodes or (NOTAUTH, REFUSED)), f"rcode {got}")
    expect_held(c, owner, "TXT")


@check("RFC 2931 §3.1, RFC 3007 §3.1")
def an_update_signed_with_sig0_is_done(c):
    for name in (NAMES[ED25519], NAMES[ECDSAP256SHA256], NAMES[RSASHA256]):
        expect_equal(f"rcode of {name}", send(c, f"sig0-{name}", KEYS[name]), NOERROR)
        expect_held(c, f"sig0-{name}", "TXT", '"signed"')


@check("RFC 2931 §3.2")
def an_update_whose_sig0_was_spoilt_is_refused(c):
    for name in (NAMES[ED25519], NAMES[ECDSAP256SHA256], NAMES[RSASHA256]):
        expect_refused(c, f"sig0-spoilt-{name}", KEYS[name], spoil=True)


@check("RFC 2931 §2.3")
def a_sig0_of_a_key_that_the_zone_does_not_have_is_refused(c):
    expect_refused(c, "sig0-stranger", STRANGER)


@check("RFC 2931 §3")
def a_sig0_in_the_name_of_another_key_is_refused(c):
    expect_refused(c, "sig0-other-name", KEYS["ed25519"], signer=f"ecdsap256sha256.{ZONE}")
    expect_refused(c, "sig0-no-name", KEYS["ed25519"], signer=f"nobody.{ZONE}")


@check("RFC 2931 §3.3, RFC 2535 §4.1.5")
def a_sig0_outside_of_its_window_is_refused(c):
    expect_refused(c, "sig0-late", KEYS["ed25519"], begin=-7200, end=-3600)
    expect_refused(c, "sig0-early", KEYS["ed25519"], begin=3600, end=7200)


@check("RFC 2535 §3.1.2")
def a_key_that_must_not_authenticate_does_not(c):
    expect_refused(c, "sig0-mute", KEYS["mute"])


@check("RFC 2931 §3")
def a_sig_that_covers_a_type_is_no_signature_of_the_message(c):
    expect_refused(c, "sig0-covers", KEYS["ed25519"], FORMERR, NOTAUTH, REFUSED, covered=16)


@check("RFC 2931 §3.1")
def a_sig0_that_is_not_the_last_record_is_refused(c):
    expect_refused(c, "sig0-middle", KEYS["ed25519"], FORMERR, NOTAUTH, REFUSED, last=opt_rr())


@check("RFC 2931 §2.3")
def a_query_with_a_sig0_is_answered_as_one_without(c):
    if c.kind != "ours":
        raise Skip(WITHOUT)
    raw = c.changing.udp(KEYS["ed25519"].sign(header() + question(f"www.{ZONE}")))
    expect(raw is not None, "no reply")
    expect_equal("rcode", raw[3] & 15, NOERROR)
    expect(dns.message.from_wire(raw).answer, "no answer")


# Last, since it uses up what this address may have verified in a second.
@check("CVE-2024-1975")
def forged_sig0_leave_time_for_queries_and_soon_for_good_ones(c):
    if c.kind != "ours":
        raise Skip(WITHOUT)
    with c.changing.stream() as stream:
        forged = KEYS["rsasha256"].sign(Update(c).add("sig0-forged", "TXT", '"forged"').wire(), spoil=True)
        for _ in range(FORGED):
            stream.send(forged)
        expect(c.changing.ask(f"www.{ZONE}", "A").answer, "a query is not answered meanwhile")
        rcodes = {stream.receive()[3] & 15 for _ in range(FORGED)}
    expect(rcodes <= {NOTAUTH, REFUSED}, f"rcodes {rcodes}")
    expect_held(c, "sig0-forged", "TXT")
    end = time.monotonic() + 10
    while (rcode := send(c, "sig0-after", KEYS["ed25519"])) != NOERROR and time.monotonic() < end:
        expect_equal("rcode without budget", rcode, REFUSED)
    expect_held(c, "sig0-after", "TXT", '"signed"')
