#pragma once
// Giving up root. When started as root with a user configured:
//
//   become(account);                // from here on the user, with CAP_NET_BIND_SERVICE alone
//   harden(core_dumps);             // no new privileges, no look into the memory that will hold keys
//   … open the listening sockets …
//   drop_capabilities();            // from here on nothing
//
// All before any thread is started: capabilities and identities are a thread's own. Each step checks that it took
// effect.

#include <sys/types.h>

#include <string>
#include <string_view>

#include "base/result.hh"

namespace steward::daemon {

struct Account {
  std::string user;
  uid_t uid = 0;
  gid_t gid = 0;
};

/// "NAME" or "NAME:GROUP", by name or number, of this machine. Fails on names that it does not know, and on root.
Result<Account> find_account(std::string_view text);

[[nodiscard]] bool is_root();

/// The account's user, group and supplementary groups for good, with no capability but CAP_NET_BIND_SERVICE. As root.
Result<void> become(const Account& account);

/// Gives up all capabilities, in all sets. Nothing to do, and no error, for a process that has none.
Result<void> drop_capabilities();

/// No program that we start can gain privileges, and, unless `core_dumps`, neither a core file nor a debugger of the
/// same user shows our memory. After become(), which resets the latter.
Result<void> harden(bool core_dumps);

}  // namespace steward::daemon
