"""Every header compiles alone: whoever includes it needs no other one before it.

The build shows it of a header whose `.cc` includes it first, which is checked here; the others are compiled."""

import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys

import sources


def compile_alone(root, compiler, header):
    command = compiler + ["-std=c++20", "-fsyntax-only", "-D_GNU_SOURCE", '-DSTEWARD_VERSION="0"', "-I", "src", "-I", "include"]
    # From standard input, so that #pragma once is not in the main file.
    name = header.relative_to(header.parts[0])
    done = subprocess.run(command + ["-x", "c++", "-"], input=f'#include "{name}"\n', text=True, capture_output=True, cwd=root)
    return None if done.returncode == 0 else f"{header}: does not compile alone\n{done.stderr[:2000]}"


def first_include(root, header):
    """Whether the header has a `.cc`, and what is wrong if that does not include it first."""
    name = str(header.relative_to(header.parts[0]))
    source = pathlib.Path("src", name).with_suffix(".cc")
    if not (root / source).exists():
        return False, None
    includes = re.findall(r'^#include\s+["<]([^">]+)', (root / source).read_text(), re.MULTILINE)
    return True, None if includes[:1] == [name] else f"{source}: has to include {name} first"


def main(root, compiler):
    headers = [p for p in sources.files(root) if p.suffix == ".hh" and p.parts[0] in {"src", "include"}]
    # ccache does not cache -fsyntax-only, it only stands in the way.
    compiler = [word for word in compiler if pathlib.Path(word).name != "ccache"]
    built = {header: first_include(pathlib.Path(root), header) for header in headers}
    alone = [header for header, (has_source, _) in built.items() if not has_source]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        compiled = pool.map(lambda h: compile_alone(root, compiler, h), alone)
        problems = [p for p in [*compiled, *(problem for _, problem in built.values())] if p]
    print(f"{len(headers)} headers, {len(alone)} compiled")
    return sources.report(problems)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
