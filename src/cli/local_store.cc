#include "cli/local_store.hh"

#include <fmt/format.h>

#include <CLI/App.hpp>

#include <filesystem>

#include "config/loader.hh"

namespace steward::cli {
namespace {

namespace fs = std::filesystem;

/// The store below a data folder, as it stands: nothing is made.
Result<std::unique_ptr<store::Store>> open_existing(const std::string& data) {
  const std::string folder = data + "/store";
  std::error_code error;
  if (!fs::exists(folder + "/data.mdb", error)) return fail(Errc::NotFound, folder + ": no database there");
  store::StoreOptions options;
  options.folder = folder;
  return store::Store::open(options);
}

Result<void> read_local(Console& console, const std::string& data,
                        const std::function<Result<void>(const store::Reader&)>& offline) {
  console.note(fmt::format("no server is asked: reading {}/store", data));
  const auto store = open_existing(data);
  if (!store) return tl::unexpected<Error>(store.error());
  const auto reader = (*store)->make_reader();
  if (!reader) return tl::unexpected<Error>(reader.error());
  if (auto acquired = (*reader)->acquire(); !acquired) return acquired;
  auto done = offline(**reader);
  (*reader)->release();
  console.end_progress();
  return done;
}

Result<void> ask_else_read(Console& console, const Remote& remote, const std::string& data, const Json& request,
                           const std::function<void(const Json&)>& show, const std::function<void(const Json&)>& judge,
                           const std::function<Result<void>(const store::Reader&)>& offline) {
  if (!data.empty()) return read_local(console, data, offline);
  const auto socket = socket_of(remote);
  if (!socket) return tl::unexpected<Error>(socket.error());
  auto answered = ask_at(console, remote, *socket, request, show, judge);
  if (answered || answered.error().code != Errc::NotFound || !remote.control.empty()) return answered;
  const auto folder = data_folder(remote.config, data);
  return folder ? read_local(console, *folder, offline) : tl::unexpected<Error>(folder.error());
}

}  // namespace

std::shared_ptr<std::string> add_data_option(CLI::App& command) {
  auto data = std::make_shared<std::string>();
  command.add_option("--data", *data, "Ask no server: open the database in this data folder, which none may have open")
      ->type_name("DIR")
      ->excludes("--control");
  return data;
}

Result<std::string> data_folder(const std::string& config, const std::string& data) {
  if (!data.empty()) return data;
  const auto file = find_config(config);
  if (!file) return tl::unexpected<Error>(file.error());
  const auto loaded = config::load_file(*file);
  if (!loaded) return tl::unexpected<Error>(loaded.error());
  return loaded->data.string();
}

void ask_or_read(Console& console, const Remote& remote, const std::string& data, const Json& request,
                 const std::function<void(const Json&)>& show, const std::function<void(const Json&)>& judge,
                 const std::function<Result<void>(const store::Reader&)>& offline) {
  if (const auto done = ask_else_read(console, remote, data, request, show, judge, offline); !done)
    console.failed(done.error());
}

store::Progress progress_on(Console& console, std::string_view what, uint64_t total) {
  return [&console, what = std::string(what), total](uint64_t done, uint64_t known) {
    console.progress(done, known != 0 ? known : total, what);
  };
}

}  // namespace steward::cli
