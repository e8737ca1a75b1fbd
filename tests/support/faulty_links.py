"""Ways between two servers that are slow, lose datagrams, or go down: a relay, and a network namespace behind a link."""

import contextlib
import socket
import subprocess
import threading
import time

import servers
from report import Skipped


class Relay:
    """Passes TCP and UDP on to a port, from the primary at a pace of its own; loses every first datagram."""

    def __init__(self, target, octets_a_second, address="127.0.0.1"):
        self.target = (address, target)
        self.pace = octets_a_second
        self.passed = 0
        self.lost = set()
        self.port = servers.free_port(["127.0.0.1"])
        self.listener = socket.create_server(("127.0.0.1", self.port))
        self.datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.datagrams.bind(("127.0.0.1", self.port))
        threading.Thread(target=self.accept, daemon=True).start()
        threading.Thread(target=self.take_datagrams, daemon=True).start()

    def close(self):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.datagrams.close()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
                client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
                upstream = socket.socket()
                upstream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                upstream.connect(self.target)
            except OSError:
                if self.listener.fileno() < 0:
                    return
                client.close()
                continue
            threading.Thread(target=self.pump, args=(client, upstream, False), daemon=True).start()
            threading.Thread(target=self.pump, args=(upstream, client, True), daemon=True).start()

    def pump(self, source, sink, slowly):
        with contextlib.suppress(OSError):
            while octets := source.recv(4096):
                sink.sendall(octets)
                if slowly:
                    self.passed += len(octets)
                    time.sleep(len(octets) / self.pace)
        for sock in (source, sink):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def take_datagrams(self):
        """The first datagram of each client is lost, the answer comes twice and late: loss, repetition and delay."""
        while True:
            try:
                octets, client = self.datagrams.recvfrom(65535)
            except OSError:
                return
            if client not in self.lost:
                self.lost.add(client)
                continue
            with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as upstream:
                upstream.settimeout(1)
                upstream.sendto(octets, self.target)
                reply = upstream.recv(65535)
                self.datagrams.sendto(reply[:2] + bytes(10), client)
                for _ in range(2):
                    self.datagrams.sendto(reply, client)


class Namespace:
    """A network namespace with a link to here, 10.213.77.1 to 10.213.77.2; gone when left."""

    here, there = "10.213.77.1", "10.213.77.2"

    def __enter__(self):
        self.name = f"steward-{time.time_ns() % 1_000_000}"
        self.link = f"st{time.time_ns() % 1_000_000}"
        self.ip("netns", "add", self.name)
        try:
            self.ip("link", "add", self.link, "type", "veth", "peer", "name", "peer0", "netns", self.name)
            self.ip("addr", "add", f"{self.here}/30", "dev", self.link)
            self.ip("link", "set", self.link, "up")
            self.ip("-n", self.name, "addr", "add", f"{self.there}/30", "dev", "peer0")
            self.ip("-n", self.name, "link", "set", "peer0", "up")
            self.ip("-n", self.name, "link", "set", "lo", "up")
        except Skipped:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        subprocess.run(["ip", "netns", "del", self.name], capture_output=True, check=False)
        subprocess.run(["ip", "link", "del", self.link], capture_output=True, check=False)

    @staticmethod
    def ip(*words):
        done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Skipped(f"ip {' '.join(words)}: {done.stderr.strip()}")

    def up(self, up):
        self.ip("-n", self.name, "link", "set", "peer0", "up" if up else "down")

    def netem(self, *words):
        done = subprocess.run(["ip", "netns", "exec", self.name, "tc", "qdisc", "replace", "dev", "peer0", "root", "netem", *words],
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Skipped(f"tc netem: {done.stderr.strip()}")
