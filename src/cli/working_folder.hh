#pragma once
// The folder that `init` makes: a configuration, a signed zone with what every registry's zone holds, and places for
// keys and data.

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/address.hh"
#include "base/result.hh"
#include "dns/name.hh"

namespace CLI {
class App;
}

namespace steward::cli {

/// The words of the command line; all but the namespace may be empty.
struct FolderWords {
  std::string space;
  std::string parent;
  std::string apex;
  std::vector<std::string> listen;
  std::vector<std::string> addresses;
  std::vector<std::string> root;  ///< addresses of the root registry
  std::string trust_anchor;       ///< file
  std::string root_ca;            ///< file
  std::string push;               ///< "hosted", "delegated"
};

/// What a registry is called, and where it answers.
struct FolderPlan {
  dns::Name space;  ///< namespace; the root for the root registry
  dns::Name apex;
  dns::Name zone;
  std::optional<dns::Name> parent;  ///< nothing for the root registry
  std::string id;
  std::vector<SocketAddress> listen;
  std::vector<SocketAddress> addresses;  ///< of the name server, for its address records; the port does not matter
  std::vector<SocketAddress> tls;        ///< as `listen`, with the port for DNS over TLS
  std::vector<SocketAddress> root;
  std::filesystem::path trust_anchor;  ///< absolute; empty: none
  std::filesystem::path root_ca;       ///< likewise
  std::string push;                    ///< as registry.push; empty: none
};

/// Checks the words of the command line by records.md's rules; empty ones mean their defaults. Invalid or Refused, naming
/// the option and the rule.
[[nodiscard]] Result<FolderPlan> plan_folder(const FolderWords& words);
/// Their options but --namespace and --parent, which commands have in words of their own.
void add_folder_options(CLI::App& command, const std::shared_ptr<FolderWords>& words);

/// Makes `folder` with all that is in it, at once or not at all. Exists where it is there and not empty: nothing is
/// ever overwritten.
[[nodiscard]] Result<void> make_folder(const std::filesystem::path& folder, const FolderPlan& plan);

/// The texts of registry.yaml and of the zone file, for `plan`.
[[nodiscard]] std::string config_text(const FolderPlan& plan);
[[nodiscard]] std::string zone_text(const FolderPlan& plan);
/// "zones/acme-corp.com.steward-registry.org.zone".
[[nodiscard]] std::string zone_file_name(const FolderPlan& plan);

}  // namespace steward::cli
