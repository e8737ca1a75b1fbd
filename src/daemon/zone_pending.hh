#pragma once
// A change of one zone on its way through the group commit. Private to ZoneKeeper.

#include "change/recorder.hh"
#include "daemon/zone_keeper.hh"

namespace steward::daemon {

constexpr size_t recorded_nodes = 100'000;  ///< a change of more names is no difference for the journal

/// What a zone is to hold: an image, or without one what is stored.
struct ZoneKeeper::Content {
  std::shared_ptr<zone::ZoneImage> image;
  std::vector<store::FileStamp> stamps;
  bool exact_serial = false;
};

struct ZoneKeeper::Pending {
  Content content;
  Edits edits;
  SigningSetup setup;
  const sign::ZoneSigner* signer = nullptr;
  bool renew = false;
  bool is_new = false;
  uint32_t file_serial = 0;
  LoadOutcome outcome;
  store::ZoneRecord record;  ///< as it is after the commit
  Committed done;
};

}  // namespace steward::daemon
