#pragma once
// What steward-registry and the running server say to each other on the control socket.
//
// A Unix stream socket at `control:`, mode 0660: who may open it may command. A request is one line of
// JSON, {"command": "zone.reload", …arguments…}, at most max_request octets; one a connection, but for agent.import. The reply is lines of JSON, each an object
// of at most max_line octets:
//   {"progress": {"done": N, "total": M, "what": "signing"}}   any number, at most four a second; for people only
//   one or more result lines, by command as below
//   {"done": true, "ok": true}  or  {"done": true, "ok": false, "error": "…"}   always last
// Times are seconds since 1970 (null: none), durations seconds, sizes octets, zones and names text with the final dot.
// A client that goes away cancels nothing: what was begun is carried through.
//
// Commands, arguments in parentheses (? optional), result line:
//
// clang-format off
// status             {"version", "pid", "started_at", "ready", "config", "namespace"?, "zone"?, "workers", "listen": [text],
//                     "zones": {"total", "serving", "failed"}, "queries": {"udp", "tcp"},
//                     "answers": {rcode mnemonic: count}, "truncated", "rate_limited", "tcp_clients",
//                     of a registry also "replica", "publishes": {"accepted", "refused", "by_rule": {allow-list, key, look-alike, quota, …: count}},
//                     "registrations": {"reserved", "pending", "refused", "by_rule": {tls, request, replay, taken, look-alike, …: count}},
//                     "agents": {"published", "leases"}, "discover_signatures": {"made", "reused", "refused"},
//                     "signatures": {algorithm: {"made", "checked"}}, "database": {"used", "size", "most", "nodes"}, "memory": private octets,
//                     "last_reload": {"at", "ok", "error"?} or null}
// health             {"healthy": bool, "checks": [{"check", "ok", "detail"}]}; a check is one of: zones, signatures, disk,
//                    clock, database; of a registry also custody, identity, publishing, leases
// reload             {"changes": [{"key", "before", "after", "effect": "reload"|"restart"}], "zones": [as zone.reload]}
// stop               {}; the server ends after the reply
// zone.list          {"zones": [row]}, a row being {"zone", "serial", "signed", "denial": "none"|"nsec"|"nsec3", "nodes",
//                     "records", "file", "catalog": that brought it or "", "state": "serving"|"loading"|"failed", "error"?,
//                     "loaded_at", "next_event": {"at", "what"} or null}
// zone.show          (zone) the row, and {"files": [text], "warnings": [text], "keys": count, "dynamic_records": count,
//                     "withdrawn_records": count, "groups": [text]}; of a catalog also "members": [zone]
//                    (zone, name, type?) {"records": [{"name", "ttl", "type", "rdata"}]}; `name` may leave out its final
//                    dot, or the zone's name
// zone.export        (zone) any number of {"text": lines of master file format}
// zone.reload        (zones?: [text]) {"zones": [{"zone", "ok", "error"?, "warnings": [text], "changed", "serial",
//                     "written": names whose records or signatures changed, "signatures": made anew}]}; ok is false at
//                    the end where one zone failed
// zone.sign          (zone, all?: bool) {"zone", "serial", "signatures": made anew}
// zone.keys          (zone) {"zone", "keys": [{"tag", "role": "KSK"|"ZSK"|"CSK", "algorithm", "size", "state", "created",
//                     "publish", "active", "retire", "remove", "file", "ds": [text of DS records]}],
//                     "next_event": {"at", "what"} or null}
// zone.keys.rollover (zone, role: "ksk"|"zsk"|"csk", dry_run: bool) {"zone", "applied": bool, "steps": [{"at", "what"}]},
//                    up to the next rollover of that kind
// zone.keys.ds-seen  (zone, tag?, dry_run: bool) the same; says that the parent serves the DS of the new KSK
// zone.log           (zone, agent?) for each agent {"agent", "sound": each entry is linked to the one before and the last is the book's head,
//                     "entries": [{"number", "at", "action", "by": fingerprint or "registry", "version", "digest", "reason", "hash",
//                     "linked"}]}; ok is false at the end where one is not sound
// publisher.list     {"open": bool, "publishers": [{"namespace", "fingerprint", "note", "since", "source": "configuration"|"command"}]}
// publisher.allow    (fingerprint, namespace?, note?) {"namespace", "fingerprint", "serial"}
// publisher.remove   (fingerprint, namespace?) the same
// child.invite       (namespace, days?) {"zone", "token": shown this once, "until"}
// child.remove       (namespace) {"zone", "serial"}
// register           (parent, namespace, fingerprint, token?, at?, leave?) {"step": text}s, then {"state": "pending"|"reserved"|"left"|
//                    "delegated", "reason", "challenge"?: {"name", "text"}, "until"?: when the certificates end}
// pending.list       {"children": [child], "invitations": [{"zone", "until"}]}, a child being {"namespace", "zone", "fingerprint",
//                     "state": "pending"|"reserved"|"delegated", "way": "invitation"|"proof"|"approval"|"none", "since", "asked",
//                     "servers": [text], "certified_until", "next_look", "problem": text}
// pending.approve    (namespace, fingerprint?) the child
// pending.reject     (namespace, fingerprint?) {"zone"}
// agent.list         (namespace?) any number of {"agents": [row]}, a row being {"agent", "version", "presence": "live"|"tombstone"|"gone",
//                     "status", "key", "custodial", "trust", "modified", "lease_until"}
// agent.show         (agent) the row, and {"first_published", "revoked": [fingerprint], "rotations", "suspended": reason or null,
//                     "key_lease_until", "capabilities", "protocols", "looks_alike", "history": entries, "facts": [{"fact", "value",
//                     "claimed", "at"}], "trust_terms": [{"name", "weight", "value", "result", "note"}]}
// agent.suspend      (agent, reason) {"agent", "serial"}
// agent.restore      (agent) the same
// agent.attest       (agent, fact, value: 0 to 1) {"agent", "fact", "value", "serial"}
// agent.import       (batch: number, manifests: [{"source": number of the file, "pointer"?: of the one element of its list that the text is,
//                     "text"}], namespace?, dry_run?: bool) {"batch", "rows": [{"source", "pointer", "outcome":
//                     "imported"|"updated"|"unchanged"|"refused", "agent" or "name": as it is written, "version"?, "rule"?, "notes"?: [text],
//                     "first"?: {"source", "element" or null}: who came first with this name}]}. Many requests a connection, some of them at
//                     a time; their lines come in the order of the requests. What a connection has brought is one import: the first
//                     manifest of a name wins.
// conflicts.list     (namespace?) any number of {"conflicts": [row]}, a row being {"agent", "child", "number": of writes that stand, "seen",
//                     "writes": the first 8, the winner first, each {"write", "version", "status", "fp", "statement"?, "stamp", "replica",
//                     "vc"}, all of them text, as `_conflict` has them}
// conflicts.show     (agent) the row
// conflicts.resolve  (agent, seen: bool) {"agent", "serial"}
// peers              (namespace?, refused?: bool) {"children": [{"child", "replica", "feed", "primary", "serial": of the feed, or null,
//                     "followed_to": the serial up to which it is judged, or null, "agents", "tombstones", "refused", "conflicts",
//                     "checks": signatures in its feed that were checked since the start, "last_success": seconds since 1970, or null,
//                     "lag": seconds, or null, "error"}]}; with refused, any number of {"refused":
//                     [{"agent", "child", "rule", "reason", "listed": as it was admitted before}]}
// backup             any number of {"octets": base64 of the next octets of the file}, then {"zones", "names", "hashes",
//                     "records", "octets"}; without the latter the file is not whole
// store.verify       {"sound": true, as the last line of backup} or {"sound": false, "error"}
// store.stat         {"format", "zones", "zones_served", "names", "hashes", "tree_pages", "tree_octets", "map_size",
//                     "segments", "log_octets", "live_octets", "live_share": 0 to 1}
// clang-format on

#include <cstddef>
#include <string_view>

namespace steward::daemon::control {

constexpr size_t max_request = size_t{8} << 20;
constexpr size_t max_line = size_t{64} << 20;

constexpr std::string_view status = "status";
constexpr std::string_view health = "health";
constexpr std::string_view reload = "reload";
constexpr std::string_view stop = "stop";
constexpr std::string_view zone_list = "zone.list";
constexpr std::string_view zone_show = "zone.show";
constexpr std::string_view zone_export = "zone.export";
constexpr std::string_view zone_reload = "zone.reload";
constexpr std::string_view zone_sign = "zone.sign";
constexpr std::string_view zone_keys = "zone.keys";
constexpr std::string_view zone_keys_rollover = "zone.keys.rollover";
constexpr std::string_view zone_keys_ds_seen = "zone.keys.ds-seen";
constexpr std::string_view zone_log = "zone.log";
constexpr std::string_view publisher_list = "publisher.list";
constexpr std::string_view publisher_allow = "publisher.allow";
constexpr std::string_view publisher_remove = "publisher.remove";
constexpr std::string_view child_invite = "child.invite";
constexpr std::string_view child_remove = "child.remove";
constexpr std::string_view register_at_parent = "register";
constexpr std::string_view pending_list = "pending.list";
constexpr std::string_view pending_approve = "pending.approve";
constexpr std::string_view pending_reject = "pending.reject";
constexpr std::string_view agent_list = "agent.list";
constexpr std::string_view agent_show = "agent.show";
constexpr std::string_view agent_suspend = "agent.suspend";
constexpr std::string_view agent_restore = "agent.restore";
constexpr std::string_view agent_attest = "agent.attest";
constexpr std::string_view agent_import = "agent.import";
constexpr std::string_view conflicts_list = "conflicts.list";
constexpr std::string_view conflicts_show = "conflicts.show";
constexpr std::string_view conflicts_resolve = "conflicts.resolve";
constexpr std::string_view peers = "peers";
constexpr std::string_view backup = "backup";
constexpr std::string_view store_verify = "store.verify";
constexpr std::string_view store_stat = "store.stat";

}  // namespace steward::daemon::control
