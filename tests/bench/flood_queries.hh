#pragma once
// Queries in wire form, made once from a list of `NAME TYPE` lines (the input of dnsperf), to be sent many times.

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace steward::bench {

struct QueryForm {
  bool dnssec_ok = true;        ///< EDNS DO bit (RFC 3225)
  bool edns = true;             ///< an OPT record at all (RFC 6891)
  uint16_t udp_payload = 1232;  ///< octets that the OPT record offers
  bool recursion = false;       ///< the RD bit
};

/// One after the other in one buffer, the id (first two octets) still zero.
class QueryList {
 public:
  QueryList(const std::string& path, const QueryForm& form) {
    std::ifstream file(path);
    if (!file) throw std::runtime_error("cannot read " + path);
    std::string name, type;
    while (file >> name >> type) add(name, type_number(type, path), form);
    if (starts_.empty()) throw std::runtime_error(path + " holds no queries");
    starts_.push_back(octets_.size());
  }

  size_t size() const { return starts_.size() - 1; }
  std::string_view at(size_t i) const {
    return std::string_view(octets_).substr(starts_[i], starts_[i + 1] - starts_[i]);
  }

 private:
  static uint16_t type_number(const std::string& type, const std::string& path) {
    static constexpr std::pair<std::string_view, uint16_t> kTypes[] = {
        {"A", 1},     {"NS", 2},   {"CNAME", 5}, {"SOA", 6},   {"PTR", 12},    {"MX", 15},   {"TXT", 16},
        {"AAAA", 28}, {"SRV", 33}, {"DS", 43},   {"NSEC", 47}, {"DNSKEY", 48}, {"SVCB", 64}, {"ANY", 255}};
    for (const auto& [name, number] : kTypes) {
      if (name == type) return number;
    }
    throw std::runtime_error(path + ": unknown type " + type);
  }

  void number(unsigned value) {
    octets_ += static_cast<char>(value >> 8);
    octets_ += static_cast<char>(value & 0xff);
  }

  void add(std::string_view name, uint16_t type, const QueryForm& form) {
    if (name.size() > 254) throw std::runtime_error("not a name: " + std::string(name));
    starts_.push_back(octets_.size());
    number(0);
    number(form.recursion ? 0x0100 : 0);
    number(1);
    number(0);
    number(0);
    number(form.edns ? 1 : 0);
    while (!name.empty() && name != ".") {
      const size_t dot = std::min(name.find('.'), name.size());
      if (dot == 0 || dot > 63) throw std::runtime_error("not a name: " + std::string(name));
      octets_ += static_cast<char>(dot);
      octets_ += name.substr(0, dot);
      name.remove_prefix(std::min(dot + 1, name.size()));
    }
    octets_ += '\0';
    number(type);
    number(1);
    if (!form.edns) return;
    octets_ += '\0';  // RFC 6891 §6.1.2: root, OPT, payload size, extended RCODE and version, flags, RDLENGTH
    number(41);
    number(form.udp_payload);
    number(0);
    number(form.dnssec_ok ? 0x8000 : 0);
    number(0);
  }

  std::string octets_;
  std::vector<size_t> starts_;
};

}  // namespace steward::bench
