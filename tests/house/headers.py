"""Every header compiles alone: whoever includes it needs no other one before it."""

import concurrent.futures
import os
import pathlib
import subprocess
import sys

import sources


def compile_alone(root, compiler, header):
    command = compiler + ["-std=c++20", "-fsyntax-only", "-D_GNU_SOURCE", '-DSTEWARD_VERSION="0"', "-I", "src", "-I", "include"]
    # From standard input, so that #pragma once is not in the main file.
    name = header.relative_to(header.parts[0])
    done = subprocess.run(command + ["-x", "c++", "-"], input=f'#include "{name}"\n', text=True, capture_output=True, cwd=root)
    return None if done.returncode == 0 else f"{header}: does not compile alone\n{done.stderr[:2000]}"


def main(root, compiler):
    headers = [p for p in sources.files(root) if p.suffix == ".hh" and p.parts[0] in {"src", "include"}]
    # ccache does not cache -fsyntax-only, it only stands in the way.
    compiler = [word for word in compiler if pathlib.Path(word).name != "ccache"]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        problems = [p for p in pool.map(lambda h: compile_alone(root, compiler, h), headers) if p]
    print(f"{len(headers)} headers")
    return sources.report(problems)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
