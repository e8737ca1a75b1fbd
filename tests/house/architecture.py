"""src/ARCHITECTURE.md stays a page that is read in one go: so many lines, none of them endless, and every room of src/ in its table."""

import pathlib
import re
import sys

import sources

PAGE = pathlib.Path("src/ARCHITECTURE.md")
MOST_LINES = 180
MOST_COLUMNS = 200
ROOM = re.compile(r"^\| `src/([a-z]+)` \|", re.M)


def check(root):
    text = (root / PAGE).read_text()
    lines = text.rstrip("\n").split("\n")
    problems = []
    if len(lines) > MOST_LINES:
        problems.append(f"{PAGE}: {len(lines)} lines, at most {MOST_LINES}: what is a man page's, FORMAT.md's or a file's own goes there")
    for number, line in enumerate(lines, 1):
        if len(line) > MOST_COLUMNS:
            problems.append(f"{PAGE}:{number}: {len(line)} columns, at most {MOST_COLUMNS}")
    told = set(ROOM.findall(text))
    for folder in sorted((root / "src").iterdir()):
        if any(folder.glob("*.cc")) and folder.name not in told:
            problems.append(f"{PAGE}: the room {folder.name} is not in the table")
    return problems


if __name__ == "__main__":
    sys.exit(sources.report(check(pathlib.Path(sys.argv[1]))))
