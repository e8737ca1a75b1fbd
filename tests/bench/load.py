"""bench load: from the exec to the first answer of a fresh, unsigned zone file, with nothing kept from an earlier run.

Each server has its defaults (all cores), is asked every 2 ms for one agent and then for the last of the file, so that a
server which answers before all is loaded gains nothing by it, and is ended as soon as it has answered.
"""

import os

from . import machine, wire, zones
from .report import Bar

FIGURE = "load: exec to last agent answered"
PEAK = "load: peak resident memory"


def bars(_agents):
    return [Bar(FIGURE, 1.00, "knot", 1_000_000)]


def run(options, classes, report, note):
    zone = zones.generate(options, options.agents)
    warm(zone.unsigned)
    for number in range(options.rounds):
        for one in classes:
            note("round %d of %d: %s loads %d agents" % (number + 1, options.rounds, one.label, zone.agents))
            server = one(options.work, zone.unsigned, workers=None)
            os.sync()  # what the one before has written is not this one's burden
            try:
                began = server.start()
                wire.until_answer(server, began, zone.first_name, "TXT", options.limit)
                took = wire.until_answer(server, began, zone.last_name, "TXT", options.limit)
                report.add(FIGURE, one.key, took, "s")
                report.add(PEAK, one.key, machine.peak_rss(server.pid), "MiB")
            finally:
                server.kill()


def warm(path):
    """Reads the file once, so that the first server does not pay for the disk."""
    with open(path, "rb") as file:
        while file.read(1 << 22):
            pass
