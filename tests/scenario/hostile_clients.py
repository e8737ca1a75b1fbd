#!/usr/bin/python3
"""Clients that mean harm: floods, connections that say nothing, readers that do not read, octets that mean nothing.

    hostile_clients.py [--server ours|nsd]

Others must be served meanwhile, and what a hostile client holds must end (RFC 7766 §10, RFC 9210 §4.2) and be bounded.
Rate limiting and the limit of connections are tested with our server only.
"""

import argparse
import contextlib
import os
import pathlib
import random
import socket
import struct
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "support"), str(HERE.parent / "conformance")]

import servers
from harness import Client, header, opt_option, opt_rr, question
from report import Report, Skipped, require

LIMIT = 50            # answers a second
CLIENTS = 40          # TCP connections
PATIENCE = 20.0
EVICTED_WITHIN = 2.0  # half of the idle timeout
OPTIONS = {"rate-limit": {"answers-per-second": LIMIT, "slip": 2, "limited": ["127.0.0.0/8"]},
           "tcp": {"idle-timeout": "4s", "reply-timeout": "2s", "max-clients": CLIENTS,
                   "max-clients-per-address": CLIENTS}}
MEMORY_BOUND = 64 << 20


def write_zone(folder):
    path = pathlib.Path(folder) / "hostile.zone"
    path.write_text("$TTL 300\n@ SOA ns1 hostmaster 1 3600 600 604800 60\n@ NS ns1\nns1 A 127.0.0.1\nwww A 192.0.2.1\n"
                    + "".join(f"big AAAA 2001:db8::{number:x}\n" for number in range(1, 1500)))
    return path


def private_memory(server):
    """The octets of memory that the server alone has."""
    status = pathlib.Path(f"/proc/{server.process.pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("RssAnon")).split()[1]) << 10


def sockets_of(server):
    folder = f"/proc/{server.process.pid}/fd"
    count = 0
    for entry in os.listdir(folder):
        with contextlib.suppress(OSError):
            count += os.readlink(f"{folder}/{entry}").startswith("socket:")
    return count


def eventually(what, condition, seconds=PATIENCE):
    end = time.monotonic() + seconds
    while not condition():
        require(time.monotonic() < end, f"not within {seconds} s: {what}")
        time.sleep(0.1)


def is_served(client):
    """Whether a stranger is answered over TCP, which rate limiting leaves alone."""
    try:
        reply = client.tcp(header() + question("www.hostile.test"))
    except OSError:
        return False
    return reply is not None and reply[7] == 1


def require_service(client):
    require(is_served(client), "others are not served")


def flood(client, count, options=b"", qname="www.hostile.test", rdtype="A"):
    """(full answers, truncated ones) to `count` datagrams sent as fast as they go."""
    full = truncated = 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        sock.connect((client.address, client.port))
        counts = (1, 0, 0, 1)
        for number in range(count):
            sock.send(header(number, counts=counts) + question(qname, rdtype) + opt_rr(options=options))
            if number % 50 == 49:  # so that neither side's buffer runs over while the other has no processor
                time.sleep(0.001)
        sock.settimeout(0.5)
        with contextlib.suppress(TimeoutError):
            while True:
                reply = sock.recv(4096)
                truncated += bool(reply[2] & 2)
                full += not reply[2] & 2
    return full, truncated


def rate_limit(report, server, client):
    with report.case("a flood is answered up to the limit, then every second reply with TC and the rest not at all"):
        if server.kind != "ours":
            raise Skipped("configured for our server only")
        full, truncated = flood(client, 1000)
        require(full <= 4 * LIMIT, f"{full} full answers to 1000 queries at a limit of {LIMIT} a second")
        require(full + truncated < 900, f"{full + truncated} replies: nothing was dropped")
        require(truncated >= 100, f"{truncated} truncated replies: an honest client could not ask again over TCP")
    with report.case("a flood for answers that no datagram carries is limited too [CVE-2021-25218]"):
        full, truncated = flood(client, 500, qname="big.hostile.test", rdtype="AAAA")
        require(full == 0 and 0 < truncated < 450, f"{full} full and {truncated} truncated replies")
    with report.case("a client that is limited is still answered over TCP"):
        require_service(client)
    with report.case("the limit ends when the flood does"):
        eventually("a full answer", lambda: flood(client, 1)[0] == 1)


def silent_connections(report, server, client):
    before = sockets_of(server)
    sentence = "connections that say nothing, or begin a message and stop, are closed"
    with report.case(sentence), contextlib.ExitStack() as stack:
        for octets in (b"", b"\0", b"\0\x40", b"\0\x40" + header()[:7]):
            for _ in range(3):
                stack.enter_context(client.stream()).send_octets(octets)
        require_service(client)
        eventually("the sockets are closed", lambda: sockets_of(server) <= before)


def deaf_readers(report, server, client):
    before, memory = sockets_of(server), private_memory(server)
    with report.case("readers that do not read are dropped, and cost bounded memory"), contextlib.ExitStack() as stack:
        messages = [header(number) + question("big.hostile.test", "AAAA") for number in range(300)]
        queries = b"".join(struct.pack("!H", len(message)) + message for message in messages)
        for _ in range(8):
            sock = stack.enter_context(socket.socket())
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sock.connect((client.address, client.port))
            sock.settimeout(0.5)
            with contextlib.suppress(OSError):
                sock.sendall(queries)
        require_service(client)
        grown = private_memory(server) - memory
        require(grown < MEMORY_BOUND, f"{grown >> 20} MiB for eight connections")
        eventually("the sockets are closed", lambda: sockets_of(server) <= before)


def many_connections(report, server, client):
    # Each is left a tenth of a second to ask something, so that a newcomer may have to come again.
    sentence = "more connections than allowed: idle ones make room for new ones"
    with report.case(sentence), contextlib.ExitStack() as stack:
        if server.kind != "ours":
            raise Skipped("configured for our server only")
        for _ in range(2 * CLIENTS):
            with contextlib.suppress(ConnectionResetError):  # refused before connect() returned
                stack.enter_context(client.stream())
        eventually("a stranger is served", lambda: is_served(client), EVICTED_WITHIN)
        require(sockets_of(server) < CLIENTS + 30, f"{sockets_of(server)} sockets")


def nonsense(report, server, client):
    with report.case("random octets over UDP and TCP end nothing"):
        rng = random.Random(1)
        for _ in range(200):
            octets = rng.randbytes(rng.randrange(1, 600))
            client.udp(octets, timeout=0.001, attempts=1)
            with client.stream() as stream, contextlib.suppress(OSError):
                stream.send_octets(octets)
        cookie = opt_rr(options=opt_option(10, rng.randbytes(24)))
        client.udp(header(counts=(1, 0, 0, 1)) + question("www.hostile.test") + cookie, timeout=0.1, attempts=1)
        require_service(client)
        require(server.process.poll() is None, "the server ended")


def nested_commands(report, server, client):
    with report.case("commands nested beyond any use end nothing [CVE-2023-3341]"):
        if server.kind != "ours":
            raise Skipped("has another control channel")
        for octets in (b"[" * 60_000, b'{"a":' * 12_000, b"[" * 30_000 + b"]" * 30_000, b"[" * (8 << 20)):
            with socket.socket(socket.AF_UNIX) as sock, contextlib.suppress(OSError):
                sock.settimeout(PATIENCE)
                sock.connect(str(server.folder / "data" / "control.sock"))
                sock.sendall(octets + b"\n")
                sock.shutdown(socket.SHUT_WR)
                while sock.recv(4096):
                    pass
        require_service(client)
        require(server.run("status", check=False).returncode == 0, "no command is answered any more")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", choices=["ours", "nsd"], default="ours")
    arguments = parser.parse_args()
    report = Report("hostile clients")
    with tempfile.TemporaryDirectory(prefix="steward-hostile-") as folder:
        zone = servers.Zone("hostile.test.", write_zone(folder))
        options = OPTIONS if arguments.server == "ours" else {}
        with servers.start(arguments.server, [zone], addresses=["127.0.0.1"], options=options) as server:
            client = Client(server.kind, server.address, server.port, {})
            for attack in (rate_limit, silent_connections, deaf_readers, many_connections, nonsense,
                           nested_commands):
                attack(report, server, client)
            if report.failed:
                print(server.log_tail(15))
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
