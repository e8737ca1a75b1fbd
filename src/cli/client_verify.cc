#include <fmt/format.h>

#include <CLI/App.hpp>

#include "base/clock.hh"
#include "base/file.hh"
#include "base/new_file.hh"
#include "cli/client_commands.hh"
#include "cli/client_show.hh"

namespace steward::cli {
namespace {

using client::Failure;
using client::Fault;

struct VerifyCommand {
  std::string agent;
  std::string bundle;
  std::string fingerprint;
  bool forget = false;
};

struct ProveCommand {
  std::string agent;
  std::string out;
  bool absent = false;
};

constexpr size_t max_bundle_file = size_t{1} << 20;

Result<Bytes> read_octets(const std::string& path) {
  auto file = FileReader::open(path);
  if (!file) return tl::unexpected(file.error());
  Bytes octets(max_bundle_file + 1);
  size_t size = 0;
  while (size < octets.size()) {
    const auto read = file->read(MutableByteView(octets).subspan(size));
    if (!read) return tl::unexpected(read.error());
    if (*read == 0) break;
    size += *read;
  }
  octets.resize(size);
  return octets;
}

Result<void> write_octets(const std::string& path, const Bytes& octets) {
  NewFile file(path);
  if (auto opened = file.open(); !opened) return opened;
  if (auto written = file.write(octets); !written) return written;
  return file.commit();
}

void conclude(Console& console, bool json, const client::Verification& verification) {
  if (json)
    show_json(console, to_json(verification));
  else
    show(console, verification);
  if (!verification.passed()) console.exit_code = exit_failed;
}

void verify_file(Console& console, const ClientOptions& options, const VerifyCommand& command,
                 const client::Settings& settings) {
  const auto anchor = client::read_trust_anchor(settings);
  if (!anchor) return static_cast<void>(failed(console, anchor.failure()));
  const auto octets = read_octets(command.bundle);
  if (!octets) return static_cast<void>(console.failed(octets.error()));
  client::VerifyOptions how{.apex = settings.apex, .fingerprint = command.fingerprint};
  const auto verification = client::verify_bundle(*octets, *anchor, seconds_of(SystemClock().now()), how);
  if (!command.agent.empty()) {
    const auto wanted = client::full_name(command.agent, settings);
    if (!wanted) return static_cast<void>(failed(console, wanted.failure()));
    if (verification.passed() && verification.name != *wanted)
      return static_cast<void>(failed(
          console,
          {Fault::Untrusted, fmt::format("{} is about {}, not about {}", command.bundle, verification.name, *wanted)}));
  }
  conclude(console, options.json, verification);
}

void verify(Console& console, const ClientOptions& options, const VerifyCommand& command) {
  auto settings = settings_of(options);
  if (!settings) return static_cast<void>(failed(console, settings.failure()));
  if (!command.bundle.empty()) return verify_file(console, options, command, *settings);
  auto client = client::Client::open(std::move(*settings));
  if (!client) return static_cast<void>(failed(console, client.failure()));
  const client::VerifyOptions how{
      .apex = client->settings().apex, .fingerprint = command.fingerprint, .remember = !command.forget};
  const auto verification = client->verify(command.agent, how);
  if (!verification) return static_cast<void>(failed(console, verification.failure()));
  conclude(console, options.json, *verification);
}

void prove(Console& console, const ClientOptions& options, const ProveCommand& command) {
  auto settings = settings_of(options);
  if (!settings) return static_cast<void>(failed(console, settings.failure()));
  auto client = client::Client::open(std::move(*settings));
  if (!client) return static_cast<void>(failed(console, client.failure()));
  const auto bundle =
      client->prove(command.agent, command.absent ? client::ProofOf::Absence : client::ProofOf::Presence);
  if (!bundle) return static_cast<void>(failed(console, bundle.failure()));
  if (const auto written = write_octets(command.out, *bundle); !written)
    return static_cast<void>(console.failed(written.error()));
  if (options.json)
    show_json(console, {{"file", command.out}, {"octets", bundle->size()}, {"absent", command.absent}});
  else
    console.line(fmt::format("{}: {} octets; check it with: steward verify --bundle {}", command.out, bundle->size(),
                             command.out));
}

void add_prove(CLI::App& app, Console& console) {
  CLI::App* command =
      app.add_subcommand("prove", "Write an agent's records with their proof, to be checked without a network");
  command->footer(
      "Examples:\n"
      "  steward prove vibe-agency-orchestrator.vibe-agency.com -o orchestrator.proof\n"
      "  steward prove nobody.vibe-agency.com --absent -o nobody.proof");
  auto what = std::make_shared<ProveCommand>();
  command->add_option("agent", what->agent, "Its name, as in resolve")->type_name("AGENT")->required();
  command->add_option("-o,--out", what->out, "The bundle that is written")->type_name("FILE")->required();
  command->add_flag("--absent", what->absent, "Prove that there is no such agent");
  command->callback([&console, options = add_client_options(*command), what] { prove(console, *options, *what); });
}

}  // namespace

void add_verify(CLI::App& app, Console& console) {
  CLI::App* command = app.add_subcommand("verify", "Check every proof of an agent, and say each");
  command->footer(
      "Examples:\n"
      "  steward verify vibe-agency-orchestrator.vibe-agency.com\n"
      "  steward verify --bundle orchestrator.proof --trust-anchor root.ds");
  auto what = std::make_shared<VerifyCommand>();
  CLI::Option* agent = command->add_option("agent", what->agent, "Its name, as in resolve")->type_name("AGENT");
  CLI::Option* bundle =
      command->add_option("--bundle", what->bundle, "Check what prove wrote; nothing is asked")->type_name("FILE");
  command->add_option("--fingerprint", what->fingerprint, "The key is this one, or follows from it by rotation")
      ->type_name("sha256:HEX")
      ->check([](const std::string& text) {
        const bool sound = text.size() == 71 && text.starts_with("sha256:") &&
                           text.find_first_not_of("0123456789abcdef", 7) == std::string::npos;
        return sound ? "" : "expected sha256: and 64 hex digits in lower case";
      });
  command->add_flag("--no-remember", what->forget, "Do not keep the key of an agent that was not seen before");
  command->callback([&console, options = add_client_options(*command), what, agent, bundle] {
    if (agent->count() + bundle->count() == 0) throw CLI::RequiredError("AGENT or --bundle");
    verify(console, *options, *what);
  });
  add_prove(app, console);
}

}  // namespace steward::cli
