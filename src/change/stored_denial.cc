#include "change/stored_denial.hh"

#include "sign/denial.hh"

namespace steward::change {

StoredDenial stored_denial(zone::NodeView apex, bool has_chain) {
  StoredDenial stored;
  if (!apex) return stored;
  if (const auto params = apex.find(dns::RrType::NSEC3PARAM); params && has_chain) {
    const auto parsed = sign::nsec3param_from_rdata(zone::StoredRrReader(params->rrs).next().rdata);
    if (parsed) stored = {zone::Denial::Nsec3, parsed->iterations, parsed->salt};
  } else if (const auto nsec = apex.find(dns::RrType::NSEC); nsec && nsec->sig_count > 0) {
    stored.denial = zone::Denial::Nsec;
  }
  return stored;
}

}  // namespace steward::change
