"""The manual pages say what the program says: commands and options as --help, keys as check --list-keys, in both directions."""

import pathlib
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass

import command_help
import sources


@dataclass(frozen=True)
class Commands:
    """A page of commands. `shared`: options that many commands have are described once, in a section whose title begins so; the commands that
    have the option named beside it share them."""

    page: str
    groups: set
    shared: dict


SERVER = Commands("steward-registry.8", {"", "zone", "store", "publisher", "pending", "agent", "conflicts"}, {"Commands to the running server": "control"})
CLIENT = Commands("steward.1", {""}, {"Common options": "registry", "Options of publishing": "dry-run"})


def unescaped(text):
    return text.replace("\\&", "").replace("\\(dq", '"').replace("\\e", "\\")


def words_of(text):
    """Text as a reader sees it, without markup, blanks of one width."""
    lines = [re.sub(r"^\.(?:Li|Ar|Cm|Ic|Pa|Fl) ", "", line) for line in text.split("\n")]
    plain = re.sub(r"\s+", " ", unescaped(" ".join(lines)))
    return re.sub(r" ([.,;])", r"\1", plain)


def documented_commands(page, sections):
    """{command: options}, and by section the options that many commands share."""
    commands, shared = {}, {name: set() for name in sections}
    depth, section, current = 0, "", None
    for line in page.split("\n"):
        if line.startswith(".Ss ") or line.startswith(".Sh "):
            section, current = line[4:], None
        depth += line.startswith(".Bl ")
        depth -= line == ".El"
        if depth == 1 and line.startswith(".It Cm "):
            current = " ".join(re.match(r"[a-z -]*[a-z]", re.split(r" (?:Ar|Op|Fl)\b", line[7:])[0]).group().split())
            commands[current] = set()
        elif line.startswith(".It Fl "):
            option = re.match(r"\.It Fl -([a-z-]+)", line).group(1)
            if depth == 2 and current:
                commands[current].add(option)
            elif depth == 1:
                for name in sections:
                    if section.startswith(name):
                        shared[name].add(option)
    return commands, shared


def check_commands(what, page, program):
    helped = command_help.commands(program)
    documented, shared = documented_commands(page, what.shared)
    problems = []
    for path, command in helped.items():
        if path not in what.groups and path not in documented:
            problems.append(f"{what.page}: command '{path}' is missing")
            continue
        known = documented.get(path, set()).union(*(shared[name] for name, mark in what.shared.items() if mark in command.options))
        problems += [f"{what.page}: '{path}': option --{o} is missing" for o in sorted(command.options - known)]
        problems += [f"{what.page}: '{path}': --help has no option --{o}" for o in sorted(documented.get(path, set()) - command.options)]
    problems += [f"{what.page}: --help has no command '{path}'" for path in documented if path not in helped]
    for name, mark in what.shared.items():
        sharing = [c for c in helped.values() if mark in c.options]
        problems += [f"{what.page}: no command shares --{o}" for o in sorted(shared[name]) if not any(o in c.options for c in sharing)]
    return problems


def check_settings(page, source):
    """The keys of the client's configuration, as src/client/settings.cc has them."""
    keys = set(re.findall(r'^    \{"([a-z-]+)", "', source, re.M))
    body = page.split(".Sh CONFIGURATION", 1)[1].split(".Sh ", 1)[0]
    documented = set(re.findall(r"^\.It Ic (\S+)$", body, re.M))
    problems = [] if keys else ["src/client/settings.cc: no keys found"]
    problems += [f"steward.1: key '{key}' is missing" for key in sorted(keys - documented)]
    return problems + [f"steward.1: there is no key '{key}'" for key in sorted(documented - keys)]


def listed_keys(program):
    """{key: (meaning, default)} of check --list-keys."""
    listing = subprocess.run([program, "check", "--list-keys"], capture_output=True, text=True, check=True).stdout
    keys = {}
    for entry in re.split(r"\n(?=\S)", listing.strip()):
        name, meaning, takes = entry.split("\n")
        default = re.search(r"; default (.*?)(?:; (?:required|needs|not in|refused|since)|$)", takes)
        keys[name] = (meaning.strip(), takes.strip(), default.group(1).strip("()") if default else None)
    return keys


def check_keys(page, program):
    keys = listed_keys(program)
    body = page.split(".Sh KEYS", 1)[1].split(".Sh ", 1)[0]
    entries = dict(re.findall(r"^\.It Ic (\S+)\n(.*?)(?=^\.It Ic |\Z)", body, re.M | re.S))
    problems = [f"registry.yaml.5: key '{key}' is missing" for key in keys if key not in entries]
    problems += [f"registry.yaml.5: there is no key '{key}'" for key in entries if key not in keys]
    for key in keys.keys() & entries.keys():
        meaning, takes, default = keys[key]
        text = words_of(entries[key])
        if meaning not in text:
            problems.append(f"registry.yaml.5: {key}: expected '{meaning}'")
        if default and f"Default: {default}" not in text:
            problems.append(f"registry.yaml.5: {key}: expected 'Default: {default}'")
        for word, sentence in [("; required", "Required."), ("; needs a restart", "needs a restart."), ("; refused", ": refused."),
                               ("; not in effect", "not in effect in this version")]:
            if (word in takes) != (sentence in text):
                problems.append(f"registry.yaml.5: {key}: '{sentence}' does not agree with '{takes}'")
    return problems


def check_form(folder):
    if shutil.which("mandoc") is None:
        print("mandoc is not installed: form not checked")
        return []
    pages = sorted(str(p) for p in folder.iterdir())
    found = subprocess.run(["mandoc", "-Tlint", *pages], capture_output=True, text=True).stdout
    # Whether other pages are installed is not a matter of ours.
    return [line for line in found.split("\n") if line and "referenced manual not found" not in line and "mandoc.db" not in line]


def main(root, server, client):
    root = pathlib.Path(root)
    man = root / "man"
    problems = []
    for what, program in ((SERVER, server), (CLIENT, client)):
        problems += check_commands(what, (man / what.page).read_text(encoding="utf-8"), program)
    problems += check_keys((man / "registry.yaml.5").read_text(encoding="utf-8"), server)
    problems += check_settings((man / "steward.1").read_text(encoding="utf-8"), (root / "src/client/settings.cc").read_text(encoding="utf-8"))
    problems += check_form(man)
    return sources.report(problems)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:4]))
