"""The files of the repository, without what a build or a tool leaves in it."""

import os
import pathlib

SKIPPED = {".git", ".cache", "__pycache__", "subprojects", "node_modules"}
TEXT = {".cc", ".hh", ".py", ".md", ".build", ".txt", ".yaml", ".toml", ".1", ".5", ".7", ".8", ".sh", ".zone", ""}


def files(root):
    """Every file as a path relative to `root`, sorted."""
    root = pathlib.Path(root)
    found = []
    for folder, folders, names in os.walk(root):
        folders[:] = [f for f in folders if f not in SKIPPED and not is_build(pathlib.Path(folder) / f)]
        found += [(pathlib.Path(folder) / name).relative_to(root) for name in names if name not in SKIPPED]
    return sorted(found)


def is_build(folder):
    return folder.name.startswith("build") and ((folder / "build.ninja").exists() or (folder / "meson-private").exists())


def text_of(root, path):
    """The text of a text file; None for what is not text."""
    if path.suffix not in TEXT:
        return None
    try:
        return (pathlib.Path(root) / path).read_text(encoding="utf-8")
    except (UnicodeDecodeError, OSError):
        return None


def report(problems):
    """Prints them and gives the exit status."""
    for problem in problems:
        print(problem)
    print(f"{len(problems)} problems" if problems else "ok")
    return 1 if problems else 0
