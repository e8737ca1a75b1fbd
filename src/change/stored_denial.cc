#include "change/stored_denial.hh"

#include "sign/denial.hh"

namespace steward::change {
namespace {

// RFC 5155 §10.3: the most that any size of key allows. A proof costs a hash an ancestor of the name that is asked for
// (CVE-2023-50868), and validators take such a zone for unsigned anyway (RFC 9276 §3.2).
constexpr uint16_t most_iterations = 2500;

}  // namespace

StoredDenial stored_denial(zone::NodeView apex, bool has_chain) {
  StoredDenial stored;
  if (!apex) return stored;
  if (const auto params = apex.find(dns::RrType::NSEC3PARAM); params && has_chain) {
    const auto parsed = sign::nsec3param_from_rdata(zone::StoredRrReader(params->rrs).next().rdata);
    if (parsed && parsed->iterations <= most_iterations)
      stored = {zone::Denial::Nsec3, parsed->iterations, parsed->salt};
  } else if (const auto nsec = apex.find(dns::RrType::NSEC); nsec && nsec->sig_count > 0) {
    stored.denial = zone::Denial::Nsec;
  }
  return stored;
}

}  // namespace steward::change
