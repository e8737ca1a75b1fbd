"""Every advisory in tests/ADVISORIES.md names a test that is there, or says why it cannot happen."""

import pathlib
import re
import sys

import sources

TABLE = pathlib.Path("tests/ADVISORIES.md")
TEST = re.compile(r'`(tests/[^`]+)` "([^"]+)"')


def plain(text):
    """As one line: long names of tests are broken over several."""
    return re.sub(r'\s+', " ", text)


def check(root):
    problems, texts = [], {}
    for number, line in enumerate((root / TABLE).read_text().split("\n"), 1):
        if not line.startswith("| ") or line.startswith("| advisory"):
            continue
        tests = TEST.findall(line)
        if not tests and "*Not here*" not in line:
            problems.append(f"{TABLE}:{number}: neither a test nor a reason")
        for path, words in tests:
            if path not in texts:
                texts[path] = plain((root / path).read_text()) if (root / path).exists() else ""
            if words not in texts[path]:
                problems.append(f"{TABLE}:{number}: {path} has no test '{words}'")
    return problems


if __name__ == "__main__":
    sys.exit(sources.report(check(pathlib.Path(sys.argv[1]))))
