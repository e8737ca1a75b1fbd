#pragma once
// Asking the pipeline without a socket: builds queries, parses and compares responses.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "memory_snapshot.hh"
#include "serve/pipeline.hh"
#include "serve/rate_limit.hh"
#include "zone_text.hh"

namespace steward::test {

struct Option {
  uint16_t code = 0;
  Bytes data;
  friend bool operator==(const Option&, const Option&) = default;
};

struct QueryEdns {
  uint16_t udp_size = 1232;
  bool dnssec_ok = false;
  uint8_t version = 0;
  std::vector<Option> options;
  bool compact_answers_ok = false;
};

/// `name` in presentation form; class IN, RD clear.
Bytes make_query(std::string_view name, dns::RrType type, const std::optional<QueryEdns>& edns = {},
                 dns::RrClass klass = dns::RrClass::IN);

struct Response {
  uint16_t id = 0;
  uint16_t flags = 0;
  size_t size = 0;
  uint16_t question_count = 0;
  dns::Name qname;  ///< as it was echoed
  std::vector<Record> answer;
  std::vector<Record> authority;
  std::vector<Record> additional;  ///< without OPT
  struct Opt {
    uint16_t udp_size = 0;
    uint8_t version = 0;
    uint16_t flags = 0;
    std::vector<Option> options;
    [[nodiscard]] const Option* find(uint16_t code) const;
  };
  std::optional<Opt> opt;
  dns::Rcode rcode{};  ///< twelve bits

  [[nodiscard]] bool authoritative() const { return (flags & 0x0400) != 0; }
  [[nodiscard]] bool truncated() const { return (flags & 0x0200) != 0; }
  /// The code of the extended error (RFC 8914), or nothing.
  [[nodiscard]] std::optional<uint16_t> extended_error() const;
};

/// Parses every octet of a response. Throws std::runtime_error with what is wrong with it.
Response parse_response(ByteView message);

/// A section or zone text as sorted lines `owner ttl type rdata`, in lower case owners; what sections are compared by.
std::vector<std::string> lines_of(const std::vector<Record>& records);
std::vector<std::string> lines_of(std::string_view zone_text, std::string_view origin = ".");

/// A section without its RRSIGs, as lines_of.
std::vector<std::string> lines_without_sigs(const std::vector<Record>& section);
/// Whether each RRset of the section has an RRSIG at its owner, but for the types in `except`, which have none.
bool is_signed(const std::vector<Record>& section, const std::vector<dns::RrType>& except = {});

/// A server of the zones of `snapshot` without sockets.
class Server {
 public:
  Server();
  /// The response to `query`; nothing where none is sent. The response was parsed to its last octet.
  std::optional<Response> ask(ByteView query, Transport transport = Transport::Udp);
  /// The same for a query that has to be answered.
  Response ask(std::string_view name, dns::RrType type, const std::optional<QueryEdns>& edns = {},
               Transport transport = Transport::Udp);
  Response ask_dnssec(std::string_view name, dns::RrType type) {
    return ask(name, type, QueryEdns{4096, true, 0, {}}, Transport::Tcp);
  }
  /// The octets of the last response.
  [[nodiscard]] ByteView octets() const { return ByteView(room_).first(size_); }

  MemorySnapshot snapshot;
  serve::Settings settings;
  serve::Context context;
  serve::Pipeline pipeline;
  SocketAddress client;
  SocketAddress local;

 private:
  Bytes room_;
  size_t size_ = 0;
};

}  // namespace steward::test
