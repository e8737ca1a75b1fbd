#pragma once
// Whether the NSEC or NSEC3 records of a zone form one closed chain that tells the truth. For verify_zone.cc only.

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "sign/denial.hh"
#include "zone/image.hh"

namespace steward::sign {

using Report = std::function<void(NameView owner, RrType type, std::string what)>;

/// What the chains need to know of a name with records. Names come in canonical order, glue left out.
struct ChainNode {
  NameView owner;
  std::span<const zone::RrsetInput> rrsets;
  bool cut = false;
};

/// RFC 4035 §2.3.
class NsecChain {
 public:
  NsecChain(NameView apex, const Report& report) : apex_(apex), report_(report) {}
  void add(const ChainNode& node);
  void finish();

 private:
  void check_next(NameView owner);
  dns::Name apex_;
  const Report& report_;
  dns::Name last_owner_;
  dns::Name last_next_;
  bool has_last_ = false;
};

/// RFC 5155 §7.1.
class Nsec3Chain {
 public:
  Nsec3Chain(NameView apex, Nsec3Params params, const Report& report)
      : apex_(apex), params_(std::move(params)), report_(report) {}
  /// A name with records other than NSEC3.
  void add(const ChainNode& node);
  /// An owner of NSEC3 records.
  void add_nsec3(NameView owner, const zone::RrsetInput& rrset);
  void finish();

 private:
  struct Expected {
    Nsec3Hash hash;
    uint64_t types;    // a digest of the bitmap
    bool optional;     // an insecure delegation, or a name above such ones only: may be missing from an opt-out span
    uint32_t name_at;  // in names_
    uint8_t name_size;
  };
  struct Link {
    Nsec3Hash hash;
    Nsec3Hash next;
    uint64_t types;
    bool opt_out;
  };
  void expect(NameView owner, std::span<const RrType> types, bool optional);
  void add_empty_non_terminals(NameView owner, bool optional);
  void check_circle();
  void check_names();
  [[nodiscard]] NameView name_of(const Expected& expected) const {
    return {names_.data() + expected.name_at, expected.name_size};
  }

  dns::Name apex_;
  Nsec3Params params_;
  const Report& report_;
  std::vector<Expected> expected_;
  std::vector<Link> links_;
  Bytes names_;
  std::vector<size_t> open_empty_;  // empty non-terminals above the present name, in expected_
  dns::Name previous_;
  bool has_previous_ = false;
};

}  // namespace steward::sign
