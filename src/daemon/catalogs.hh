#pragma once
// Catalogs: the catalog zones (RFC 9432) of the configuration, and the zones that are here because of them.
//
// A zone's membership is stored with the zone itself (store::ZoneRecord::origin), so that one commit brings or removes both, and a
// restart serves members before any catalog was read. What a catalog says is planned by catalog/membership.hh; here it is read from the
// store and written there. Keepers, secondaries and rights follow in server_catalogs.cc. Writer thread only, but for the free functions.

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "catalog/membership.hh"
#include "config/config.hh"
#include "store/store.hh"

namespace steward::daemon {

/// Of the zones in the store: those that a catalog which is consumed has brought, and that are not configured themselves.
[[nodiscard]] catalog::Memberships stored_memberships(const store::Store& store, const config::Config& config);

/// The configured zones, then the members, as their templates say. A member of a catalog that is not consumed is left out.
[[nodiscard]] std::vector<config::ZoneConfig> zones_with_members(const config::Config& config, const catalog::Memberships& members);

/// The zone file's text of a catalog that is produced (`catalog: produce`), of the zones that are configured with `catalog-member`.
/// Invalid where its name is too long for that.
[[nodiscard]] Result<std::string> produced_text(const config::Config& config, const config::ZoneConfig& catalog, uint32_t serial);

class Catalogs {
 public:
  explicit Catalogs(store::Store& store) : store_(store) {}

  /// After a start or a reload: who is a member is taken from the store, what catalogs say is to be read anew.
  void configure(std::shared_ptr<const config::Config> config);
  [[nodiscard]] const config::Config& config() const { return *config_; }
  [[nodiscard]] const catalog::Memberships& members() const { return members_; }
  [[nodiscard]] bool is_consumed(dns::NameView zone) const;
  /// Null where the zone is no member.
  [[nodiscard]] const catalog::Membership* find(const dns::Name& zone) const;

  struct Update {
    std::vector<catalog::Change> changes;  ///< done and on disk
    std::vector<std::string> warnings;     ///< that were not told before
    std::string broken;                    ///< why nothing of this catalog was taken; empty: it was
    bool is_new = false;                   ///< what `broken` says was not told before
    size_t listed = 0;
  };
  /// Reads the catalog as it is stored and carries out what it says: all of it in one commit, or nothing. Other catalogs are asked too, since
  /// what this one drops or hands over may be theirs. Nothing where the catalog is not loaded, or has expired (§5.1). No other
  /// transaction may be open.
  Result<Update> update(const dns::Name& catalog);

 private:
  Result<void> read(const dns::Name& catalog, store::WriteTransaction& write, Update& update);
  Result<void> write_changes(const std::vector<catalog::Change>& changes, store::WriteTransaction& write) const;
  [[nodiscard]] std::vector<const catalog::Catalog*> valid(const store::WriteTransaction& write) const;

  store::Store& store_;
  std::shared_ptr<const config::Config> config_;
  std::map<dns::Name, const config::ZoneConfig*, catalog::CanonicalLess> configured_;  // into config_
  catalog::Memberships members_;
  std::map<dns::Name, catalog::Catalog, catalog::CanonicalLess> read_;                 // the last valid version of each
  std::map<dns::Name, std::set<std::string>, catalog::CanonicalLess> told_;            // warnings of each
  std::map<dns::Name, std::string, catalog::CanonicalLess> broken_;
};

}  // namespace steward::daemon
