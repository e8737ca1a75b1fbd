"""Tests of the benchmarks' own parts: python3 bench_test.py <build>/tests/bench. Starts no server."""

import json
import os
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from bench import machine, report, serve, wire, zones  # noqa: E402

TOOLS = "."


def tool(name, *arguments):
    return subprocess.run([os.path.join(TOOLS, name), *arguments], capture_output=True, text=True, timeout=60)


class GeneratedZone(unittest.TestCase):
    def generate(self, folder, *extra):
        paths = [os.path.join(folder, name) for name in ("zone", "names", "miss", "between")]
        done = tool("gen-zone", "--agents", "500", "--queries", "300", "--out", paths[0], "--names", paths[1], "--miss",
                    paths[2], "--between", paths[3], *extra)
        self.assertEqual(done.returncode, 0, done.stderr)
        texts = []
        for path in paths:
            with open(path, encoding="ascii") as file:
                texts.append(file.read())
        return texts

    def test_same_seed_same_octets_and_another_seed_others(self):
        with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
            first = self.generate(one)
            self.assertEqual(first, self.generate(two))
            self.assertNotEqual(first[0], self.generate(two, "--seed", "2")[0])

    def test_queries_name_agents_that_exist_or_do_not(self):
        with tempfile.TemporaryDirectory() as folder:
            zone, names, miss, between = self.generate(folder)
            owners = {line.split()[0] for line in zone.splitlines() if " TXT " in line}
            self.assertEqual(len(owners), 500)
            for text, exists in ((names, True), (miss, False), (between, False)):
                lines = text.splitlines()
                self.assertEqual(len(lines), 300)
                for line in lines:
                    self.assertTrue(line.endswith(".com.steward-registry.org. TXT"), line)
                    self.assertEqual(line.split(".com.steward")[0] in owners, exists, line)

    def test_index_pages_hold_at_most_32_and_every_agent_twice(self):
        with tempfile.TemporaryDirectory() as folder:
            zone = self.generate(folder)[0]
            pages = {}
            for line in zone.splitlines():
                if " PTR " in line:
                    pages.setdefault(line.split()[0], []).append(line.split()[2])
            self.assertLessEqual(max(map(len, pages.values())), 32)
            self.assertEqual(sum(map(len, pages.values())), 1000)

    def test_last_agent_is_found_before_the_index(self):
        with tempfile.TemporaryDirectory() as folder:
            zone = self.generate(folder)[0]
            last = [line.split()[0] for line in zone.splitlines() if " SRV " in line][-1]
            self.assertEqual(zones._last_agent(os.path.join(folder, "zone")), last + ".com.steward-registry.org.")


def record(rrtype, rdata):
    """A record of a.example. whose owner is a pointer at the question (RFC 1035 §4.1.4)."""
    return b"\xc0\x0c" + struct.pack("!HHIH", rrtype, 1, 60, len(rdata)) + rdata


class Transfers(unittest.TestCase):
    SOA = record(6, b"\0\0" + struct.pack("!IIIII", 7, 3600, 600, 86400, 60))

    def serve(self, messages):
        """Port of a server that answers one client with these messages and closes."""
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)

        def answer():
            client = listener.accept()[0]
            with client:
                client.recv(65535)
                client.sendall(b"".join(struct.pack("!H", len(message)) + message for message in messages))
        threading.Thread(target=answer, daemon=True).start()
        return str(listener.getsockname()[1])

    @staticmethod
    def message(*records, rcode=0):
        question = wire.encode_name("a.example") + struct.pack("!HH", 252, 1)
        return struct.pack("!HHHHHH", 0x4141, 0x8400 | rcode, 1, len(records), 0, 0) + question + b"".join(records)

    def sink(self, *messages):
        return tool("xfr-sink", "--port", self.serve(messages), "--zone", "a.example")

    def test_sink_ends_with_the_closing_soa(self):
        done = self.sink(self.message(self.SOA), self.message(record(16, b"\x01x" * 12)), self.message(record(16, b"\x01y"), self.SOA))
        self.assertEqual(done.returncode, 0, done.stderr)
        said = json.loads(done.stdout)
        self.assertEqual((said["messages"], said["records"]), (3, 4))

    def test_sink_takes_a_zone_of_one_message(self):
        self.assertEqual(self.sink(self.message(self.SOA, self.SOA)).returncode, 0)

    def test_sink_tells_of_a_refusal_and_of_a_stream_that_is_cut(self):
        self.assertIn("RCODE 5", self.sink(self.message(self.SOA, rcode=5)).stderr)
        self.assertIn("ended before the transfer", self.sink(self.message(self.SOA)).stderr)


class Updates(unittest.TestCase):
    def test_flood_counts_what_is_answered(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server, tempfile.NamedTemporaryFile("w", suffix=".txt") as names:
            server.bind(("127.0.0.1", 0))
            names.write("".join("a%d.b.example. TXT\n" % i for i in range(8)))
            names.flush()
            seen = []

            def answer():
                for number in range(8):
                    message, client = server.recvfrom(4096)
                    seen.append(message)
                    server.sendto(message[:2] + bytes([0xa8, 5 if number == 3 else 0]) + message[4:12], client)
            thread = threading.Thread(target=answer, daemon=True)
            thread.start()
            done = tool("update-flood", "--port", str(server.getsockname()[1]), "--zone", "b.example", "--names", names.name, "--count", "8",
                        "--clients", "3", "--run", "4")
            thread.join(10)
        said = json.loads(done.stdout)
        self.assertEqual((said["done"], said["refused"], said["lost"]), (7, 1, 0))
        self.assertEqual(len(set(message[12:] for message in seen)), 8)
        for message in seen:
            self.assertEqual(message[2] >> 3 & 15, 5)
            self.assertEqual(struct.unpack("!HHHH", message[4:12]), (1, 0, 1, 0))


class Flood(unittest.TestCase):
    def test_only_loopback_is_flooded(self):
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
            file.write("a.example. TXT\n")
            file.flush()
            done = tool("dns-flood", "--queries", file.name, "--port", "53", "--address", "192.0.2.1")
        self.assertEqual(done.returncode, 1)
        self.assertIn("not an IPv4 loopback address", done.stderr)

    def test_wrong_usage_exits_with_2(self):
        self.assertEqual(tool("dns-flood", "--port", "53").returncode, 2)
        self.assertEqual(tool("gen-zone", "--agents", "x").returncode, 2)
        self.assertEqual(tool("xfr-sink", "--port", "53").returncode, 2)
        self.assertEqual(tool("update-flood", "--zone", "a.example").returncode, 2)
        self.assertEqual(tool("answer-times", "--rate", "0", "--queries", "x").returncode, 2)
        self.assertEqual(tool("layout-bench", "--names").returncode, 2)


class Layouts(unittest.TestCase):
    def test_every_layout_finds_the_same_nodes(self):
        with tempfile.TemporaryDirectory() as folder:
            done = tool("layout-bench", "--names", "333", "--rounds", "1", "--lookups", "1000", "--dir", folder + "/l")
        self.assertEqual(done.returncode, 0, done.stderr)


class Wire(unittest.TestCase):
    def test_types_of_the_answer_section_are_read_past_compressed_names(self):
        ident, query = wire.make_query("a.example.", "TXT")
        self.assertEqual(query[:2], ident)
        question = wire.encode_name("a.example.") + b"\0\x10\0\1"
        record = b"\xc0\x0c\0%c\0\1\0\0\1\x2c\0\2\1x"
        message = ident + b"\x84\0\0\1\0\2\0\0\0\0" + question + record % 16 + record % 46
        answer = wire.parse_answer(message)
        self.assertEqual((answer.rcode, answer.truncated, answer.types), (0, False, [16, 46]))


class Verdicts(unittest.TestCase):
    def make(self, ours, theirs):
        made = report.Report("serve", machine.facts(), {}, {"agents": 7}, {"steward": "STEWARD", "knot": "Knot DNS"})
        for value in ours:
            made.add("f", "steward", value, "us")
        for value in theirs:
            made.add("f", "knot", value, "us")
        return made

    def test_medians_are_compared_with_the_limit(self):
        made = self.make([3, 1, 100], [4, 4, 1])
        self.assertEqual(made.judge(report.Bar("f", 0.75, "knot")), (0.75, report.PASS))
        self.assertEqual(made.judge(report.Bar("f", 0.74, "knot")), (0.75, report.FAIL))
        self.assertEqual(made.judge(report.Bar("f", 2.9)), (3, report.FAIL))
        self.assertEqual(made.judge(report.Bar("f", None, "knot")), (0.75, report.INFORM))

    def test_what_was_not_measured_is_neither_met_nor_missed(self):
        self.assertEqual(self.make([], [4]).judge(report.Bar("f", 1, "knot")), (None, report.OPEN))
        self.assertEqual(self.make([4], []).judge(report.Bar("f", 1, "knot")), (None, report.OPEN))

    def test_bars_name_figures_that_the_run_makes(self):
        names = {bar.figure for bar in serve.bars(1_000_000)}
        self.assertIn("CPU an answer, saturated, existing, 1M", names)
        self.assertIn("CPU an answer, saturated, existing, 1k", names)


class Accounting(unittest.TestCase):
    def test_cpu_of_this_process_grows_and_its_tree_holds_it(self):
        before = machine.cpu(os.getpid())
        sum(i * i for i in range(300_000))
        user, system, total = machine.cpu(os.getpid()).since(before)
        self.assertGreater(total, 0)
        self.assertAlmostEqual(user + system, total)
        self.assertEqual(machine.tree(os.getpid())[0], os.getpid())
        self.assertGreater(machine.memory(os.getpid())["rss"], 1)


if __name__ == "__main__":
    TOOLS = sys.argv.pop(1)
    unittest.main()
