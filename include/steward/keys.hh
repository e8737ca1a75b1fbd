#pragma once
// Keys that publish agents: files in BIND's format, one folder a user. Made here, used by Publisher and by nsupdate(1).
//
// A private key is not encrypted on disk: its file has mode 0600, and is never overwritten.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "steward/outcome.hh"

namespace steward::client {

enum class KeyAlgorithm : uint8_t { Ed25519, Rsa4096, EcdsaP256 };

/// "ed25519", "rsa4096", "ecdsap256".
Outcome<KeyAlgorithm> key_algorithm_from_text(std::string_view word);

/// A key on disk, without its secret.
struct KeyFile {
  std::string agent;        ///< fully qualified, no final dot; empty: a key for any agent
  std::string algorithm;    ///< "ED25519"
  std::string fingerprint;  ///< "sha256:…": what an operator allows
  std::string record;       ///< its KEY record in text, "… IN KEY 512 3 15 …"
  std::string private_file;
  std::string public_file;
  int64_t created = 0;  ///< seconds since 1970
};

class KeyFolder {
 public:
  /// Nothing is made or read yet.
  explicit KeyFolder(std::string path) : path_(std::move(path)) {}
  /// $XDG_CONFIG_HOME/steward/keys, else ~/.config/steward/keys; empty where there is no home.
  static std::string default_path();

  [[nodiscard]] const std::string& path() const { return path_; }

  /// Makes a key, and the folder with mode 0700 if it is not there. `agent`: fully qualified; empty for any agent.
  /// Refused where it has a key already, unless `rotate`; NotFound where `rotate` has none to take over from.
  Outcome<KeyFile> generate(std::string_view agent, KeyAlgorithm algorithm, bool rotate = false);
  /// The keys of an agent, or of any, by their age: the newest is the one to publish with, the others those before it.
  [[nodiscard]] Outcome<std::vector<KeyFile>> list(std::string_view agent) const;

 private:
  std::string path_;
};

/// A key by the path of its `.private` or `.key` file, or of both without what stands behind the last dot.
Outcome<KeyFile> read_key(const std::string& path);

}  // namespace steward::client
