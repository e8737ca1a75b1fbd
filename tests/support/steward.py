"""The program `steward`, with a home of its own, and what it says."""

import json
import os
import pathlib
import subprocess

from peers import our_program
from report import require


def client_program():
    """$STEWARD, or the one that was built beside our server."""
    return os.environ.get("STEWARD", str(pathlib.Path(our_program()).parent / "steward"))


class Client:
    """`steward` that asks one registry and trusts one anchor."""

    def __init__(self, folder, port=None, anchor=None, timeout=5, tls=None):
        self.folder = pathlib.Path(folder)
        self.config = self.folder / "steward" / "config.yaml"
        self.config.parent.mkdir(parents=True, exist_ok=True)
        lines = [f"timeout: {timeout}"]
        if port:
            lines.append(f"registry: 127.0.0.1@{port}")
        if anchor:
            anchor_file = self.config.parent / "anchor.ds"
            anchor_file.write_text(anchor + "\n")
            lines.append("trust-anchor: anchor.ds")
        if isinstance(tls, dict):
            lines.append(f"tls: {json.dumps(tls)}")
        elif tls:
            lines.append(f"tls: {{name: {tls[0]}, authorities: {tls[1]}}}")
        self.config.write_text("\n".join(lines) + "\n")

    @property
    def known_agents(self):
        return self.config.parent / "known_agents"

    def run(self, *words, before=()):
        """The finished process. `before`: what it is started by."""
        environment = {**os.environ, "XDG_CONFIG_HOME": str(self.folder)}
        return subprocess.run([*before, client_program(), *map(str, words)], capture_output=True, text=True, check=False, timeout=60, env=environment)

    def ask(self, *words, status=0, before=()):
        """The JSON of a command that must end with this exit status."""
        done = self.run(*words, "--json", before=before)
        require(done.returncode == status, f"{' '.join(map(str, words))} ended with {done.returncode}, not {status}: {done.stdout}{done.stderr}")
        return json.loads(done.stdout) if done.stdout else {}

    def refused(self, *words):
        """What it says on standard error, having shown nothing and ended with 1."""
        done = self.run(*words)
        require(done.returncode == 1, f"{' '.join(map(str, words))} ended with {done.returncode}: {done.stdout}{done.stderr}")
        require(not done.stdout, f"it shows something: {done.stdout}")
        return done.stderr

    def failed_step(self, *words):
        """The step of `verify` that failed."""
        steps = self.ask("verify", *words, status=1)["steps"]
        require(steps[-1]["result"] == "failed", f"no step failed: {steps}")
        return steps[-1]["step"]
