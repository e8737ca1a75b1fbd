#pragma once
// What the commands of a publisher share: options, and how a result is shown.

#include <functional>
#include <memory>
#include <string>

#include "cli/client_commands.hh"
#include "steward/publish.hh"

namespace steward::cli {

/// What every command that changes an agent takes, beside ClientOptions.
struct PublisherWish {
  std::shared_ptr<ClientOptions> common;
  std::string key;
  std::string folder = client::KeyFolder::default_path();
  bool dry_run = false;
  bool print = false;
};

/// --keys
void add_key_folder(CLI::App& command, std::string& folder);
/// Those of add_client_options(), --key, --keys, --dry-run and --print.
void add_publisher_options(CLI::App& command, PublisherWish& wish);

/// Opens a publisher as the options say, lets `change` use it, and shows what came of it.
void run_publisher(Console& console, const PublisherWish& wish,
                   const std::function<client::Outcome<client::Published>(client::Publisher&)>& change);

}  // namespace steward::cli
