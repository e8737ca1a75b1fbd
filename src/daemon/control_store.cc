#include "daemon/control_store.hh"

#include <chrono>

#include "daemon/store_reply.hh"
#include "dns/encoding.hh"
#include "store/backup.hh"

namespace steward::daemon {
namespace {

constexpr size_t piece = size_t{1} << 20;  // octets of a backup in one line of the reply

void read_all(Server& server, const Reply& reply, std::function<Result<void>(const store::Reader&)> work) {
  server.post_export([reply, work = std::move(work)](store::Reader& reader) {
    if (auto acquired = reader.acquire(); !acquired) return end(reply, acquired.error().what);
    const auto done = work(reader);
    reader.release();
    done ? end(reply) : end(reply, done.error().what);
  });
}

// At most four lines a second (control_protocol.hh).
store::Progress progress_to(const Reply& reply, std::string_view what) {
  return [reply, what, last = std::chrono::steady_clock::now()](uint64_t done, uint64_t total) mutable {
    const auto now = std::chrono::steady_clock::now();
    if (now - last < std::chrono::milliseconds(250)) return;
    last = now;
    send(reply, {{"progress", {{"done", done}, {"total", total}, {"what", what}}}});
  };
}

Result<void> send_octets(const Reply& reply, ByteView octets) {
  std::string line;
  while (!octets.empty()) {
    const ByteView part = octets.first(std::min(piece, octets.size()));
    octets = octets.subspan(part.size());
    // Written by hand: base64 needs no escapes, and there is much of it.
    line = R"({"octets":")";
    dns::append_encoded(line, dns::base64, part);
    line += R"("})";
    if (!reply->write(line)) return fail(Errc::Io, "the client went away");
  }
  return {};
}

}  // namespace

void backup(Server& server, const Reply& reply) {
  read_all(server, reply, [reply](const store::Reader& reader) -> Result<void> {
    const auto sink = [&](ByteView octets) { return send_octets(reply, octets); };
    const auto census = store::write_backup(reader, sink, progress_to(reply, "backup"));
    if (!census) return tl::unexpected<Error>(census.error());
    send(reply, json_of(*census));
    return {};
  });
}

void store_verify(Server& server, const Reply& reply) {
  read_all(server, reply, [reply](const store::Reader& reader) -> Result<void> {
    const auto verified = store::verify(reader, progress_to(reply, "verify"));
    if (!verified && verified.error().code != Errc::Corrupt) return tl::unexpected<Error>(verified.error());
    send(reply, json_of_verified(verified));
    return {};
  });
}

void store_stat(Server& server, const Reply& reply) {
  read_all(server, reply, [reply](const store::Reader& reader) -> Result<void> {
    const auto figures = store::figures_of(reader);
    if (!figures) return tl::unexpected<Error>(figures.error());
    send(reply, json_of(*figures));
    return {};
  });
}

}  // namespace steward::daemon
