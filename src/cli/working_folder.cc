#include "cli/working_folder.hh"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/App.hpp>
#include <CLI/Validators.hpp>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "config/namespace.hh"

namespace steward::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* default_listen = "127.0.0.1@5300";

tl::unexpected<Error> io(const fs::path& path, int error) {
  return fail(Errc::Io, fmt::format("{}: {}", path.string(), std::strerror(error)));
}

Result<std::vector<SocketAddress>> parse_addresses(std::string_view option, const std::vector<std::string>& texts) {
  std::vector<SocketAddress> out;
  for (const std::string& text : texts) {
    auto address = SocketAddress::from_text(text);
    if (!address) return fail(option, address.error());
    if (address->port() == 0)
      return fail(Errc::Invalid, fmt::format("{}: '{}': port 0; expected 1 to 65535", option, text));
    out.push_back(*address);
  }
  return out;
}

// 853 beside 53 (RFC 7858); beside others one that is free more often than not: 8530 beside 5300.
uint16_t tls_port_beside(uint16_t port) {
  constexpr uint16_t dns = 53;
  constexpr uint16_t dot = 853;
  constexpr uint16_t distance = 3230;
  if (port == dns) return dot;
  return port <= UINT16_MAX - distance ? static_cast<uint16_t>(port + distance) : static_cast<uint16_t>(port - distance);
}

Result<void> plan_names(FolderPlan& plan, const std::string& space, const std::string& parent,
                        const std::string& apex) {
  const auto apex_name = dns::Name::from_text(apex.empty() ? std::string(config::default_apex) : apex);
  if (!apex_name) return fail("--apex", apex_name.error());
  const auto plain = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '.'; };
  if (!std::all_of(apex.begin(), apex.end(), plain))
    return fail(Errc::Invalid, fmt::format("--apex: '{}': expected letters, digits, hyphens and dots", apex));
  auto space_name = config::parse_namespace(space);
  if (!space_name) return fail("--namespace", space_name.error());
  auto zone = config::zone_of_namespace(*space_name, *apex_name);
  if (!zone) return fail("--namespace", zone.error());
  plan.space = *space_name;
  plan.apex = apex_name->folded();
  plan.zone = *zone;
  plan.id = config::id_of_namespace(plan.space);
  if (plan.space.view().is_root()) {
    if (!parent.empty()) return fail(Errc::Invalid, "--parent: the root registry has no parent");
    return {};
  }
  if (parent.empty()) {
    plan.parent = plan.zone.view().parent();
    return {};
  }
  auto parent_name = dns::Name::from_text(parent);
  if (!parent_name) return fail("--parent", parent_name.error());
  plan.parent = parent_name->folded();
  if (!plan.zone.view().is_below(*plan.parent) || !plan.parent->view().is_at_or_below(plan.apex))
    return fail(Errc::Invalid, fmt::format("--parent: expected {} or a zone between it and {}, found {}",
                                           plan.apex.to_text(), plan.zone.to_text(), plan.parent->to_text()));
  return {};
}

/// Removes the folder that was begun, unless it has been given its name.
class PartFolder {
 public:
  explicit PartFolder(fs::path path) : path_(std::move(path)) {}
  ~PartFolder() {
    std::error_code ignored;
    if (!done_) fs::remove_all(path_, ignored);
  }
  PartFolder(const PartFolder&) = delete;
  PartFolder& operator=(const PartFolder&) = delete;
  void done() { done_ = true; }

 private:
  fs::path path_;
  bool done_ = false;
};

Result<void> sync_folder(const fs::path& folder) {
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return io(folder, errno);
  const int status = ::fsync(fd);
  const int error = errno;
  ::close(fd);
  // Some file systems cannot sync a folder; what they can is done.
  if (status != 0 && error != EINVAL) return io(folder, error);
  return {};
}

Result<void> write_file(const fs::path& path, std::string_view text, mode_t mode) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (fd < 0) return io(path, errno);
  int error = 0;
  while (!text.empty() && error == 0) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno != EINTR) error = errno;
    if (written > 0) text.remove_prefix(static_cast<size_t>(written));
  }
  if (error == 0 && ::fsync(fd) != 0) error = errno;
  if (::close(fd) != 0 && error == 0) error = errno;
  if (error != 0) return io(path, error);
  return {};
}

Result<void> make_directory(const fs::path& path, mode_t mode) {
  if (::mkdir(path.c_str(), mode) != 0) return io(path, errno);
  return {};
}

Result<void> fill_folder(const fs::path& folder, const FolderPlan& plan) {
  if (::chmod(folder.c_str(), 0755) != 0) return io(folder, errno);
  for (const auto& [name, mode] : {std::pair<const char*, mode_t>{"zones", 0755}, {"keys", 0700}, {"data", 0700}})
    if (auto made = make_directory(folder / name, mode); !made) return made;
  // 0640: an operator will put TSIG secrets into it.
  if (auto written = write_file(folder / "registry.yaml", config_text(plan), 0640); !written) return written;
  if (auto written = write_file(folder / zone_file_name(plan), zone_text(plan), 0644); !written) return written;
  if (auto synced = sync_folder(folder / "zones"); !synced) return synced;
  return sync_folder(folder);
}

std::string addresses_text(const FolderPlan& plan) {
  std::string out;
  for (const SocketAddress& address : plan.addresses) {
    std::string text = address.to_text();
    text.resize(text.find('@'));
    out += fmt::format("ns1                 300 {:<4} {}\n", address.family() == AF_INET6 ? "AAAA" : "A", text);
  }
  return out;
}

std::string listed(const std::vector<SocketAddress>& addresses) {
  std::string out;
  for (const SocketAddress& address : addresses) out += fmt::format("{}\"{}\"", out.empty() ? "" : ", ", address.to_text());
  return out;
}

// In YAML's double quotes, whatever the path holds.
std::string quoted(const fs::path& path) {
  std::string out = "\"";
  for (const char c : path.string()) out += (c == '"' || c == '\\') ? std::string{'\\', c} : std::string{c};
  return out + '"';
}

// What a federation is known by, where the public DNS does not know it.
std::string trust_text(const FolderPlan& plan) {
  std::string out;
  if (!plan.root.empty()) out += fmt::format("  root: [{}]\n  trust-anchor: {}\n", listed(plan.root), quoted(plan.trust_anchor));
  if (!plan.push.empty()) out += fmt::format("  push: {}\n", plan.push);
  if (!plan.root_ca.empty()) out += fmt::format("  root-ca: {}\n", quoted(plan.root_ca));
  return out;
}

}  // namespace

void add_folder_options(CLI::App& command, const std::shared_ptr<FolderWords>& words) {
  command.add_option("--apex", words->apex, "Name that all registries stand below; default steward-registry.org")
      ->type_name("NAME");
  command
      .add_option("--listen", words->listen,
                  "Address to answer at, and by TLS at port 853, or 3230 above another than 53; default 127.0.0.1@5300")
      ->type_name("ADDRESS@PORT")
      ->delimiter(',');
  command.add_option("--address", words->addresses, "Address of the name server in its records; default as --listen")
      ->type_name("ADDRESS")
      ->delimiter(',');
  command.add_option("--root", words->root, "Address of the root registry, for a federation that the public DNS does not know")
      ->type_name("ADDRESS@PORT")
      ->delimiter(',');
  command.add_option("--trust-anchor", words->trust_anchor, "File with the DS of the root registry, from which all else is validated")
      ->type_name("FILE");
  command.add_option("--root-ca", words->root_ca, "File with the root's authority, instead of what its zone says or beside it")
      ->type_name("FILE");
  command.add_option("--push", words->push, "The parent cannot reach us: it is sent our feed, and answers for us (hosted), or our zone names servers that it can reach (delegated)")
      ->check(CLI::IsMember({"hosted", "delegated"}));
}

Result<FolderPlan> plan_folder(const FolderWords& words) {
  FolderPlan plan;
  if (auto names = plan_names(plan, words.space, words.parent, words.apex); !names) return tl::unexpected(names.error());
  auto listening = parse_addresses("--listen", words.listen.empty() ? std::vector<std::string>{default_listen} : words.listen);
  if (!listening) return tl::unexpected(listening.error());
  plan.listen = *std::move(listening);
  for (SocketAddress address : plan.listen) {
    address.set_port(tls_port_beside(address.port()));
    plan.tls.push_back(address);
  }
  auto reached = parse_addresses("--address", words.addresses);
  if (!reached) return tl::unexpected(reached.error());
  plan.addresses = words.addresses.empty() ? plan.listen : *std::move(reached);
  if (!words.push.empty() && !plan.parent) return fail(Errc::Invalid, "--push: the root registry has no parent");
  plan.push = words.push;
  auto root = parse_addresses("--root", words.root);
  if (!root) return tl::unexpected(root.error());
  plan.root = *std::move(root);
  if (plan.root.empty() != words.trust_anchor.empty())
    return fail(Errc::Invalid, "--root and --trust-anchor: one without the other; expected both");
  for (const auto& [file, path, option] : {std::tuple(&words.trust_anchor, &plan.trust_anchor, "--trust-anchor"), {&words.root_ca, &plan.root_ca, "--root-ca"}}) {
    if (file->empty()) continue;
    std::error_code error;
    if (!fs::exists(*file, error)) return fail(Errc::NotFound, fmt::format("{}: {}: is not there", option, *file));
    *path = fs::absolute(*file).lexically_normal();
  }
  const bool wildcard =
      std::any_of(plan.addresses.begin(), plan.addresses.end(), [](const SocketAddress& a) { return a.is_wildcard(); });
  if (wildcard)
    return fail(Errc::Invalid,
                "--address: with a wildcard in --listen, give the address that others reach the name server at");
  return plan;
}

Result<void> make_folder(const fs::path& folder, const FolderPlan& plan) {
  fs::path target = fs::absolute(folder).lexically_normal();
  if (!target.has_filename()) target = target.parent_path();
  std::error_code error;
  if (fs::exists(target, error) && (!fs::is_directory(target, error) || !fs::is_empty(target, error)))
    return fail(Errc::Exists,
                fmt::format("{}: is there already and not an empty folder; nothing is overwritten", folder.string()));
  fs::create_directories(target.parent_path(), error);
  if (error) return io(target.parent_path(), error.value());
  std::string part = target.string() + ".part-XXXXXX";
  if (::mkdtemp(part.data()) == nullptr) return io(part, errno);
  PartFolder begun(part);
  if (auto filled = fill_folder(part, plan); !filled) return filled;
  // rename(2) replaces an empty folder and refuses one that is not, so this neither overwrites nor leaves half of it.
  if (::rename(part.c_str(), target.c_str()) != 0) return io(folder, errno);
  begun.done();
  return sync_folder(target.parent_path());
}

std::string zone_file_name(const FolderPlan& plan) {
  return fmt::format("zones/{}.zone", plan.zone.view().is_root() ? "root" : plan.zone.to_plain_text());
}

// Loopback has many addresses, and the system would send from another one than others know us by.
std::string outgoing_text(const FolderPlan& plan) {
  const bool is_own = plan.listen.size() == 1 && plan.listen.front().family() == AF_INET && plan.listen.front().is_loopback();
  if (!is_own) return "";
  const std::string text = plan.listen.front().to_text();
  const std::string address = text.substr(0, text.find('@'));
  return address == "127.0.0.1" ? "" : fmt::format("outgoing: [{}]\n", address);
}

std::string config_text(const FolderPlan& plan) {
  const std::string parent = plan.parent ? fmt::format("  parent: {}\n", plan.parent->to_plain_text()) : "";
  return fmt::format(
      R"(# Configuration of steward-registry; registry.yaml(5) has every key. Relative paths count from this file.
# `steward-registry check --config registry.yaml` checks it, SIGHUP or `steward-registry reload` applies it.
data: data
listen: [{listen}]      # UDP and TCP
tls: {{listen: [{tls}]}}  # with the certificate of registry.identity
{outgoing}control: data/control.sock

registry:
  namespace: {space}
{parent}  apex: {apex}
  id: {id}
  identity: keys/registry_id      # steward-registry keygen makes it; who joins a parent needs it
{trust}  # publishers: [{{fingerprint: "sha256:…", note: whose}}]   # or: steward-registry publisher allow FINGERPRINT
  # open: true                    # any key may publish a name that nobody has

zones:
  - name: {zone}
    file: {file}
    dnssec: true                  # keys are made in keys/ at the first start
    # dnssec: {{algorithm: ed25519, zsk-lifetime: 30d, nsec3: true}}

# rate-limit: 200                 # answers a second and client network over UDP; 0 is off
# user: steward-registry          # to become once the sockets are bound
# workers: 2                      # default: one a core
)",
      fmt::arg("listen", listed(plan.listen)), fmt::arg("tls", listed(plan.tls)), fmt::arg("trust", trust_text(plan)),
      fmt::arg("outgoing", outgoing_text(plan)),
      fmt::arg("space", plan.space.view().is_root() ? "." : plan.space.to_plain_text()), fmt::arg("parent", parent),
      fmt::arg("apex", plan.apex.to_plain_text()), fmt::arg("id", plan.id), fmt::arg("zone", plan.zone.to_plain_text()),
      fmt::arg("file", zone_file_name(plan)));
}

std::string zone_text(const FolderPlan& plan) {
  const std::string parent = plan.parent ? fmt::format(" \"parent={}\"", plan.parent->to_plain_text()) : "";
  return fmt::format(
      R"(; The zone of the registry {id}. A change is applied as soon as the file is saved; steward-records(7) has the form of agents.
$ORIGIN {zone}
$TTL 300
; At most 60 seconds of negative answers, so that a new agent is seen soon (RFC 2308, RFC 9077).
@                    60 SOA  ns1 hostmaster 1 3600 600 604800 60
@                   300 NS   ns1
{addresses}
_schema._agents     300 TXT  "v=steward1"
_registry._agents   300 TXT  "v=steward-registry1" "id={id}"{parent}
)",
      fmt::arg("zone", plan.zone.to_text()), fmt::arg("id", plan.id), fmt::arg("addresses", addresses_text(plan)),
      fmt::arg("parent", parent));
}

}  // namespace steward::cli
