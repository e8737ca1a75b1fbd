"""NEWS.md has the version that meson builds."""

import pathlib
import re
import sys

import sources


def main(root, version):
    path = pathlib.Path(root) / "NEWS.md"
    if not path.exists():
        return sources.report(["NEWS.md: is missing"])
    headings = re.findall(r"^#+\s+(.*)$", path.read_text(encoding="utf-8"), re.M)
    if not any(version in re.findall(r"\d+(?:\.\d+)+", heading) for heading in headings):
        return sources.report([f"NEWS.md: no heading with version {version} of meson.build"])
    return sources.report([])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
