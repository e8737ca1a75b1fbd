"""Who transfers what from whom, as every kind of server of transfer_peers.py is told it."""

from dataclasses import dataclass, field

import servers

READER = "127.0.0.200"  # the tests' own address: it may transfer every zone from every server, without a key


@dataclass(frozen=True)
class Key:
    """A TSIG key; `name` without the final dot."""

    name: str
    algorithm: str
    secret: str


@dataclass(frozen=True)
class Remote:
    """The other server of a zone. `tls`: the name that its certificate must be for, "" for no TLS."""

    address: str
    port: int
    key: Key = None
    tls: str = ""


@dataclass(frozen=True)
class TlsFiles:
    """What a server needs for TLS: PEM files, and the port it answers TLS at."""

    port: int
    ca: str
    certificate: str
    key: str


@dataclass
class LinkedZone(servers.Zone):
    """A zone with its neighbours. With `primaries` it is transferred from them, without it is read from `file`.

    `key`: who transfers it must have it. `tls_only`: only over TLS. `update_key`: who has it may change the zone."""

    primaries: list = field(default_factory=list)
    notify: list = field(default_factory=list)
    key: Key = None
    tls_only: bool = False
    tls_client: str = ""  # only over TLS, by who shows a certificate for this name (ours)
    update_key: Key = None
    sig0: bool = False  # whoever has signed with a KEY of the zone may change it too (ours)

    def keys(self):
        return {key for key in (self.key, self.update_key, *(remote.key for remote in self.primaries + self.notify)) if key}
