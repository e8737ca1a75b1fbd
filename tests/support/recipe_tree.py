"""The federation of steward-interop(7): a root registry, com and vibe-agency.com, at the page's addresses and port 53."""

import contextlib
import json
import re

import yaml

import peers
import servers
from registry import eventually, outcome

APEX = "steward-registry.org."
COM = f"com.{APEX}"
ZONE = f"vibe-agency.com.{APEX}"
AGENT = f"vibe-agency-coder.{ZONE}"
CATALOG = "catalog.vibe-agency.com"
ROOT_ADDRESS, COM_ADDRESS, PRIMARY, SECONDARY = "192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.53"
PROXY, CLIENT, STRANGER = "192.0.2.80", "192.0.2.99", "192.0.2.98"  # one that may transfer, and one that may not
NAMESPACE = {APEX: ".", COM: "com", ZONE: "vibe-agency.com"}


def above_leaf(zone, address, lines):
    """A zone file of com or the root: one page of a capability, and what it delegates."""
    page = ['guide._find._agents 60 TXT "v=steward-find1" "n=1"', "guide._find._agents 60 PTR guide"] if zone == APEX else []
    head = [f"$ORIGIN {zone}", "$TTL 300", "@ 60 SOA ns1 hostmaster 1 3600 600 604800 60", "@ NS ns1", f"ns1 A {address}"]
    return "\n".join([*head, *page, *lines]) + "\n"


def sample_zone():
    text = (servers.ROOT / "zones" / f"{ZONE}zone").read_text(encoding="utf-8")
    return text.replace("ns1 300 A 127.0.0.1", f"ns1 300 A {PRIMARY}")


class Registry(peers.Ours):
    """A registry at port 53 of an address, in the words of a recipe; what that leaves out is here."""

    def __init__(self, zone, address, text, recipe=""):
        zones = yaml.dump({"zones": [{"name": zone.rstrip("."), "file": f"zones/{zone}zone", "dnssec": True}]})
        self.recipe = recipe if "zones:" in recipe else recipe + zones
        super().__init__([servers.Zone(zone, "/dev/null", True)], addresses=[address], options={"registry": {"namespace": NAMESPACE[zone]}})
        self.port = 53
        self.file = self.folder / "zones" / f"{zone}zone"
        self.file.parent.mkdir()
        self.file.write_text(text, encoding="utf-8")
        self.file_serial = 0

    def write_config(self):
        super().write_config()
        config = {key: value for key, value in yaml.safe_load(self.config_path.read_text()).items() if key not in yaml.safe_load(self.recipe)}
        self.config_path.write_text(yaml.safe_dump(config, sort_keys=False) + self.recipe)

    def serial(self):
        return outcome(self, self.zones[0].name)

    def raise_serial(self):
        self.file_serial = self.serial() + 10
        self.file.write_text(re.sub(r"(SOA ns1 hostmaster) \d+", rf"\1 {self.file_serial}", self.file.read_text(encoding="utf-8")), encoding="utf-8")

    def ds(self):
        keys = json.loads(self.run("zone", "keys", self.zones[0].name, "--json").stdout)
        return [line for key in keys["keys"] for line in key["ds"]]

    def delegation(self):
        """What the parent has of this zone."""
        zone = self.zones[0].name
        return [f"{zone} NS ns1.{zone}", f"ns1.{zone} A {self.address}", *self.ds()]


class Tree:
    """All three, of which the leaf may be started anew with another configuration."""

    def __init__(self):
        self.stack = contextlib.ExitStack()
        self.registries = {}

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            lines = []
            for zone, address in ((ZONE, PRIMARY), (COM, COM_ADDRESS), (APEX, ROOT_ADDRESS)):
                text = sample_zone() if zone == ZONE else above_leaf(zone, address, lines)
                registry = stack.enter_context(Registry(zone, address, text))
                eventually(f"the DS of {zone}", lambda here=registry: here.ds())
                lines, self.registries[zone] = registry.delegation(), registry
            self.stack = stack.pop_all()
        return self

    def __exit__(self, *_):
        self.stack.close()

    def operator_line(self, zone):
        """Shell that runs our program against this zone's registry."""
        registry = self.registries[zone]
        return f'exec {registry.program} "$@" --config {registry.config_path}'

    @contextlib.contextmanager
    def primary(self, recipe):
        """The leaf's registry as a recipe has it, in the place of the one that stood there, and with its keys."""
        self.registries[ZONE].stop()
        registry = Registry(ZONE, PRIMARY, sample_zone(), recipe)
        (registry.folder / "keys").symlink_to(self.registries[ZONE].folder / "keys")
        with registry:
            yield registry
