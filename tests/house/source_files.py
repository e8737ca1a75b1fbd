"""Sizes, names and words of the sources."""

import re
import sys

import sources

MAX_LINES = 500
# Longer, and better so: say why.
LONG = {}
# Folders and files are named for what they hold.
EMPTY_NAMES = {"util", "utils", "helper", "helpers", "common", "misc", "manager"}
CODE = {".cc", ".hh", ".py", ".build"}
WORDS = [
    (re.compile(r"\b(?:TODO|FIXME|XXX|HACK)\b"), "admits something unfinished"),
    (re.compile(r"(?<![\w.])/(?:root|work|home)/\w"), "a path of one machine"),
    (re.compile(r"\b(?:not implemented|unimplemented)\b", re.I), "admits something unfinished"),
]


def check_text(path, text):
    problems = []
    lines = text.count("\n")
    if path.suffix in CODE and lines > MAX_LINES and str(path) not in LONG:
        problems.append(f"{path}: {lines} lines; split it by meaning, or say in tests/house/source_files.py why not")
    if path.suffix == ".hh" and path.parent.name != "precompiled" and not text.startswith("#pragma once\n"):
        problems.append(f"{path}:1: a header begins with #pragma once")
    if text and not text.endswith("\n"):
        problems.append(f"{path}: does not end with a line end")
    for pattern, why in WORDS:
        for match in pattern.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            problems.append(f"{path}:{line}: '{match.group()}' {why}")
    return problems


def main(root):
    problems = []
    paths = sources.files(root)
    for path in paths:
        if EMPTY_NAMES & {part.split(".")[0] for part in path.parts}:
            problems.append(f"{path}: a name that says nothing")
        # A corpus holds input, not text of ours.
        text = None if "corpus" in path.parts else sources.text_of(root, path)
        if text is not None and str(path) != "tests/house/source_files.py":
            problems += check_text(path, text)
    problems += [f"{path}: listed as long, but is not there" for path in LONG if path not in map(str, paths)]
    return sources.report(problems)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
