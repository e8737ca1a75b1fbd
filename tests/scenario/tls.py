#!/usr/bin/python3
"""DNS over TLS from outside: queries, versions, ALPN, client certificates, certificates that change, half-open handshakes.

The clients are Python's ssl, dig and kdig. Certificates are made by the openssl command.
"""

import contextlib
import json
import pathlib
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "support"), str(HERE.parent / "conformance")]

import peers
import servers
from certificates import Certificates
from harness import header, question
from report import Report, Skipped, require

PATIENCE = 20.0


def write_zone(folder):
    path = pathlib.Path(folder) / "tls.zone"
    path.write_text("$TTL 300\n@ SOA ns1 hostmaster 1 3600 600 604800 60\n@ NS ns1\nns1 A 127.0.0.1\nwww A 192.0.2.1\n"
                    + "".join(f"big AAAA 2001:db8::{number:x}\n" for number in range(1, 1500)))
    return path


def context_of(certificates, own=None, alpn=("dot",)):
    context = ssl.create_default_context(cafile=certificates.path("ca.pem"))
    if alpn:
        context.set_alpn_protocols(list(alpn))
    if own:
        context.load_cert_chain(certificates.path(own + ".pem"), certificates.path(own + ".key"))
    return context


def connect(port, context, name="ns1.example"):
    sock = socket.create_connection(("127.0.0.1", port), PATIENCE)
    try:
        return context.wrap_socket(sock, server_hostname=name)
    except BaseException:
        sock.close()
        raise


def framed(message):
    return struct.pack("!H", len(message)) + message


def read_exactly(stream, size):
    octets = b""
    while len(octets) < size:
        got = stream.recv(size - len(octets))
        require(got, f"the stream ended after {len(octets)} of {size} octets")
        octets += got
    return octets


def read_message(stream):
    return read_exactly(stream, struct.unpack("!H", read_exactly(stream, 2))[0])


def ask(stream, number=1, name="www.tls.test", kind="A"):
    stream.sendall(framed(header(number) + question(name, kind)))
    return read_message(stream)


def served(port, context):
    with connect(port, context) as stream:
        require(ask(stream)[7] == 1, "no answer")


def refused(port, context, what, name="ns1.example"):
    """The handshake fails, or, where the server has the last word (client certificates), the first read."""
    try:
        with connect(port, context, name) as stream:
            stream.sendall(framed(header(1) + question("www.tls.test")))
            require(not stream.recv(1), f"{what}: answered")
    except (ssl.SSLError, ConnectionError):
        pass


def serial_of(port, context):
    with connect(port, context) as stream:
        return stream.getpeercert()["serialNumber"]


def queries(report, port, certificates):
    context = context_of(certificates)
    with report.case("a query is answered over TLS 1.3 with ALPN dot [RFC 7858 §3.1]"), connect(port, context) as stream:
        require(stream.version() == "TLSv1.3", stream.version())
        require(stream.selected_alpn_protocol() == "dot", str(stream.selected_alpn_protocol()))
        require(ask(stream)[7] == 1, "no answer")
    with report.case("a hundred queries in one write are all answered [RFC 7858 §3.3]"), connect(port, context) as stream:
        stream.sendall(b"".join(framed(header(number) + question("www.tls.test")) for number in range(100)))
        ids = {struct.unpack("!H", read_message(stream)[:2])[0] for _ in range(100)}
        require(ids == set(range(100)), f"{len(ids)} answers")
    with report.case("answers of 42 kB come whole, thirty in a row"), connect(port, context) as stream:
        stream.sendall(b"".join(framed(header(number) + question("big.tls.test", "AAAA")) for number in range(30)))
        for _ in range(30):
            require(struct.unpack("!H", read_message(stream)[6:8])[0] == 1499, "an answer is short")
    with report.case("a query that comes octet by octet is answered"), connect(port, context) as stream:
        for octet in framed(header(7) + question("www.tls.test")):
            stream.sendall(bytes([octet]))
        require(read_message(stream)[7] == 1, "no answer")
    with report.case("a client that says close_notify is told the same [RFC 8446 §6.1]"):
        stream = connect(port, context)
        ask(stream)
        stream.unwrap().close()  # raises where the server cuts instead


def versions(report, port, certificates):
    with report.case("TLS 1.2 is refused [RFC 9103 §7.2]"):
        context = context_of(certificates)
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        refused(port, context, "TLS 1.2")
    with report.case("a client that offers other protocols only is refused [RFC 7301 §3.2]"):
        refused(port, context_of(certificates, alpn=("h2", "http/1.1")), "ALPN h2")
    with report.case("a client without ALPN is served [RFC 7858]"):
        served(port, context_of(certificates, alpn=()))


def tools(report, port, certificates):
    with report.case("dig +tls-ca is answered"):
        if not shutil.which("dig"):
            raise Skipped("no dig")
        text = subprocess.run(["dig", "@127.0.0.1", "-p", str(port), f"+tls-ca={certificates.path('ca.pem')}",
                               "+tls-hostname=ns1.example", "www.tls.test", "+short"], capture_output=True, text=True).stdout
        require(text.strip() == "192.0.2.1", text)
    with report.case("kdig +tls-ca is answered, and its padding with padding [RFC 7830]"):
        if not shutil.which("kdig"):
            raise Skipped("no kdig")
        text = subprocess.run(["kdig", "@127.0.0.1", "-p", str(port), f"+tls-ca={certificates.path('ca.pem')}",
                               "+tls-hostname=ns1.example", "+padding", "www.tls.test"], capture_output=True, text=True).stdout
        require("192.0.2.1" in text and "TLS session (TLS1.3)" in text, text)
        require("PADDING" in text.upper(), text)


def client_certificates(report, port, certificates):
    with report.case("a client certificate of the authority is taken, one of another refused"):
        served(port, context_of(certificates, "client"))
        refused(port, context_of(certificates, "stranger"), "a stranger's certificate")


def half_open(report, port, certificates):
    with report.case("handshakes that come to no end are closed, others are served meanwhile"), contextlib.ExitStack() as stack:
        held = []
        for octets in (b"", b"\x16", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc", b"GET / HTTP/1.1\r\n\r\n"):
            for _ in range(5):
                sock = stack.enter_context(socket.create_connection(("127.0.0.1", port), PATIENCE))
                sock.sendall(octets)
                held.append(sock)
        served(port, context_of(certificates))
        end = time.monotonic() + PATIENCE
        for sock in held:
            with contextlib.suppress(ConnectionError):
                while sock.recv(1000):
                    require(time.monotonic() < end, "still open")


def exchange(report, server, port, certificates):
    context = context_of(certificates)
    old = serial_of(port, context)

    def wait_for_other():
        end = time.monotonic() + PATIENCE
        while (fresh := serial_of(port, context)) == old:
            require(time.monotonic() < end, "the certificate before is still shown")
            time.sleep(0.1)
        return fresh

    with report.case("a certificate that is replaced is shown without a reload, and old connections go on"):
        with connect(port, context) as before:
            certificates.make("server", "DNS:ns1.example")
            fresh = wait_for_other()
            require(ask(before)[7] == 1, "the connection of before is not answered")
    with report.case("a broken certificate changes nothing, also not on SIGHUP, and the log names the file"):
        path = pathlib.Path(certificates.path("server.pem"))
        whole = path.read_bytes()
        path.write_bytes(whole[:100])
        server.signal(signal.SIGHUP)
        end = time.monotonic() + PATIENCE
        while f"{path}: no certificate chain" not in server.log_text():
            require(time.monotonic() < end, "not told")
            time.sleep(0.1)
        require(serial_of(port, context) == fresh, "another certificate is shown")
        path.write_bytes(whole)
        served(port, context)


def refuse_start(report, zone):
    with report.case("tls without a certificate stops the start with a line that says what to do"):
        with tempfile.TemporaryDirectory(prefix="steward-tls-") as folder:
            config = pathlib.Path(folder) / "registry.yaml"
            config.write_text(f"data: {folder}/data\nlisten: [127.0.0.1@12999]\ntls: {{listen: [127.0.0.1@12998]}}\n"
                              f"zones: [{{name: tls.test, file: {zone}}}]\n")
            run = subprocess.run([peers.our_program(), "check", "--config", str(config)], capture_output=True, text=True)
            require(run.returncode == 1, str(run.returncode))
            text = run.stdout + run.stderr
            require("registry.yaml:3:" in text and "openssl req" in text, text)
    with report.case("a certificate that is named and not there stops the start of a registry too, though the identity's may come later"):
        with tempfile.TemporaryDirectory(prefix="steward-tls-") as folder:
            home = pathlib.Path(folder) / "home"
            subprocess.run([peers.our_program(), "init", str(home), "--namespace", "acme.com", "--listen", "127.0.0.1@12999"], check=True, capture_output=True)
            config = home / "registry.yaml"
            config.write_text(config.read_text().replace("tls: {listen: [", "tls: {certificate: typo.crt, key: typo.key, listen: ["))
            run = subprocess.run([peers.our_program(), "serve", "--config", str(config)], capture_output=True, text=True, timeout=20)
            require(run.returncode == 1 and "typo.crt: No such file" in run.stderr, f"{run.returncode}: {run.stderr}")
            run = subprocess.run([peers.our_program(), "check", "--config", str(config)], capture_output=True, text=True, timeout=20)
            require(run.returncode == 1 and "registry.yaml:" in run.stderr and "typo.crt: No such file" in run.stderr, f"{run.returncode}: {run.stderr}")


def check_says_what_is_wrong(report, certificates):
    """`certificates`: two pairs of certificate and key, of different keys."""
    (certificate, key), (_, other_key) = certificates
    with report.case("check tells of each file for TLS what is wrong with it, with the line that names it"):
        with tempfile.TemporaryDirectory(prefix="steward-tls-") as folder:
            config, junk = pathlib.Path(folder) / "registry.yaml", pathlib.Path(folder) / "junk.pem"
            junk.write_text("no certificate\n")

            def said(server, peer=""):
                """Exit code and errors, where the server's is on lines 4 and 5 and a primary's on line 8."""
                config.write_text(f"data: {folder}/data\nlisten: [127.0.0.1@12999]\ntls:\n  certificate: {server[0]}\n  key: {server[1]}\n"
                                  f"  listen: [127.0.0.1@12998]\nzones:\n  - {{name: tls.test, primaries: [{{address: 127.0.0.1@12997{peer}}}]}}\n")
                run = subprocess.run([peers.our_program(), "check", "--json", "--config", str(config)], capture_output=True, text=True, timeout=20)
                return run.returncode, json.loads(run.stdout)["errors"]

            require(said((certificate, key)) == (0, []), said((certificate, key)))
            for server, line, why in (((junk, key), 4, "no certificate chain"), ((certificate, junk), 5, "no private key"),
                                      ((certificate, f"{folder}/none"), 5, "No such file"), ((certificate, other_key), 5, "not the key of")):
                code, errors = said(server)
                require(code == 1 and len(errors) == 1 and f"registry.yaml:{line}:" in errors[0] and why in errors[0], (server, code, errors))
            for facts, why in ((f"certificate: {certificate}, key: {other_key}, name: a.test", "not the key of"), (f"ca: {junk}, name: a.test", "no certificates")):
                code, errors = said((certificate, key), f", tls: {{{facts}}}")
                require(code == 1 and len(errors) == 1 and "registry.yaml:8:" in errors[0] and why in errors[0], (facts, code, errors))


def transfer(port, context):
    """Response code and number of answers of the first message of an AXFR."""
    with connect(port, context) as stream:
        stream.sendall(framed(header(9) + question("steward-registry.org", "AXFR")))
        octets = read_message(stream)
        return octets[3] & 15, struct.unpack("!H", octets[6:8])[0]


def strangers_at_a_registry(report, certificates, folder):
    """A registry that others may register with takes certificates that it cannot verify."""
    certificates.make("member", "DNS:com.steward-registry.org")
    certificates.make("forged", "DNS:com.steward-registry.org", "rogue")
    key = pathlib.Path(folder) / "registry_id_ed25519"
    subprocess.run([peers.our_program(), "keygen", "--algorithm", "ed25519", "--out", folder], check=True, capture_output=True)
    apex = pathlib.Path(folder) / "apex.zone"
    apex.write_text("$TTL 60\n@ SOA ns hostmaster 1 3600 600 604800 60\n@ NS ns\nns A 127.0.0.1\n")
    zone = servers.Zone("steward-registry.org.", apex, False, {"allow-transfer": [{"tls": "com.steward-registry.org"}]})
    port = servers.free_port(["127.0.0.1"])
    options = {"tls": {"listen": [f"127.0.0.1@{port}"], "certificate": certificates.path("server.pem"),
                       "key": certificates.path("server.key"), "client-ca": certificates.path("ca.pem")},
               "registry": {"namespace": ".", "identity": str(key)}}
    with servers.start("ours", [zone], addresses=["127.0.0.1"], options=options) as server:
        with report.case("registry: who shows a certificate of the authority for the rule's name may transfer"):
            code, answers = transfer(port, context_of(certificates, "member"))
            require(code == 0 and answers > 0, f"{code}, {answers} answers")
        with report.case("registry: a stranger's certificate for that name is taken for a registration, and may not transfer"):
            code, answers = transfer(port, context_of(certificates, "forged"))
            require((code, answers) == (5, 0), f"{code}, {answers} answers")
        with report.case("registry: a stranger's certificate that no registry could show is refused"):
            refused(port, context_of(certificates, "stranger"), "a stranger's certificate")
        if report.failed:
            print(server.log_tail(15))


def main():
    report = Report("tls")
    with tempfile.TemporaryDirectory(prefix="steward-tls-") as folder:
        certificates = Certificates(folder)
        certificates.make("server", "DNS:ns1.example,IP:127.0.0.1")
        certificates.make("client", "DNS:ns2.example")
        certificates.make("stranger", "DNS:ns2.example", "rogue")
        zone = servers.Zone("tls.test.", write_zone(folder))
        port = servers.free_port(["127.0.0.1"])
        options = {"tls": {"listen": [f"127.0.0.1@{port}"], "certificate": certificates.path("server.pem"),
                           "key": certificates.path("server.key"), "client-ca": certificates.path("ca.pem")},
                   "tcp": {"idle-timeout": "5s", "reply-timeout": "2s"}}
        with servers.start("ours", [zone], addresses=["127.0.0.1"], options=options) as server:
            for part in (queries, versions, tools, client_certificates, half_open):
                part(report, port, certificates)
            exchange(report, server, port, certificates)
            if report.failed:
                print(server.log_tail(15))
        strangers_at_a_registry(report, certificates, folder)
        refuse_start(report, zone.file)
        check_says_what_is_wrong(report, [(certificates.path(f"{name}.pem"), certificates.path(f"{name}.key")) for name in ("server", "client")])
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
