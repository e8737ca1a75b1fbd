"""Counts what a script tested, and says so in its last line: `NAME: N passed, N failed, N skipped`."""

import contextlib
import traceback


class Skipped(Exception):
    """Raised in a case that cannot be tested here; the message says why."""


class Failed(Exception):
    """Raised in a case that went wrong; the message says what."""


def require(condition, text):
    if not condition:
        raise Failed(text)


class Report:
    """Cases of one script. A case that raises has failed, and the ones after it still run."""

    def __init__(self, name):
        self.name = name
        self.passed = self.failed = self.skipped = 0

    @contextlib.contextmanager
    def case(self, sentence):
        try:
            yield
            self.passed += 1
            print(f"passed  {sentence}", flush=True)
        except Skipped as why:
            self.skipped += 1
            print(f"skipped {sentence}: {why}", flush=True)
        except Failed as why:
            self.failed += 1
            print(f"FAILED  {sentence}: {why}", flush=True)
        except Exception:
            self.failed += 1
            print(f"FAILED  {sentence}:\n{traceback.format_exc(limit=-5)}", flush=True)

    def finish(self):
        """Prints the counts; the exit status."""
        print(f"{self.name}: {self.passed} passed, {self.failed} failed, {self.skipped} skipped", flush=True)
        return 1 if self.failed else 0
