#pragma once
// Certificates for tests, made by the `openssl` command in a temporary folder when they are first asked for: an
// authority, and below it a server and clients. The folder goes when the program ends.

#include <doctest/doctest.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

namespace steward::testing {

inline std::string output_of(const std::string& command) {
  std::string out;
  FILE* pipe = popen((command + " 2>/dev/null").c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::array<char, 4096> buffer{};
  while (const size_t got = fread(buffer.data(), 1, buffer.size(), pipe)) out.append(buffer.data(), got);
  const int status = pclose(pipe);
  REQUIRE_MESSAGE(status == 0, command);
  while (!out.empty() && (out.back() == '\n' || out.back() == ' ')) out.pop_back();
  return out;
}

class Certificates {
 public:
  Certificates() {
    std::string pattern = (std::filesystem::temp_directory_path() / "steward-certificates-XXXXXX").string();
    REQUIRE(mkdtemp(pattern.data()) != nullptr);
    folder_ = pattern;
    make_authority("ca");
  }
  ~Certificates() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  Certificates(const Certificates&) = delete;
  Certificates& operator=(const Certificates&) = delete;

  [[nodiscard]] std::string path(const std::string& file) const { return folder_ + "/" + file; }

  void make_authority(const std::string& name) const {
    output_of("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=" + name +
              " -keyout " + path(name + ".key") + " -out " + path(name + ".pem"));
  }
  /// `<name>.pem` and `<name>.key`; `names` as subjectAltName has it: "DNS:ns1.example,IP:127.0.0.1".
  void make(const std::string& name, const std::string& names, const std::string& authority = "ca",
            const std::string& dates = "-days 30") const {
    output_of("openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=" + name + " -keyout " +
              path(name + ".key") + " -out " + path(name + ".csr"));
    FILE* extensions = fopen(path(name + ".ext").c_str(), "w");
    REQUIRE(extensions != nullptr);
    fprintf(extensions, "subjectAltName=%s\n", names.c_str());
    fclose(extensions);
    output_of("openssl x509 -req -in " + path(name + ".csr") + " -CA " + path(authority + ".pem") + " -CAkey " +
              path(authority + ".key") + " -CAcreateserial " + dates + " -extfile " + path(name + ".ext") + " -out " +
              path(name + ".pem"));
  }
  /// As an operator computes a pin (RFC 7858 Appendix A).
  [[nodiscard]] std::string pin(const std::string& name) const {
    return output_of(
        "openssl x509 -in " + path(name + ".pem") +
        " -pubkey -noout | openssl pkey -pubin -outform der | openssl dgst -sha256 -binary | openssl enc -base64");
  }

 private:
  std::string folder_;
};

/// One set for a whole program: ca, server (ns1.example, 127.0.0.1), client (ns2.example).
inline const Certificates& certificates() {
  static const Certificates& made = []() -> const Certificates& {
    static const Certificates fresh;
    fresh.make("server", "DNS:ns1.example,IP:127.0.0.1");
    fresh.make("client", "DNS:NS2.example,DNS:other.example");
    fresh.make_authority("rogue");
    fresh.make("stranger", "DNS:ns2.example", "rogue");
    return fresh;
  }();
  return made;
}

}  // namespace steward::testing
