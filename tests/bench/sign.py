"""bench sign: an unsigned zone becomes a signed one (ECDSAP256SHA256, NSEC, a KSK and a ZSK), on all cores.

Ours and Knot: from the exec, with new keys and nothing kept, to the first signed answer for the file's last agent.
BIND: `dnssec-signzone -P -n <cores>`, from the exec to its end, keys made before. All of them parse the file as well.
"""

import os
import shutil

from . import machine, servers, wire, zones
from .report import Bar

FIGURE = "sign: exec to signed"
PEAK = "sign: peak resident memory"


def bars(_agents):
    return [Bar(FIGURE, 0.50, "bind", 1_000_000), Bar(PEAK, 1.00, "bind", 1_000_000)]


def run(options, classes, report, note):
    zone = zones.generate(options, options.agents)
    for number in range(options.rounds):
        for one in classes:
            note("round %d of %d: %s signs %d agents" % (number + 1, options.rounds, one.label, zone.agents))
            os.sync()  # what the one before has written is not this one's burden
            took, peak = _tool(options, zone) if one is servers.Bind else _server(options, zone, one)
            report.add(FIGURE, one.key, took, "s")
            report.add(PEAK, one.key, peak, "MiB")


def _tool(options, zone):
    folder = os.path.join(options.work, "signzone")
    try:
        zones.make_keys(folder)
        command = zones.signzone_command(zone, folder, os.path.join(folder, "signed"))
        return zones.run(command, options.limit)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _server(options, zone, one):
    server = one(options.work, zone.unsigned, workers=None, sign=True)
    try:
        began = server.start()
        wire.until_answer(server, began, zone.first_name, "TXT", options.limit, signed=True)
        took = wire.until_answer(server, began, zone.last_name, "TXT", options.limit, signed=True)
        return took, machine.peak_rss(server.pid)
    finally:
        server.kill()
