"""The clock in a test's hand: programs that are started from now on live some days later."""

import os
import pathlib
import shutil
import subprocess

from report import Skipped

SOURCE = pathlib.Path(__file__).with_suffix(".c")


def shift(folder, days):
    """Sets the environment of what this process starts; 0 days: as it was."""
    if days == 0:
        os.environ.pop("LD_PRELOAD", None)
        return
    library = pathlib.Path(folder) / "clock_shift.so"
    if not library.exists():
        compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang-14")
        if not compiler:
            raise Skipped("no C compiler for the clock")
        subprocess.run([compiler, "-shared", "-fPIC", "-o", str(library), str(SOURCE), "-ldl"], check=True, capture_output=True)
    os.environ["CLOCK_SHIFT"] = str(days * 86400)
    os.environ["LD_PRELOAD"] = str(library)
