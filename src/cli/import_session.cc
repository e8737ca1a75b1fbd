#include "cli/import_session.hh"

#include <fmt/format.h>

#include "base/file.hh"
#include "cli/list_elements.hh"
#include "daemon/control_protocol.hh"

namespace steward::cli {
namespace {

constexpr size_t most_in_request = 512;          // manifests
constexpr size_t most_octets = size_t{1} << 20;  // of a request, and of one text
constexpr size_t most_under_way = 4;             // requests
// A text may grow sixfold as a string of JSON.
static_assert(8 * most_octets <= daemon::control::max_request);

Result<std::string> read_whole(const std::string& path) {
  auto file = FileReader::open(path);
  if (!file) return tl::unexpected(file.error());
  std::string text(most_octets + 1, '\0');
  const auto got = file->read({reinterpret_cast<uint8_t*>(text.data()), text.size()});
  if (!got) return tl::unexpected(got.error());
  text.resize(*got);
  return text;
}

}  // namespace

Result<void> ImportSession::run() {
  for (size_t source = 0; source < sources_.size(); ++source)
    if (auto added = add_file(static_cast<uint32_t>(source)); !added) return added;
  if (auto sent = send_batch(); !sent) return sent;
  while (!sent_.empty())
    if (auto received = receive(); !received) return received;
  return {};
}

Result<void> ImportSession::add_file(uint32_t source) {
  if (sources_.octets(source) > most_octets) return add_list(source);
  const auto text = read_whole(sources_.path(source));
  if (!text) return refuse(source, "", text.error().what);
  if (text->size() > most_octets) return add_list(source);  // it has grown
  batch_.octets += text->size();
  return add(source, "", *text);
}

Result<void> ImportSession::add_list(uint32_t source) {
  auto list = ListElements::open(sources_.path(source), most_octets);
  if (!list) return refuse(source, "", list.error().what);
  for (uint64_t read = 0;;) {
    const auto element = list->next();
    batch_.octets += list->at() - read;
    read = list->at();
    if (!element) return refuse(source, list->pointer(), element.error().what);
    if (!*element) return {};
    const std::string pointer = fmt::format("{}/{}", list->pointer(), (*element)->number);
    const bool too_long = (*element)->octets > most_octets;
    auto added =
        too_long ? refuse(source, pointer,
                          fmt::format("{} octets: a manifest of at most {} is read", (*element)->octets, most_octets))
                 : add(source, pointer, (*element)->text);
    if (!added) return added;
  }
}

Result<void> ImportSession::add(uint32_t source, const std::string& pointer, const std::string& text) {
  Json item{{"source", source}, {"text", text}};
  if (!pointer.empty()) item["pointer"] = pointer;
  std::string dumped;
  try {
    dumped = item.dump();
  } catch (const Json::type_error&) {
    return refuse(source, pointer, "not UTF-8, which JSON is (RFC 8259 §8.1)");
  }
  if (!batch_.items.empty() && batch_.items.size() + dumped.size() > most_octets)
    if (auto sent = send_batch(); !sent) return sent;
  if (!batch_.items.empty()) batch_.items += ',';
  batch_.items += dumped;
  ++batch_.count;
  return send_if_full();
}

Result<void> ImportSession::refuse(uint32_t source, const std::string& pointer, std::string_view rule) {
  batch_.refusals.push_back({{"source", source}, {"pointer", pointer}, {"outcome", "refused"}, {"rule", rule}});
  return send_if_full();
}

Result<void> ImportSession::send_if_full() {
  return batch_.count + batch_.refusals.size() < most_in_request ? Result<void>() : send_batch();
}

Result<void> ImportSession::send_batch() {
  while (sent_.size() >= most_under_way)
    if (auto received = receive(); !received) return received;
  Json request{{"command", daemon::control::agent_import}, {"batch", ++number_}, {"dry_run", terms_.dry_run}};
  if (!terms_.space.empty()) request["namespace"] = terms_.space;
  std::string text = request.dump();
  text.pop_back();
  text += ",\"manifests\":[" + batch_.items + "]}\n";
  batch_.items = {};
  sent_.push_back(std::move(batch_));
  batch_ = {};
  return connection_.send(text);
}

Result<void> ImportSession::receive() {
  auto reply = connection_.reply();
  while (reply && !reply->contains("batch")) reply = connection_.reply();  // of requests before, or their progress
  if (!reply) return tl::unexpected(reply.error());
  const auto rows = reply->find("rows");
  if (rows == reply->end() || !rows->is_array())
    return fail(Errc::Invalid, "the server's reply to agent.import has no rows");
  for (const Json& row : *rows) on_row_(row);
  for (const Json& row : sent_.front().refusals) on_row_(row);
  done_octets_ += sent_.front().octets;
  sent_.pop_front();
  on_progress_(done_octets_);
  return {};
}

}  // namespace steward::cli
