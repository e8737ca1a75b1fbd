"""Paths and commands that the documents name are there."""

import pathlib
import re
import shlex
import sys

import command_help
import sources

# Made by a build or by `init`, not part of the repository.
MADE = re.compile(r"^build[\w-]*(/|$)")
PATH = re.compile(r"^\.?[\w.-]+(?:/[\w.+-]+)*/?$")
FILE = re.compile(r"^[\w-]+\.(?:md|py|hh|cc|toml)$")
PROGRAM = re.compile(r"^(?:\S*/)?(steward(?:-registry)?)$")


def named(root, path, token):
    """Whether `token` is meant as a path of the repository, and where it could be."""
    top = {p.name for p in root.iterdir()}
    rooms = {p.name for p in (root / "src").iterdir()}
    token = token.removeprefix("./")
    if MADE.match(token) or not PATH.match(token):
        return None
    first = token.split("/")[0]
    if ("/" in token and (first in top or first in rooms)) or FILE.match(token):
        return [root / token, root / "src" / token, (root / path).parent / token]
    return None


def check_paths(root, path, text):
    problems = []
    for match in re.finditer(r"`([^`\n]+)`|\]\(([^)#\s]+)[^)]*\)", text):
        link = match.group(2)
        if link and re.match(r"^[a-z]+:", link):
            continue
        token = (match.group(1) or link).strip().split(" ")[0]
        places = [(root / path).parent / link] if link else named(root, path, token)
        if places and not any(place.exists() for place in places):
            line = text.count("\n", 0, match.start()) + 1
            problems.append(f"{path}:{line}: '{token}' is not there")
    return problems


def command_lines(text):
    """Lines of code blocks and inline code that call our programs, with their line numbers."""
    blocks = re.finditer(r"^```[^\n]*\n(.*?)^```", text, re.M | re.S)
    for block in blocks:
        start = text.count("\n", 0, block.start()) + 2
        for offset, line in enumerate(block.group(1).split("\n")):
            yield start + offset, line
    for inline in re.finditer(r"(?<!`)`([^`\n]+)`(?!`)", text):
        yield text.count("\n", 0, inline.start()) + 1, inline.group(1)


def check_command(program, words, commands):
    """The first thing that --help does not know; None where all is known."""
    command = commands[""]
    for word in words:
        if word in {"|", "&&", ";", "&", ">"}:
            return None
        if word.startswith("--"):
            option = word[2:].split("=")[0]
            if option and option not in command.options | {"help", "version"}:
                return f"'{command.path}' has no option --{option}"
        elif word in command.subcommands:
            command = commands[f"{command.path} {word}".strip()]
        elif command.subcommands and command.path != "zone keys" and not re.match(r"^[A-Z\[<(]|^\||^\W", word):
            return f"'{command.path or program}' has no command '{word}'"
    return None


def check_commands(path, text, commands):
    problems = []
    for number, line in command_lines(text):
        try:
            words = shlex.split(line.lstrip("$# "), comments=True)
        except ValueError:
            continue
        for i, word in enumerate(words):
            program = PROGRAM.match(word)
            if program and (problem := check_command(program[1], words[i + 1 :], commands[program[1]])):
                problems.append(f"{path}:{number}: {problem}: {line.strip()}")
    return problems


def main(root, server, client):
    root = pathlib.Path(root)
    commands = {"steward-registry": command_help.commands(server), "steward": command_help.commands(client)}
    problems = [] if (root / "README.md").exists() else ["README.md: is missing"]
    for path in sources.files(root):
        if path.suffix != ".md":
            continue
        text = sources.text_of(root, path) or ""
        problems += check_paths(root, path, text) + check_commands(path, text, commands)
    return sources.report(problems)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:4]))
