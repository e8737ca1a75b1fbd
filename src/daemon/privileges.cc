#include "daemon/privileges.hh"

#include <cap-ng.h>
#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>

namespace steward::daemon {
namespace {

std::optional<unsigned> id_number(std::string_view text) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

auto unkept(std::string_view step) {
  return fail(Errc::Refused, "privileges: " + std::string(step) + " had no effect");
}

bool is(uid_t uid) {
  uid_t real = 0;
  uid_t effective = 0;
  uid_t saved = 0;
  return getresuid(&real, &effective, &saved) == 0 && real == uid && effective == uid && saved == uid;
}
bool is_group(gid_t gid) {
  gid_t real = 0;
  gid_t effective = 0;
  gid_t saved = 0;
  return getresgid(&real, &effective, &saved) == 0 && real == gid && effective == gid && saved == gid;
}

}  // namespace

bool is_root() { return geteuid() == 0; }

Result<Account> find_account(std::string_view text) {
  const auto bad = [&](std::string_view rule) {
    return fail(Errc::Invalid, "user '" + std::string(text) + "': " + std::string(rule));
  };
  const auto colon = text.find(':');
  const std::string user(text.substr(0, colon));
  const auto uid = id_number(user);
  const passwd* entry = uid ? getpwuid(*uid) : getpwnam(user.c_str());
  if (entry == nullptr) return bad("no such user on this machine");
  Account account{entry->pw_name, entry->pw_uid, entry->pw_gid};
  if (colon != std::string_view::npos) {
    const std::string name(text.substr(colon + 1));
    const auto gid = id_number(name);
    const group* members = gid ? getgrgid(*gid) : getgrnam(name.c_str());
    if (members == nullptr) return bad("no such group on this machine");
    account.gid = members->gr_gid;
  }
  if (account.uid == 0 || account.gid == 0) return bad("root is what is to be given up; name another user and group");
  return account;
}

Result<void> become(const Account& account) {
  if (!is_root()) return fail(Errc::Refused, "user '" + account.user + "': only root can become another user");
  // initgroups first, and by ourselves: capng_change_id() takes the supplementary groups of the user it is given by
  // number, which is another one's where two names share a number.
  if (initgroups(account.user.c_str(), account.gid) != 0)
    return fail(Errc::Io, "user '" + account.user + "': initgroups: " + std::strerror(errno));
  capng_clear(CAPNG_SELECT_BOTH);
  capng_update(CAPNG_ADD, static_cast<capng_type_t>(CAPNG_EFFECTIVE | CAPNG_PERMITTED), CAP_NET_BIND_SERVICE);
  if (const int error = capng_change_id(static_cast<int>(account.uid), static_cast<int>(account.gid), CAPNG_CLEAR_BOUNDING);
      error != 0)
    return fail(Errc::Refused,
                "user '" + account.user + "': changing to it failed (capng_change_id " + std::to_string(error) + ")");
  if (!is(account.uid) || !is_group(account.gid)) return unkept("changing the user and group");
  if (setuid(0) == 0 || setgid(0) == 0) return unkept("giving up root");
  return {};
}

Result<void> drop_capabilities() {
  if (capng_get_caps_process() != 0) return fail(Errc::Io, "privileges: reading the process's capabilities failed");
  if (capng_have_capabilities(CAPNG_SELECT_CAPS) == CAPNG_NONE) return {};
  capng_clear(CAPNG_SELECT_CAPS);
  // The bounding set can be emptied with CAP_SETPCAP only; PR_SET_NO_NEW_PRIVS closes that way as well.
  if (capng_apply(CAPNG_SELECT_CAPS) != 0) return fail(Errc::Refused, "privileges: giving up the capabilities failed");
  if (capng_get_caps_process() != 0 || capng_have_capabilities(CAPNG_SELECT_CAPS) != CAPNG_NONE)
    return unkept("giving up the capabilities");
  return {};
}

Result<void> harden(bool core_dumps) {
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
    return unkept("PR_SET_NO_NEW_PRIVS");
  const int dumpable = core_dumps ? 1 : 0;
  if (prctl(PR_SET_DUMPABLE, dumpable, 0, 0, 0) != 0 || prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != dumpable)
    return unkept("PR_SET_DUMPABLE");
  return {};
}

}  // namespace steward::daemon
