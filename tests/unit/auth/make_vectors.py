"""Prints the vectors of dnspython_vectors.hh: `/usr/bin/python3 make_vectors.py` with dnspython 2.3. Not run by the build."""

import struct
import time

import dns.message
import dns.name
import dns.tsig

NOW = 1_700_000_000
SECRET = bytes(range(32))
ALGORITHMS = ["hmac-sha1", "hmac-sha224", "hmac-sha256", "hmac-sha384", "hmac-sha512"]


def key(algorithm="hmac-sha256", name="key.example."):
    return dns.tsig.Key(name, SECRET, algorithm + ".")


def wire_of(message, **arguments):
    real, time.time = time.time, lambda: NOW
    try:
        return message.to_wire(**arguments)
    finally:
        time.time = real


def request(signed_with, **tsig):
    message = dns.message.make_query("www.example.", "A")
    message.id = 0x1234
    message.use_tsig(signed_with, **tsig)
    return message


def response(to, text, **tsig):
    message = dns.message.make_response(to)
    message.use_tsig(to.keyring, fudge=300, **tsig)
    message.request_mac = to.mac
    if text:
        message.answer.append(dns.rrset.from_text("www.example.", 60, "IN", "A", text))
    return message


def show(name, wire):
    print(f"inline constexpr std::string_view {name} =")
    text = wire.hex()
    lines = [text[i : i + 100] for i in range(0, len(text), 100)]
    print("\n".join(f'    "{line}"' for line in lines) + ";")


def main():
    print("#pragma once\n// Made by make_vectors.py with dnspython 2.3: the secret is the octets 0 to 31, the time 1700000000.\n")
    print("#include <string_view>\n\nnamespace steward::auth::dnspython {\n")
    for algorithm in ALGORITHMS:
        show("request_" + algorithm.replace("hmac-", ""), wire_of(request(key(algorithm))))
    show("request_upper_case", wire_of(request(key("HMAC-SHA256", "KEY.Example."))))
    show("request_other_id", wire_of(request(key(), original_id=0x4321)))
    query = request(key())
    wire_of(query)
    show("response", wire_of(response(query, "192.0.2.1")))
    show("response_badtime", wire_of(response(query, None, tsig_error=18, other_data=struct.pack("!HI", 0, NOW + 1000))))
    # A stream: first signed, two unsigned, one signed with timers only, one more.
    first = response(query, "192.0.2.1")
    show("stream_1", wire_of(first, multi=True))
    context = first.tsig_ctx
    for i in (2, 3):
        message = response(query, f"192.0.2.{i}")
        message.tsig = None
        wire = wire_of(message)
        context.update(wire)
        show(f"stream_{i}", wire)
    for i in (4, 5):
        message = response(query, f"192.0.2.{i}")
        show(f"stream_{i}", wire_of(message, multi=True, tsig_ctx=context))
        context = message.tsig_ctx
    print("\n}  // namespace steward::auth::dnspython")


main()
