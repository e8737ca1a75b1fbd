#pragma once
// What all commands share: a request with its arguments, and the way to end a reply.

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "base/clock.hh"
#include "base/result.hh"
#include "daemon/zone_status.hh"
#include "dns/name.hh"
#include "net/control_server.hh"

namespace steward::daemon {

using Json = nlohmann::json;
using Reply = std::shared_ptr<net::ControlReply>;

/// One line; text from the wire or from files that is not UTF-8 is replaced, never refused.
inline bool send(const Reply& reply, const Json& line) {
  return reply->write(line.dump(-1, ' ', false, Json::error_handler_t::replace));
}
inline void end(const Reply& reply) { send(reply, {{"done", true}, {"ok", true}}); }
inline void end(const Reply& reply, const std::string& error) { send(reply, {{"done", true}, {"ok", false}, {"error", error}}); }
inline void end_with(const Reply& reply, const Json& result) {
  send(reply, result);
  end(reply);
}

/// Seconds since 1970, or null.
inline Json time_or_null(const std::optional<UnixTime>& time) { return time ? Json(seconds_of(*time)) : Json(nullptr); }

/// A text argument; empty where it is missing.
inline std::string argument(const Json& request, const char* key) {
  const auto at = request.find(key);
  return at != request.end() && at->is_string() ? at->get<std::string>() : std::string();
}

/// `zone`, folded and complete; the error names what was given.
Result<dns::Name> zone_argument(const Json& request);

/// People leave the final dot out: "www.example.com" in example.com is www.example.com., "www" is too.
Result<dns::Name> name_within(const std::string& text, const dns::Name& apex);

Json json_of(const ZoneStatus& status);
Json json_of(const std::optional<ZoneEvent>& event);

}  // namespace steward::daemon
