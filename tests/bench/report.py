"""Figures of a run: medians with their spread, ratios against the bars, a table for people and JSON for programs."""

import json
import statistics
import sys
from dataclasses import dataclass, field

PASS, FAIL, OPEN, INFORM = "met", "MISSED", "not measured", "for information"


def spread(values):
    """(median, least, most)"""
    return statistics.median(values), min(values), max(values)


@dataclass
class Bar:
    """A limit that the project has set itself: ours over the peer's figure (peer), or ours alone (peer None).

    Without a limit it is a ratio to look at.
    """
    figure: str
    limit: float = None
    peer: str = None
    agents: int = None  # the size that the limit is meant for; None for any
    unit: str = ""


@dataclass
class Report:
    kind: str
    machine: dict
    versions: dict  # server's key -> version
    settings: dict
    labels: dict  # server's key -> name to print
    figures: dict = field(default_factory=dict)  # figure -> server's key -> list of values
    units: dict = field(default_factory=dict)
    notes: list = field(default_factory=list)
    failure: str = None  # why the run ended early; what was measured before is kept

    def add(self, figure, key, value, unit):
        self.figures.setdefault(figure, {}).setdefault(key, []).append(value)
        self.units[figure] = unit

    def median(self, figure, key):
        values = self.figures.get(figure, {}).get(key)
        return statistics.median(values) if values else None

    def judge(self, bar):
        """(measured or None, verdict) of one bar; measured is a ratio where the bar has a peer."""
        ours = self.median(bar.figure, "steward")
        if ours is None:
            return None, OPEN
        if bar.peer:
            theirs = self.median(bar.figure, bar.peer)
            if not theirs:
                return None, OPEN
            ours = ours / theirs
        if bar.limit is None:
            return ours, INFORM
        return ours, PASS if ours <= bar.limit else FAIL

    def as_dict(self, bars):
        judged = []
        for bar in bars:
            measured, verdict = self.judge(bar)
            judged.append({"figure": bar.figure, "peer": bar.peer, "limit": bar.limit, "agents": bar.agents,
                           "measured": measured, "verdict": verdict})
        return {"benchmark": self.kind, "machine": self.machine, "versions": self.versions, "settings": self.settings,
                "figures": [{"figure": figure, "unit": self.units[figure], "server": key, "values": values,
                             "median": statistics.median(values)}
                            for figure, by_key in self.figures.items() for key, values in by_key.items()],
                "bars": judged, "notes": self.notes, "failure": self.failure}

    def write_json(self, bars, path):
        text = json.dumps(self.as_dict(bars), indent=1) + "\n"
        if path == "-":
            sys.stdout.write(text)
        else:
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)

    def print(self, bars, out=sys.stdout):
        facts = self.machine
        print("\n%s: %s, %d cores, %d MiB, Linux %s, load %.2f at the start, %s"
              % (self.kind, facts["cpu"], facts["cores"], facts["memory_mib"], facts["kernel"], facts["load_average"],
                 facts["date"]), file=out)
        print("servers: " + ", ".join("%s %s" % (label, self.versions[key]) for key, label in self.labels.items()),
              file=out)
        print("settings: " + ", ".join("%s=%s" % pair for pair in self.settings.items()), file=out)
        self._print_figures(out)
        self._print_bars(bars, out)
        for note in self.notes:
            print("note: " + note, file=out)

    def _print_figures(self, out):
        keys = list(self.labels)
        rows = [["figure (median [least, most])", "unit", *(self.labels[key] for key in keys)]]
        for figure, by_key in self.figures.items():
            rows.append([figure, self.units[figure], *(_cell(by_key.get(key)) for key in keys)])
        _print_table(rows, out)

    def _print_bars(self, bars, out):
        rows = [["bar", "at most", "measured", ""]]
        for bar in bars:
            measured, verdict = self.judge(bar)
            against = " / %s" % self.labels.get(bar.peer, bar.peer) if bar.peer else ""
            size = self.settings.get("agents")
            if bar.agents and bar.agents != size and verdict in (PASS, FAIL):
                verdict += " (bar is for %s agents)" % format(bar.agents, ",")
            rows.append([bar.figure + against, "-" if bar.limit is None else _number(bar.limit) + bar.unit,
                         "-" if measured is None else _number(measured) + bar.unit, verdict])
        _print_table(rows, out, left=(0, 3))


def _number(value):
    if value >= 1000:
        return format(round(value), ",")
    return "%.2f" % value if value >= 0.1 else "%.3f" % value


def _cell(values):
    if not values:
        return "-"
    median, least, most = spread(values)
    if len(values) == 1:
        return _number(median)
    return "%s [%s, %s]" % (_number(median), _number(least), _number(most))


def _print_table(rows, out, left=(0,)):
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    print(file=out)
    for number, row in enumerate(rows):
        cells = [cell.ljust(width) if i in left else cell.rjust(width)
                 for i, (cell, width) in enumerate(zip(row, widths))]
        print("  ".join(cells).rstrip(), file=out)
        if number == 0:
            print("-" * (sum(widths) + 2 * (len(widths) - 1)), file=out)
