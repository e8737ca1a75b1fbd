"""A publisher's home and its `steward`: keys, manifests, a configuration of its own."""

import json
import os
import pathlib
import subprocess

from report import require
from servers import ROOT

APEX = "steward-registry.org"


def steward_program():
    """The client's path: $STEWARD, or the release build's."""
    return os.environ.get("STEWARD", str(ROOT / "build" / "steward"))


class Publisher:
    """A home folder; `registry` is the ADDRESS@PORT that its configuration names."""

    def __init__(self, folder, registry, namespace="acme-corp.com", tls=None):
        self.folder = pathlib.Path(folder)
        self.config = self.folder / "config" / "steward"
        self.config.mkdir(parents=True)
        lines = [f"registry: '{registry}'", f"namespace: {namespace}", "timeout: 3"]
        if tls:
            lines += ["tls:", *(f"  {key}: {value}" for key, value in tls.items())]
        (self.config / "config.yaml").write_text("\n".join(lines) + "\n")

    @property
    def keys(self):
        return self.config / "keys"

    def run(self, *words, text_input=None, timeout=30):
        environment = {**os.environ, "HOME": str(self.folder), "XDG_CONFIG_HOME": str(self.config.parent), "NO_COLOR": "1"}
        return subprocess.run([steward_program(), *map(str, words)], input=text_input, capture_output=True, text=True,
                              timeout=timeout, check=False, env=environment)

    def done(self, *words, **arguments):
        """What a command that must succeed says as JSON."""
        done = self.run(*words, "--json", **arguments)
        require(done.returncode == 0, f"steward {' '.join(map(str, words))} ended with {done.returncode}: {done.stderr}")
        return json.loads(done.stdout)

    def refused(self, *words, **arguments):
        """What a command that must be refused says on standard error."""
        done = self.run(*words, **arguments)
        require(done.returncode == 1, f"steward {' '.join(map(str, words))} ended with {done.returncode}: {done.stdout}{done.stderr}")
        return done.stderr

    def write(self, name, manifest):
        path = self.folder / name
        path.write_text(json.dumps(manifest, indent=2))
        return path


def steward_manifest(name, version="1.0.0", **more):
    """STEWARD v1.0.0."""
    return {"steward_version": "1.0.0",
            "agent": {"id": name, "name": name, "version": version, "class": "task_executor", "specialization": "planner",
                      "status": "active", **more.get("agent", {})},
            "credentials": {"mandate": [{"capability": "plan", "scope": "read"}], "constraints": [], "prime_directive": "be useful"},
            "capabilities": {"interfaces": [], "operations": [{"name": "make_plan", "description": "makes a plan"}]},
            "governance": {"principal": "acme", "transparency": "public"}}


def a2a_card(name, version="1.0.0", url="https://agents.acme-corp.com/a2a"):
    return {"protocolVersion": "0.3.0", "name": name, "description": "Translates.", "url": url, "version": version,
            "preferredTransport": "JSONRPC", "capabilities": {}, "defaultInputModes": ["text/plain"],
            "defaultOutputModes": ["text/plain"],
            "skills": [{"id": "translate", "name": "Translate", "description": "Translates.", "tags": ["language"]}]}


def mcp_server(name, version="1.0.0", url="https://mcp.acme-corp.com/mcp"):
    return {"$schema": "https://static.modelcontextprotocol.io/schemas/2025-09-29/server.schema.json",
            "name": name, "description": "Looks at the weather.", "version": version,
            "remotes": [{"type": "streamable-http", "url": url}]}
