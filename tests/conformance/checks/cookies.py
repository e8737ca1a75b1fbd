"""DNS cookies: RFC 7873 and RFC 9018."""

import time

from harness import check, expect, expect_equal, expect_rcode, find_option, header, opt_option, opt_rr, question

WWW = question("www.plain.test")
COOKIE = 10
CLIENT = bytes.fromhex("2464c4abcf10c957")  # RFC 9018 Appendix A


def ask_with(c, cookie, question_wire=WWW, count=1):
    raw = c.udp(header(counts=(count, 0, 0, 1)) + question_wire + opt_rr(options=opt_option(COOKIE, cookie)))
    expect(raw is not None, "no reply")
    return c.parse(raw)


def full_cookie(c):
    cookie = find_option(ask_with(c, CLIENT), COOKIE)
    expect(cookie is not None, "no COOKIE option in the reply")
    return cookie


@check("RFC 7873 §5.2.3")
def a_client_cookie_alone_is_answered_with_a_server_cookie(c):
    cookie = full_cookie(c)
    expect_equal("client cookie", cookie[:8], CLIENT)
    expect(16 <= len(cookie) <= 40, f"a COOKIE option of {len(cookie)} octets")


@check("RFC 9018 §4")
def a_server_cookie_is_of_version_1_with_the_time(c):
    cookie = full_cookie(c)
    expect_equal("length", len(cookie), 24)
    expect_equal("version and reserved", cookie[8:12], b"\x01\0\0\0")
    expect(abs(int.from_bytes(cookie[12:16], "big") - time.time()) < 300, "the timestamp is not of now")


@check("RFC 7873 §5.2.5")
def a_valid_server_cookie_is_accepted_and_answered(c):
    cookie = full_cookie(c)
    reply = ask_with(c, cookie)
    expect_rcode(reply, "NOERROR")
    expect_equal("client cookie", (find_option(reply, COOKIE) or b"")[:8], CLIENT)
    expect_equal("answers", len(reply.answer), 1)


@check("RFC 7873 §5.2.4")
def a_wrong_server_cookie_is_answered_with_a_new_one(c):
    cookie = find_option(ask_with(c, CLIENT + b"\x01\0\0\0" + bytes(12)), COOKIE)
    expect(cookie is not None and cookie[8:] != b"\x01\0\0\0" + bytes(12), "no new server cookie")


@check("RFC 7873 §5.2.2")
def a_cookie_of_a_length_that_cannot_be_is_a_format_error(c):
    for size in (0, 1, 7, 9, 15, 41, 60):
        raw = c.udp(header(counts=(1, 0, 0, 1)) + WWW + opt_rr(options=opt_option(COOKIE, bytes(size))))
        expect(raw is not None, f"no reply to a cookie of {size} octets")
        expect_equal(f"rcode of {size} octets", raw[3] & 0x0F, 1)


@check("RFC 7873 §5.4")
def a_query_without_question_but_with_a_cookie_asks_for_a_cookie(c):
    reply = ask_with(c, CLIENT, b"", 0)
    expect_rcode(reply, "NOERROR")
    expect_equal("client cookie", (find_option(reply, COOKIE) or b"")[:8], CLIENT)
    expect_equal("questions", len(reply.question), 0)


@check("RFC 7873 §5.2.1")
def no_cookie_is_sent_unasked(c):
    expect_equal("COOKIE", find_option(c.ask("www.plain.test", "A", edns=0), COOKIE), None)


@check("RFC 9018 §4.4")
def a_server_cookie_depends_on_the_client_cookie(c):
    other = find_option(ask_with(c, CLIENT[::-1]), COOKIE)
    expect(other is not None and other[16:] != full_cookie(c)[16:], "the same hash for two client cookies")


@check("RFC 7873 §5.2")
def cookies_are_answered_on_a_stream_too(c):
    raw = c.tcp(header(counts=(1, 0, 0, 1)) + WWW + opt_rr(options=opt_option(COOKIE, CLIENT)))
    expect_equal("client cookie", (find_option(c.parse(raw), COOKIE) or b"")[:8], CLIENT)
