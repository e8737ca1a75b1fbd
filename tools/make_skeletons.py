#!/usr/bin/python3
"""Writes src/agent/skeleton_table.cc: UTS #39 skeletons of the code points that a label can hold.

    tools/make_skeletons.py [--check]

Needs ICU 72 (libicu72, Unicode 15) and libidn2, both of Debian 12, at their run-time libraries only. The server does not: which name
is refused as a look-alike must not depend on the ICU of one replica's machine. `--check` compares and writes nothing.

A code point has a row where it may stand in a U-label (IDNA2008, RFC 5892) and its skeleton is not itself. Letters A to Z that
prototypes consist of are folded, since the DNS does not tell them apart (RFC 4343): 0, whose prototype is O, is like o. The skeleton of
a label is that of its code points, one after the other; Hangul syllables, whose decomposition is one to one, are left out.
"""

import argparse
import ctypes
import pathlib
import sys
import unicodedata

TARGET = pathlib.Path(__file__).resolve().parents[1] / "src" / "agent" / "skeleton_table.cc"
LETTERS = {"Ll", "Lo", "Lm", "Mn", "Mc", "Nd"}  # RFC 5892 §2.1
LAST = 0x3FFFF
WIDTH = 120

HEADER = """// Written by tools/make_skeletons.py from the confusables of Unicode 15 (UTS #39) as ICU 72 has them; not by hand.
//
// Data: Copyright (c) 1991-2022 Unicode, Inc., under the Unicode License Agreement for Data Files and Software
// (https://www.unicode.org/license.txt); this is a modified extract. Permission is hereby granted, free of charge, to any person
// obtaining a copy of the Unicode data files and any associated documentation to deal in them without restriction, including without
// limitation the rights to use, copy, modify, merge, publish, distribute, and/or sell copies, and to permit persons to whom they are
// furnished to do so, provided that this copyright and permission notice appear with all copies or in associated documentation. The data
// files are provided "as is", without warranty of any kind, express or implied.

#include "agent/skeleton_table.hh"

namespace steward::agent {

// clang-format off
const SkeletonRow skeleton_table[] = {
"""
FOOTER = """};
// clang-format on

const size_t skeleton_table_size = sizeof(skeleton_table) / sizeof(skeleton_table[0]);

}  // namespace steward::agent
"""


class Icu:
    def __init__(self):
        self.library = ctypes.CDLL("libicui18n.so.72")
        self.library.uspoof_open_72.restype = ctypes.c_void_p
        error = ctypes.c_int(0)
        self.checker = ctypes.c_void_p(self.library.uspoof_open_72(ctypes.byref(error)))
        if error.value > 0:
            sys.exit(f"uspoof_open: {error.value}")

    def once(self, text):
        octets = text.encode()
        out = ctypes.create_string_buffer(1024)
        error = ctypes.c_int(0)
        size = self.library.uspoof_getSkeletonUTF8_72(self.checker, 0, octets, len(octets), out, len(out), ctypes.byref(error))
        if error.value > 0:
            sys.exit(f"uspoof_getSkeletonUTF8: {error.value}")
        return out.raw[:size].decode()

    def skeleton(self, text):
        """With letters folded, as often as it makes a difference."""
        while True:
            folded = "".join(c.lower() if c.isascii() else c for c in self.once(text))
            if folded == text:
                return text
            text = folded


class Idna:
    def __init__(self):
        self.library = ctypes.CDLL("libidn2.so.0")

    def allows(self, point):
        """Whether a U-label may hold it; context is given by letters of its own direction."""
        char = chr(point)
        if unicodedata.category(char) not in LETTERS:
            return False
        beside = "\u05d0" if unicodedata.bidirectional(char) in ("R", "AL", "AN") else "a"
        out = ctypes.c_void_p()
        return self.library.idn2_register_u8((beside + char + beside).encode(), None, ctypes.byref(out), 0) == 0


def rows():
    icu, idna = Icu(), Idna()
    for point in range(ord("0"), LAST + 1):
        if 0xD800 <= point <= 0xDFFF or 0xAC00 <= point <= 0xD7A3 or not idna.allows(point):
            continue
        skeleton = icu.skeleton(chr(point))
        if skeleton != chr(point):
            yield f"{{0x{point:x}, U\"{''.join(literal(c) for c in skeleton)}\"}},"


def literal(char):
    if char in "\"\\":
        return "\\" + char
    return char if char.isascii() else f"\\U{ord(char):08x}" if ord(char) > 0xFFFF else f"\\u{ord(char):04x}"


def table():
    lines, line = [], ""
    for row in rows():
        if len(line) + 1 + len(row) > WIDTH:
            lines.append(line)
            line = ""
        line += (" " if line else "  ") + row
    return HEADER + "\n".join(lines + [line]) + "\n" + FOOTER


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--check", action="store_true", help="compare with the file, write nothing")
    text = table()
    if not parser.parse_args().check:
        TARGET.write_text(text)
        return 0
    same = TARGET.read_text() == text
    print("ok" if same else f"{TARGET}: differs from what tools/make_skeletons.py writes")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
