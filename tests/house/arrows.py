"""Includes point down only, and the headers of a C library stand in one room (src/ARCHITECTURE.md)."""

import re
import sys

import sources

# A room includes rooms of a lower step, and itself. `store` stands above `zone` because it implements zone/snapshot.hh.
STEPS = [
    ["base"],
    ["dns"],
    ["crypto", "config"],
    ["net", "zone"],
    ["auth", "store", "sign", "agent", "find", "observe"],
    ["change", "transfer", "catalog"],
    ["federation", "serve", "http", "client"],
    ["daemon"],
    ["cli"],
]
STEP = {room: step for step, rooms in enumerate(STEPS) for room in rooms}

LIBRARIES = {
    "ldns/": "dns",
    "openssl/": "crypto",
    "lmdb.h": "store",
    "uv.h": "net",
    "yaml-cpp/": "config",
    "nghttp2/": "http",
    "cap-ng.h": "daemon",
    "unbound.h": "client",
    "idn2.h": "agent",
    "CLI/": "cli",
}
INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]', re.M)


def check(path, text):
    parts = path.parts
    room = parts[1] if parts[0] == "src" else "include"
    if room != "include" and room not in STEP:
        return [f"{path}: room '{room}' is not in the order of tests/house/arrows.py"]
    problems = []
    for match in INCLUDE.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        quote, target = match.groups()
        other = target.split("/")[0] if "/" in target else None
        if room != "include" and quote == '"' and other in STEP and other != room and STEP[other] >= STEP[room]:
            problems.append(f"{path}:{line}: {room} includes {target}; {other} is not below {room}")
        if quote == '"' and other is None:
            problems.append(f"{path}:{line}: \"{target}\" without its room; write \"room/file.hh\"")
        for library, owner in LIBRARIES.items():
            if target.startswith(library) and room != owner:
                problems.append(f"{path}:{line}: <{target}>; only {owner} knows that library")
    return problems


def main(root):
    problems = []
    for path in sources.files(root):
        if path.suffix not in {".cc", ".hh"} or path.parts[0] not in {"src", "include"}:
            continue
        problems += check(path, sources.text_of(root, path) or "")
    return sources.report(problems)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
