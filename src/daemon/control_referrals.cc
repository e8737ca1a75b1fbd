#include "daemon/control_referrals.hh"

namespace steward::daemon {
namespace {

constexpr size_t rows_a_line = 1000;
constexpr size_t rows_looked_at = 100'000;  // while one snapshot is held

/// Some rows behind `at`, which moves; false at the end.
Result<bool> pick_rows(const federation::Referrals& rows, const dns::Name& child, const PickRow& pick, Bytes& at, Json& out) {
  for (size_t looked = 0; looked < rows_looked_at && out.size() < rows_a_line; ++looked) {
    auto row = rows.next(child, at);
    if (!row) return tl::unexpected<Error>(row.error());
    if (!*row) return false;
    if (auto picked = pick(child, **row)) out.push_back(*std::move(picked));
    at = std::move((*row)->key);
  }
  return true;
}

}  // namespace

void tell_referrals(store::Reader& reader, const Reply& reply, const dns::Name& zone,
                    const std::vector<dns::Name>& children, const char* list, const PickRow& pick) {
  for (const dns::Name& child : children) {
    Bytes at;
    for (bool more = true; more;) {
      if (auto acquired = reader.acquire(); !acquired) return end(reply, acquired.error().what);
      Json out = Json::array();
      Result<bool> read = false;
      if (const store::ZoneRecord* home = reader.zone_record(zone)) {
        const auto table = reader.table(home->info, store::ZoneTable::Referrals);
        read = pick_rows(federation::Referrals(zone, *table), child, pick, at, out);
      }
      reader.release();
      if (!read) return end(reply, read.error().what);
      more = *read;
      if (!out.empty() && !send(reply, {{list, out}})) return;
    }
  }
  end(reply);
}

}  // namespace steward::daemon
