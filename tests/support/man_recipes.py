"""The recipes of a manual page: literal blocks of mdoc, each behind a comment `recipe: NAME`."""

import pathlib
import re

BLOCK = re.compile(r'(?:^\.\\" recipe: (?P<name>\S+)\n)?^\.Bd -literal[^\n]*\n(?P<text>.*?)^\.Ed$', re.M | re.S)


class Recipes:
    """What the page says, as a reader would type it, and which of it was used."""

    def __init__(self, page):
        text = pathlib.Path(page).read_text(encoding="utf-8")
        blocks = [(block["name"], shown(block["text"])) for block in BLOCK.finditer(text)]
        self.nameless = [text.splitlines()[0] for name, text in blocks if not name]
        self.texts = {name: text for name, text in blocks if name}
        self.used = set()

    def __getitem__(self, name):
        self.used.add(name)
        return self.texts[name]

    def beginning(self, name, blocks=1):
        """The first of the parts that empty lines separate."""
        return "\n\n".join(self[name].split("\n\n")[:blocks]) + "\n\n"

    def unused(self):
        return sorted(set(self.texts) - self.used)


def shown(text):
    """mdoc as it is displayed."""
    return text.replace("\\(dq", '"').replace("\\&", "").replace("\\e", "\\")
