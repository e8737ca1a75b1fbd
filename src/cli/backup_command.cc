#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/App.hpp>

#include <cerrno>
#include <cstring>

#include "base/clock.hh"
#include "cli/commands.hh"
#include "cli/remote.hh"
#include "cli/local_store.hh"
#include "base/new_file.hh"
#include "daemon/control_protocol.hh"
#include "daemon/store_reply.hh"
#include "dns/encoding.hh"
#include "store/restore.hh"

namespace steward::cli {
namespace {

namespace control = daemon::control;

/// Where the octets of a backup go, and whether all of them came.
class BackupOutput {
 public:
  BackupOutput(Console& console, const std::string& file) : console_(console), to_stdout_(file == "-"), file_(file) {}

  Result<void> open() { return to_stdout_ ? Result<void>{} : file_.open(); }
  Result<void> write(ByteView octets) {
    if (!to_stdout_) return file_.write(octets);
    const std::string_view text = as_text(octets);
    console_.out().write(text.data(), static_cast<std::streamsize>(text.size()));
    return console_.out().good() ? Result<void>{} : fail(Errc::Io, "standard output: cannot be written");
  }
  Result<void> commit() { return to_stdout_ ? Result<void>{} : file_.commit(); }

 private:
  Console& console_;
  bool to_stdout_;
  NewFile file_;
};

struct BackupRun {
  Result<void> written;  // the first failure to write
  Json counts;           // the last line: all octets came
};

void take_line(const Json& reply, BackupOutput& out, BackupRun& run) {
  const auto text = reply.find("octets");
  if (text == reply.end() || !text->is_string()) {
    run.counts = reply;
    return;
  }
  if (!run.written) return;
  const auto octets = dns::decode(dns::base64, text->get_ref<const std::string&>());
  run.written = octets ? out.write(*octets) : tl::unexpected<Error>(octets.error());
}

void back_up(Console& console, const Remote& remote, const std::string& data, const std::string& file) {
  BackupOutput out(console, file);
  if (auto opened = out.open(); !opened) {
    console.failed(opened.error());
    return;
  }
  BackupRun run;
  const auto offline = [&](const store::Reader& reader) -> Result<void> {
    const auto sink = [&](ByteView octets) { return out.write(octets); };
    const auto census = store::write_backup(reader, sink, progress_on(console, "backup"));
    if (!census) return tl::unexpected<Error>(census.error());
    run.counts = daemon::json_of(*census);
    return {};
  };
  ask_or_read(
      console, remote, data, {{"command", control::backup}}, [&](const Json& reply) { take_line(reply, out, run); }, {},
      offline);
  if (console.exit_code != exit_done) return;
  if (run.written && !run.counts.is_object())
    run.written = fail(Errc::Io, "the server ended before the backup was whole");
  if (run.written) run.written = out.commit();
  if (!run.written) {
    console.failed(run.written.error());
    return;
  }
  console.note(fmt::format("{} zones, {} names, {} NSEC3 names, {} records; keys and configuration are not in it",
                           number_field(run.counts, "zones"), number_field(run.counts, "names"),
                           number_field(run.counts, "hashes"), number_field(run.counts, "records")));
}

struct RestoreCommand {
  std::string file;
  std::string config;
  std::string data;
  bool replace = false;
};

Result<store::Restored> restore_from(Console& console, const RestoreCommand& command) {
  const auto data = data_folder(command.config, command.data);
  if (!data) return tl::unexpected<Error>(data.error());
  const bool from_stdin = command.file == "-";
  const std::string name = from_stdin ? "standard input" : command.file;
  const int fd = from_stdin ? ::dup(STDIN_FILENO) : ::open(command.file.c_str(), O_RDONLY | O_CLOEXEC);
  const auto io = [&] { return fail(Errc::Io, name + ": " + std::strerror(errno)); };
  if (fd < 0) return io();
  struct stat status {};
  const uint64_t size =
      ::fstat(fd, &status) == 0 && S_ISREG(status.st_mode) ? static_cast<uint64_t>(status.st_size) : 0;
  const auto source = [&](MutableByteView into) -> Result<size_t> {
    ssize_t got = 0;
    do got = ::read(fd, into.data(), into.size());
    while (got < 0 && errno == EINTR);
    if (got < 0) return io();
    return static_cast<size_t>(got);
  };
  auto restored = store::restore({*data, command.replace, SystemClock().now()}, source,
                                 progress_on(console, "restore", size), progress_on(console, "verify"));
  ::close(fd);
  console.end_progress();
  if (restored) return restored;
  const Errc code = restored.error().code;
  const bool of_the_file = code == Errc::Corrupt || code == Errc::Invalid ||
                           (code == Errc::Unsupported && restored.error().what.starts_with("a backup"));
  return of_the_file ? fail(name, Error{code, restored.error().what + "; nothing is changed"}) : restored;
}

void add_restore(CLI::App& app, Console& console) {
  CLI::App* restore = app.add_subcommand(
      "restore",
      "Put a backup in the place of the database while no server runs: wholly and checked, or nothing is changed");
  restore->footer(
      "Examples:\n  steward-registry restore registry.backup --config registry.yaml\n"
      "  steward-registry restore registry.backup --data /var/lib/steward-registry --replace\n"
      "  ssh elsewhere cat registry.backup | steward-registry restore -");
  auto command = std::make_shared<RestoreCommand>();
  restore->add_option("FILE", command->file, "What backup wrote; - for standard input")->required();
  restore
      ->add_option("--config", command->config,
                   config_help)
      ->type_name("FILE");
  restore->add_option("--data", command->data, "The data folder, instead of the configuration's")->type_name("DIR");
  restore->add_flag("--replace", command->replace,
                    "Where there is a database: keep it as store.before-restore-TIME beside the restored one");
  restore->callback([&console, command] {
    const auto restored = restore_from(console, *command);
    if (!restored) {
      console.failed(restored.error());
      return;
    }
    const store::Census& census = restored->census;
    console.line(fmt::format("{}: {} zones, {} names, {} NSEC3 names, {} records", printable(restored->store),
                             census.zones, census.names, census.hashes, census.records));
    if (!restored->kept.empty())
      console.line(fmt::format("the database before is kept: {}", printable(restored->kept)));
  });
}

}  // namespace

void add_backup(CLI::App& app, Console& console) {
  CLI::App* backup = app.add_subcommand(
      "backup", "Write the whole database to one file, while the server runs or without one; keys are not in it");
  backup->footer(
      "Examples:\n  steward-registry backup registry.backup\n"
      "  steward-registry backup - --config /etc/steward-registry/registry.yaml | zstd > registry.backup.zst");
  auto remote = add_remote_options(*backup, JsonOption::Left);
  auto data = add_data_option(*backup);
  auto file = std::make_shared<std::string>();
  backup
      ->add_option("FILE", *file, "File to write, mode 0600, replaced at once when all is there; - for standard output")
      ->required();
  backup->callback([&console, remote, data, file] { back_up(console, *remote, *data, *file); });
  add_restore(app, console);
}

}  // namespace steward::cli
