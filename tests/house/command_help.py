"""What our programs say of themselves: its commands and their options, read from --help."""

import re
import subprocess

OPTION = re.compile(r"^\s+(?:-\w,)?--([a-z][a-z-]*)", re.M)


class Command:
    def __init__(self, path, text):
        self.path = path
        self.text = text
        self.options = set(OPTION.findall(text)) - {"help"}
        self.subcommands = re.findall(r"^  ([a-z][a-z-]*)\s", section(text, "Subcommands:"), re.M)


def section(text, title):
    """The indented lines below a title."""
    match = re.search(rf"^{title}\n((?:[ \t].*\n?)*)", text, re.M)
    return match.group(1) if match else ""


def commands(program):
    """Every command by its words ("zone keys rollover"); the program itself is ""."""
    found = {}

    def walk(words):
        done = subprocess.run([program, *words, "--help"], capture_output=True, text=True, check=True)
        command = Command(" ".join(words), done.stdout)
        found[command.path] = command
        for name in command.subcommands:
            walk([*words, name])

    walk([])
    found[""].options.discard("version")
    return found
