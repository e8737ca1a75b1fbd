"""DNS over TCP: RFC 7766, 7828, 9210."""

import struct

from harness import (check, expect, expect_equal, expect_flag, find_option, header, opt_option, opt_rr, question, wait)

WWW = question("www.plain.test")
KEEPALIVE = 11


def framed(wire):
    return struct.pack("!H", len(wire)) + wire


def receive_ids(stream, count):
    replies = [stream.receive() for _ in range(count)]
    expect(None not in replies,
           f"the connection was closed after {sum(r is not None for r in replies)} of {count} replies")
    return {struct.unpack("!H", reply[:2])[0] for reply in replies}


@check("RFC 7766 §5")
def queries_over_tcp_are_answered(c):
    expect_flag(c.ask("www.plain.test", "A", tcp=True), "AA")


@check("RFC 7766 §6.2.1")
def a_connection_serves_one_query_after_another(c):
    with c.stream() as stream:
        for message_id in range(5):
            stream.send(header(message_id) + WWW)
            expect_equal("ID", receive_ids(stream, 1), {message_id})


@check("RFC 7766 §6.2.1.1")
def queries_may_be_sent_before_replies_came(c):
    with c.stream() as stream:
        for message_id in range(50):
            stream.send(header(message_id) + WWW)
        expect_equal("IDs", receive_ids(stream, 50), set(range(50)))


@check("RFC 7766 §6.2.1.1, §8")
def many_queries_in_one_segment_are_all_answered(c):
    with c.stream() as stream:
        stream.send_octets(b"".join(framed(header(n) + WWW) for n in range(20)))
        expect_equal("IDs", receive_ids(stream, 20), set(range(20)))


@check("RFC 7766 §8")
def a_query_in_single_octets_is_answered(c):
    with c.stream() as stream:
        for octet in framed(header(7) + WWW):
            stream.send_octets(bytes([octet]))
            wait(0.002)
        expect_equal("ID", receive_ids(stream, 1), {7})


@check("RFC 7766 §8")
def a_segment_that_ends_within_the_next_query_is_no_trouble(c):
    octets = b"".join(framed(header(n) + WWW) for n in range(3))
    for cut in (1, len(octets) // 3 + 1, len(octets) - 5):
        with c.stream() as stream:
            stream.send_octets(octets[:cut])
            wait(0.02)
            stream.send_octets(octets[cut:])
            expect_equal("IDs", receive_ids(stream, 3), {0, 1, 2})


@check("RFC 7766 §7")
def replies_may_be_out_of_order_and_carry_their_question(c):
    names = ["a8000.big.plain.test", "www.plain.test", "missing.plain.test", "a4000.big.plain.test"]
    with c.stream() as stream:
        stream.send(*(header(n) + question(qname) for n, qname in enumerate(names)))
        replies = [c.parse(stream.receive()) for _ in names]
    expect_equal("questions by ID", {reply.id: reply.question[0].name.to_text() for reply in replies},
                 {n: qname + "." for n, qname in enumerate(names)})


@check("RFC 7766 §6.2.4")
def a_client_that_half_closes_still_gets_its_replies(c):
    with c.stream() as stream:
        stream.send(header(1) + WWW, header(2) + WWW)
        stream.socket.shutdown(1)
        expect_equal("IDs", receive_ids(stream, 2), {1, 2})


@check("RFC 7766 §8")
def large_replies_are_pipelined_whole(c):
    with c.stream() as stream:
        stream.send(*(header(n) + question("a8000.big.plain.test", "AAAA") for n in range(40)))
        expect_equal("IDs", receive_ids(stream, 40), set(range(40)))


@check("RFC 7766 §6.2.3")
def an_idle_connection_stays_open_for_a_while(c):
    with c.stream() as stream:
        stream.send(header(1) + WWW)
        receive_ids(stream, 1)
        wait(1.5)
        stream.send(header(2) + WWW)
        expect_equal("ID", receive_ids(stream, 1), {2})


@check("RFC 7766 §10, RFC 9210 §4.2")
def an_idle_connection_is_closed_in_the_end(c):
    with c.stream() as stream:
        stream.send(header(1) + WWW)
        receive_ids(stream, 1)
        try:
            expect_equal("after idling", stream.receive(timeout=35), None)
        except TimeoutError:
            expect(False, "still open after 35 idle seconds")


@check("RFC 7766 §10")
def a_message_shorter_than_a_header_does_no_harm(c):
    for octets in (b"\0\0", b"\0\x01a", framed(header()[:11])):
        with c.stream() as stream:
            stream.send_octets(octets)
            wait(0.02)
    c.expect_alive()


@check("RFC 7766 §6.2.1")
def a_reply_on_a_stream_is_not_limited_by_the_payload_size(c):
    reply = c.ask("a8000.big.plain.test", "AAAA", tcp=True)
    expect_flag(reply, "TC", False)
    expect_equal("records", len(reply.answer[0]), 250)


@check("RFC 1035 §4.1.1, RFC 7766 §8")
def a_malformed_query_leaves_the_server_serving(c):
    with c.stream() as stream:
        stream.send(header() + b"\xc0\x0c\0\x01\0\x01")
        reply = stream.receive()
        expect(reply is None or reply[3] & 0x0F == 1, "neither closed nor a format error")
    c.expect_alive()


@check("RFC 7828 §3.3.2")
def keepalive_asked_for_is_answered_with_a_timeout(c):
    with c.stream() as stream:
        stream.send(header(counts=(1, 0, 0, 1)) + WWW + opt_rr(options=opt_option(KEEPALIVE)))
        data = find_option(c.parse(stream.receive()), KEEPALIVE)
    expect(data is not None, "no edns-tcp-keepalive option")
    expect_equal("option length", len(data), 2)


@check("RFC 7828 §3.2.2")
def keepalive_over_udp_is_ignored(c):
    raw = c.udp(header(counts=(1, 0, 0, 1)) + WWW + opt_rr(options=opt_option(KEEPALIVE)))
    reply = c.parse(raw)
    expect_equal("rcode", reply.rcode(), 0)
    expect_equal("keepalive", find_option(reply, KEEPALIVE), None)


@check("RFC 7766 §6.2.2, RFC 9210 §4.2")
def many_connections_at_once_are_served(c):
    streams = []
    try:
        for _ in range(50):
            context = c.stream()
            streams.append((context, context.__enter__()))
        for n, (_, stream) in enumerate(streams):
            stream.send(header(n) + WWW)
        for n, (_, stream) in enumerate(streams):
            expect_equal("ID", receive_ids(stream, 1), {n})
    finally:
        for context, _ in streams:
            context.__exit__(None, None, None)
