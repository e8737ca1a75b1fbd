#include <fmt/format.h>

#include <CLI/App.hpp>

#include <chrono>
#include <thread>

#include "cli/commands.hh"
#include "cli/remote.hh"
#include "crypto/key_pair.hh"
#include "crypto/secret_file.hh"
#include "daemon/control_protocol.hh"

namespace steward::cli {
namespace {

namespace control = daemon::control;

constexpr std::chrono::seconds between_questions{5};

struct Registration {
  std::string parent;
  std::string space;
  std::string pubkey;
  std::string token;
  std::string at;
  bool wait = false;
  bool leave = false;
};

Result<std::string> fingerprint_in(const std::string& file) {
  const auto text = crypto::read_small_file(file);
  if (!text) return tl::unexpected(text.error());
  const auto key = crypto::PublicKey::from_pem(*text);
  if (!key) return fail(file, key.error());
  return key->fingerprint();
}

void show_state(Console& console, const Json& reply, const Registration& wanted) {
  if (reply.contains("step")) return console.line(printable(text_field(reply, "step")));
  const std::string state = text_field(reply, "state");
  if (state == "delegated")
    return console.line(fmt::format("federation active: {} is a child of {}; its certificates are good until {}, and renewed in time", wanted.space, wanted.parent, time_field(reply, "until")));
  if (state == "hosted")
    return console.line(fmt::format("federation active: {} is a child of {}, which answers for it; its certificates are good until {}, and renewed in time", wanted.space, wanted.parent, time_field(reply, "until")));
  if (state == "left") return console.line(fmt::format("{}: a child of {} no more", wanted.space, wanted.parent));
  if (state == "reserved")
    return console.line("reserved: the parent delegates once all name servers answer and validate; run this again to see, or with --wait");
  console.line(printable(text_field(reply, "reason")));
  if (const Json& challenge = object_field(reply, "challenge"); !challenge.empty())
    console.line(fmt::format("to prove the domain, publish and run this again within 7 days:\n  {} TXT \"{}\"",
                             printable(text_field(challenge, "name")), printable(text_field(challenge, "text"))));
}

/// Asked again until it is delegated; what was said is not said again.
void register_registry(Console& console, const Remote& remote, const Registration& wanted) {
  const auto fingerprint = fingerprint_in(wanted.pubkey);
  const auto socket = socket_of(remote);
  if (!fingerprint || !socket) {
    console.failed(!fingerprint ? fingerprint.error() : socket.error());
    return;
  }
  Json request{{"command", control::register_at_parent}, {"parent", wanted.parent}, {"namespace", wanted.space}, {"fingerprint", *fingerprint}};
  if (!wanted.token.empty()) request["token"] = wanted.token;
  if (!wanted.at.empty()) request["at"] = wanted.at;
  if (wanted.leave) request["leave"] = true;
  std::string said;
  for (;;) {
    std::string state;
    const auto show = [&](const Json& reply) {
      const std::string line = reply.dump(-1, ' ', false, Json::error_handler_t::replace);
      if (said.find(line) == std::string::npos) show_state(console, reply, wanted);
      said += line + '\n';
    };
    const auto asked = ask_at(console, remote, *socket, request, show, [&](const Json& reply) {
      if (reply.contains("state")) state = text_field(reply, "state");
    });
    if (!asked) {
      console.failed(asked.error());
      return;
    }
    if (state == "delegated" || state == "hosted" || state == "left" || !wanted.wait) {
      if (state == "pending") console.exit_code = exit_failed;
      return;
    }
    // The name is ours, and the token is used up.
    if (state == "reserved") request.erase("token");
    std::this_thread::sleep_for(between_questions);
  }
}

}  // namespace

void add_register(CLI::App& app, Console& console) {
  CLI::App* command = app.add_subcommand("register", "Make the running registry a child of another");
  command->footer(
      "Examples:\n  steward-registry register --parent com.steward-registry.org --namespace acme-corp.com --pubkey keys/registry_id_rsa.pub\n"
      "  steward-registry register --parent com.steward-registry.org --namespace acme-corp.com --pubkey keys/registry_id_rsa.pub "
      "--token 0123… --wait");
  auto remote = add_remote_options(*command, JsonOption::Offered);
  auto wanted = std::make_shared<Registration>();
  command->add_option("--parent", wanted->parent, "Zone of the registry that is to be the parent")->type_name("ZONE")->required();
  command->add_option("--namespace", wanted->space, "The registry's own namespace below the apex")->type_name("NAME")->required();
  command->add_option("--pubkey", wanted->pubkey, "Public half of registry.identity")->type_name("FILE")->required();
  command->add_option("--token", wanted->token, "Invitation that the parent's operator made")->type_name("TOKEN");
  command->add_option("--at", wanted->at, "The parent's endpoint for DNS over TLS, instead of what its SRV record says")->type_name("ADDRESS@PORT");
  CLI::Option* wait = command->add_flag("--wait", wanted->wait, "Ask again until the parent delegates to the registry");
  command->add_flag("--leave", wanted->leave, "Be a child of that parent no more: delegation, KEY and certificates go")->excludes(wait);
  command->callback([&console, remote, wanted] { register_registry(console, *remote, *wanted); });
}

}  // namespace steward::cli
