#include "catalog/membership.hh"

#include <fmt/format.h>

#include <algorithm>

namespace steward::catalog {
namespace {

Membership membership_of(const Catalog& catalog, const Member& member) {
  return {catalog.name, member.label, member.groups};
}

class Planner {
 public:
  Planner(const Catalog& updated, std::span<const Catalog* const> catalogs, const Memberships& memberships,
          const std::function<bool(const dns::Name&)>& is_configured)
      : updated_(updated), catalogs_(catalogs), memberships_(memberships), is_configured_(is_configured) {}

  Plan run() {
    size_t left = 0;
    size_t had = 0;
    for (const auto& [zone, membership] : memberships_) {
      if (!(membership.catalog == updated_.name)) continue;
      ++had;
      if (is_configured_(zone)) {
        add(Action::Release, zone, {});
        continue;
      }
      if (updated_.find(zone) != nullptr) continue;
      ++left;
      leave(zone);
    }
    if (had > 0 && left == had)
      plan_.warnings.push_back(
          fmt::format("catalog {} lists none of its {} members any more", updated_.name.to_text(), had));
    for (const Member& member : updated_.members) look_at(member);
    return std::move(plan_);
  }

 private:
  void add(Action action, const dns::Name& zone, Membership now) {
    plan_.changes.push_back({action, zone, std::move(now)});
  }

  // §5.3: the catalog that brought it takes it away.
  void leave(const dns::Name& zone) {
    // §5.5: another catalog may list it already and have been refused until now. Its time has come; nothing that was
    // kept is its own.
    for (const Catalog* other : catalogs_) {
      const Member* member = other->name == updated_.name ? nullptr : other->find(zone);
      if (member != nullptr) return add(Action::Reset, zone, membership_of(*other, *member));
    }
    add(Action::Remove, zone, {});
  }

  void look_at(const Member& member) {
    // §5.2: what is configured, or is the catalog itself, is not for a catalog to bring.
    if (member.zone == updated_.name || is_configured_(member.zone)) return clash(member, "is configured here");
    const auto at = memberships_.find(member.zone);
    Membership now = membership_of(updated_, member);
    if (at == memberships_.end()) return add(Action::Add, member.zone, std::move(now));
    const Membership& before = at->second;
    if (before.catalog == updated_.name) {
      // §5.4: another label says that it is another zone by the same name.
      if (before.label != now.label) return add(Action::Reset, member.zone, std::move(now));
      if (before.groups != now.groups) add(Action::Reconfigure, member.zone, std::move(now));
      return;
    }
    if (!is_handed_over(member.zone, before.catalog))
      return clash(member, fmt::format("belongs to catalog {}", before.catalog.to_text()));
    // §4.3.1: state goes over only with the label.
    const Action action = before.label == now.label ? Action::Move : Action::Reset;
    add(action, member.zone, std::move(now));
  }

  // §4.3.1: whether the old catalog says so, now.
  [[nodiscard]] bool is_handed_over(const dns::Name& zone, const dns::Name& from) const {
    const auto old =
        std::find_if(catalogs_.begin(), catalogs_.end(), [&](const Catalog* c) { return c->name == from; });
    if (old == catalogs_.end()) return false;
    const Member* member = (*old)->find(zone);
    return member != nullptr && member->coo && *member->coo == updated_.name;
  }

  void clash(const Member& member, std::string_view why) {
    plan_.warnings.push_back(fmt::format("catalog {}: member {} {} and is ignored (RFC 9432 section 5.2)",
                                         updated_.name.to_text(), member.zone.to_text(), why));
  }

  const Catalog& updated_;
  std::span<const Catalog* const> catalogs_;
  const Memberships& memberships_;
  const std::function<bool(const dns::Name&)>& is_configured_;
  Plan plan_;
};

}  // namespace

Plan plan_update(const Catalog& updated, std::span<const Catalog* const> catalogs, const Memberships& memberships,
                 const std::function<bool(const dns::Name&)>& is_configured) {
  return Planner(updated, catalogs, memberships, is_configured).run();
}

void apply_plan(const Plan& plan, Memberships& memberships) {
  for (const Change& change : plan.changes) {
    if (change.action == Action::Remove || change.action == Action::Release)
      memberships.erase(change.zone);
    else
      memberships[change.zone] = change.now;
  }
}

}  // namespace steward::catalog
