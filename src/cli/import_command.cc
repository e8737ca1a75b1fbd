#include <fmt/format.h>

#include <CLI/App.hpp>

#include <algorithm>
#include <array>

#include "cli/commands.hh"
#include "cli/import_session.hh"
#include "cli/remote.hh"

namespace steward::cli {
namespace {

struct ImportRequest {
  std::vector<std::string> paths;
  ImportTerms terms;
  bool quiet = false;
};

constexpr std::array<std::string_view, 4> outcomes{"imported", "updated", "unchanged", "refused"};

Tone tone_of(std::string_view outcome) {
  if (outcome == "refused") return Tone::Bad;
  return outcome == "unchanged" ? Tone::Dim : Tone::Good;
}

/// Rows as they come, since a million of them are not held: columns of a fixed width.
class ImportReport {
 public:
  ImportReport(Console& console, const ImportSources& sources, bool json, bool quiet)
      : console_(console), sources_(sources), json_(json), quiet_(quiet) {}

  void row(const Json& row) {
    const std::string outcome = text_field(row, "outcome");
    for (size_t i = 0; i < outcomes.size(); ++i)
      if (outcome == outcomes.at(i)) ++counts_.at(i);
    if (quiet_ && outcome != "refused") return;
    console_.end_progress();
    json_ ? json_row(row) : text_row(row, outcome);
  }

  /// "370512 of ~1000000, 1802/s": how many there will be is known by the octets alone, since a file may hold a list.
  [[nodiscard]] std::string progress(uint64_t octets) {
    uint64_t done = 0;
    for (const uint64_t count : counts_) done += count;
    pace_.note(done, Pace::Clock::now());
    const auto part = static_cast<double>(octets) / static_cast<double>(std::max<uint64_t>(1, sources_.octets()));
    std::string text = fmt::format("{}", done);
    if (octets > 0) text += octets < sources_.octets() ? fmt::format(" of ~{:.0f}", static_cast<double>(done) / part) : fmt::format(" of {}", done);
    if (const auto rate = pace_.a_second()) text += fmt::format(", {:.0f}/s", *rate);
    return text;
  }

  [[nodiscard]] bool any_refused() const { return counts_.back() > 0; }

  void end(bool dry_run) {
    if (json_) {
      Json counts = Json::object();
      for (size_t i = 0; i < outcomes.size(); ++i) counts[std::string(outcomes.at(i))] = counts_.at(i);
      counts["files"] = sources_.size();
      return line({{"counts", counts}, {"dry_run", dry_run}});
    }
    std::string text;
    for (size_t i = 0; i < outcomes.size(); ++i)
      text += fmt::format("{}{} {}", i == 0 ? "" : ", ", counts_.at(i), outcomes.at(i));
    text += fmt::format("; {} file{}", sources_.size(), sources_.size() == 1 ? "" : "s");
    if (dry_run) text += "; a dry run: nothing was changed";
    console_.line(text);
    if (any_refused()) console_.note("some were refused, each with its reason above: exit status 1");
  }

 private:
  void line(const Json& json) { console_.line(json.dump(-1, ' ', false, Json::error_handler_t::replace)); }

  [[nodiscard]] std::string file_of(const Json& row) const {
    const auto at = row.find("source");
    const bool known = at != row.end() && at->is_number_unsigned() && at->get<uint64_t>() < sources_.size();
    return known ? sources_.path(at->get<size_t>()) : "-";
  }

  void json_row(Json row) {
    row["file"] = file_of(row);
    row.erase("source");
    if (const auto first = row.find("first"); first != row.end()) {
      (*first)["file"] = file_of(*first);
      first->erase("source");
    }
    line(row);
  }

  void text_row(const Json& row, const std::string& outcome) {
    if (!std::exchange(has_header_, true))
      console_.line(fmt::format("{:<9}  {:<56}  {:<10}  {}", "OUTCOME", "AGENT", "VERSION", "MANIFEST"));
    const std::string pointer = text_field(row, "pointer");
    std::string text = file_of(row) + (pointer == "-" ? "" : " " + pointer);
    if (outcome == "refused") text += ": " + text_field(row, "rule");
    if (row.contains("first"))
      text += (outcome == "refused" ? ": " : ": the same as ") + place_of(object_field(row, "first"));
    const std::string agent = text_field(row, row.contains("agent") ? "agent" : "name");
    console_.line(fmt::format("{}  {:<56}  {:<10}  {}",
                              console_.toned(tone_of(outcome), fmt::format("{:<9}", printable(outcome))),
                              one_line(agent), one_line(text_field(row, "version")), one_line(text)));
    for (const Json& note : list_field(row, "notes"))
      if (note.is_string())
        console_.line(console_.toned(Tone::Dim, fmt::format("{:<9}  {}", "", one_line(note.get<std::string>()))));
  }

  [[nodiscard]] std::string place_of(const Json& place) const {
    const std::string element = number_field(place, "element");
    return file_of(place) + (element == "-" ? "" : ", element " + element + " of its list");
  }

  // A file's name may hold a newline.
  static std::string one_line(std::string text) {
    for (char& c : text)
      if (c == '\n') c = '?';
    return printable(text);
  }

  Console& console_;
  const ImportSources& sources_;
  bool json_;
  bool quiet_;
  bool has_header_ = false;
  std::array<uint64_t, outcomes.size()> counts_{};
  Pace pace_;
};

Result<void> import(Console& console, const Remote& remote, const ImportRequest& request) {
  ImportSources sources;
  for (const std::string& path : request.paths)
    if (auto added = sources.add(path); !added) return added;
  const auto socket = socket_of(remote);
  if (!socket) return tl::unexpected(socket.error());
  ControlConnection connection(socket->string(), std::chrono::seconds(remote.timeout));
  if (auto opened = connection.open(); !opened) return opened;
  ImportReport report(console, sources, remote.json, request.quiet);
  ImportSession session(
      connection, sources, request.terms,
      [&](const Json& row) { report.row(row); },
      [&](uint64_t octets) { console.progress(octets, sources.octets(), "importing", report.progress(octets)); });
  const auto done = session.run();
  console.end_progress();
  report.end(request.terms.dry_run);
  if (report.any_refused()) console.exit_code = exit_failed;
  return done;
}

}  // namespace

void add_import(CLI::App& app, Console& console) {
  CLI::App* command = app.add_subcommand("import",
                                         "Take manifests that others wrote into the registry's custody: STEWARD, A2A "
                                         "cards, MCP servers and lists of them");
  command->footer(
      "Examples:\n  steward-registry import manifests\n  steward-registry import --dry-run manifests "
      "registry-list.json\n"
      "  steward-registry import --namespace team.acme-corp.com --json agents");
  auto remote = add_remote_options(*command, JsonOption::Left);
  auto request = std::make_shared<ImportRequest>();
  command->add_option("PATH", request->paths, "Files, or folders whose *.json are read, however deep")->required();
  command
      ->add_option("--namespace", request->terms.space,
                   "Namespace below the apex for all of them; default as the manifests say, else the registry's own")
      ->type_name("NAME");
  command->add_flag("--dry-run", request->terms.dry_run, "Say what would become of them, and change nothing");
  command->add_flag("--quiet", request->quiet, "Print rows of what is refused alone");
  command->add_flag("--json", remote->json, "Print a line of JSON for each, and one of counts");
  command->callback([&console, remote, request] {
    if (const auto done = import(console, *remote, *request); !done) console.failed(done.error());
  });
}

}  // namespace steward::cli
