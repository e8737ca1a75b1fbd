#pragma once
// The store: all zones on disk, LMDB's tree and the node log, and the index that makes them fast. src/store/FORMAT.md has the layout.
//
// One thread, the writer, calls begin_write() and build_index(). Every reader thread has a Reader of its own, which is the
// zone::Snapshot that answers are made from. Opening, closing and make_reader() happen while nobody else is at it.

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.hh"
#include "store/epochs.hh"
#include "store/zone_record.hh"
#include "zone/octet_table.hh"
#include "zone/difference.hh"
#include "zone/node_table.hh"
#include "zone/snapshot.hh"

namespace steward::store {

/// The version of the format on disk. Another one is refused at open: export with what wrote it, import with this.
constexpr uint32_t format_version = 1;

struct StoreOptions {
  std::string folder;
  uint64_t map_size = uint64_t{64} << 30;      ///< address space for LMDB's tree; its file grows as it needs
  uint64_t log_size = uint64_t{1} << 40;       ///< address space for the node log
};

struct StoreFigures {
  uint64_t tree_pages = 0;       ///< of 4 KiB, in use in LMDB's file
  uint64_t map_size = 0;
  uint64_t log_octets = 0;       ///< in segments that are in use
  uint64_t live_octets = 0;      ///< of nodes that the tree points at
  uint64_t index_names = 0;
  uint64_t index_octets = 0;
  uint64_t order_octets = 0;
  uint64_t dead_readers = 0;     ///< slots of readers that died, cleared at open
};

/// How much of a zone's history is kept.
struct JournalLimits {
  uint64_t octets = uint64_t{64} << 20;
  uint64_t differences = 100'000;
  Seconds age = std::chrono::hours(14 * 24);
};

/// Tables that a zone may have beside its nodes: what a registry keeps of its agents (agent/book.hh).
enum class ZoneTable : uint8_t {
  Agents = 'A',      ///< an agent's entry
  History = 'H',     ///< what was done with each agent, linked by hash
  Publishers = 'P',  ///< keys that may publish
  Ranks = 'R',       ///< order of the listings
  Pages = 'F',       ///< which agents of a term are on which page
  Registry = 'S',    ///< the registry's own few values: its replica id, which zone file it has learned
  Replays = 'N',     ///< requests between registries that were taken (federation/replays.hh)
  Referrals = 'D',   ///< agents of registries below, and how far their feeds were followed (federation/referral.hh)
};
constexpr ZoneTable zone_tables[] = {ZoneTable::Agents, ZoneTable::History, ZoneTable::Publishers, ZoneTable::Ranks, ZoneTable::Pages, ZoneTable::Registry, ZoneTable::Replays,
                                     ZoneTable::Referrals};

using zone::JournalExtent;
using zone::JournalPart;
using zone::JournalPlace;

class Reader;
class WriteTransaction;
class ZoneCopy;
struct Committed;

class Store {
 public:
  /// Io, Full, Corrupt; Unsupported for another format version; Refused where another process has it open for writing.
  static Result<std::unique_ptr<Store>> open(const StoreOptions& options);
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  [[nodiscard]] Result<std::unique_ptr<Reader>> make_reader();

  /// Drawn when the store was made, which a restore does too: tells this store from what it was restored from. Any thread.
  [[nodiscard]] uint64_t incarnation() const;

  // The writer thread.
  /// The zones as of the last commit.
  [[nodiscard]] std::vector<ZoneRecord> zones() const;
  /// The zone with this apex, in any case, as of the last commit.
  [[nodiscard]] std::optional<ZoneRecord> find_zone(dns::NameView apex) const;
  /// What put_state() stored; empty where nothing was.
  [[nodiscard]] Bytes state_of(uint32_t zone) const;
  [[nodiscard]] Result<std::unique_ptr<WriteTransaction>> begin_write();
  /// Fills the index from the tree, after which answers stop using the tree. Io, Corrupt.
  Result<void> build_index();
  /// Where the log ends: what warm() is given.
  [[nodiscard]] uint64_t log_end() const;
  /// Brings nodes into memory ahead of the queries for them. Any thread.
  void warm(uint64_t log_end) const;
  /// Moves what is left in mostly dead segments and drops them: one segment at most a call. True when it did something.
  Result<bool> compact();
  /// Reads all that is committed: every key has a zone, every node holds together, stands under its own key and is counted
  /// in its segment. Corrupt, with the first thing that is wrong. Takes as long as reading the whole store.
  Result<void> verify();
  [[nodiscard]] StoreFigures figures() const;

  struct State;

 private:
  explicit Store(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// One write: everything in it is committed together, or not at all when it is destroyed before commit().
class WriteTransaction {
 public:
  explicit WriteTransaction(Store::State& store);
  ~WriteTransaction();
  WriteTransaction(const WriteTransaction&) = delete;
  WriteTransaction& operator=(const WriteTransaction&) = delete;

  /// The zone with this apex.
  [[nodiscard]] const ZoneRecord* find_zone(dns::NameView apex) const;
  /// Enters a zone that was not there and gives it an id.
  [[nodiscard]] ZoneRecord& add_zone(dns::NameView apex);
  /// What will be stored for this zone; change it in place.
  [[nodiscard]] ZoneRecord& zone(uint32_t id);
  /// Removes a zone with all its nodes.
  Result<void> remove_zone(uint32_t id);

  [[nodiscard]] zone::NodeTable& nodes(uint32_t zone);
  [[nodiscard]] zone::NodeTable& nsec3(uint32_t zone);

  /// The difference that this transaction makes to a zone. One that does not follow on the last starts the journal anew; what is over the
  /// limits goes, oldest first. One that is over `limits.octets` by itself leaves the journal empty: who is behind takes the whole zone.
  Result<void> append_journal(uint32_t zone, const zone::Difference& difference, const JournalLimits& limits, UnixTime now);
  Result<void> clear_journal(uint32_t zone);
  [[nodiscard]] zone::OctetTable& attic(uint32_t zone);
  /// Valid until the transaction ends.
  [[nodiscard]] zone::OctetTable& table(uint32_t zone, ZoneTable kind);
  /// A value that the zone's keeper stores with the zone, octets of its own making (a secondary's timers); empty removes it.
  Result<void> put_state(uint32_t zone, ByteView octets);

  /// On disk when it returns, and readers see it. After a failure nothing of it is there.
  Result<void> commit();

  struct Implementation;

 private:
  std::unique_ptr<Implementation> impl_;
};

/// A reader thread's view. Use: `acquire()`, answer a batch, `release()`.
class Reader final : public zone::Snapshot {
 public:
  Reader(Store::State& store, Epochs::Slot& slot, Epochs::Slot& order_slot);
  ~Reader() override;
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  /// Takes the newest snapshot. Io where LMDB refuses (no reader slot).
  [[nodiscard]] Result<void> acquire();
  void release();

  [[nodiscard]] const zone::ZoneInfo* find_zone(dns::NameView name) const override;
  [[nodiscard]] zone::NodeView find(const zone::ZoneInfo& zone, dns::NameView name) const override;
  void begin(zone::Probe& probe, const zone::ZoneInfo& zone, dns::NameView name) const override;
  void fetch(zone::Probe& probe) const override;
  [[nodiscard]] zone::NodeView finish(const zone::Probe& probe) const override;
  [[nodiscard]] zone::NodeView nsec_at_or_before(const zone::ZoneInfo& zone, dns::NameView name) const override;
  void fetch_nsec(std::span<zone::NsecProbe> probes) const override;
  [[nodiscard]] zone::NodeView nsec_of_wildcard(const zone::ZoneInfo& zone, zone::NodeView encloser,
                                                dns::NameView wildcard) const override;
  [[nodiscard]] zone::NodeView nsec3_at_or_before(const zone::ZoneInfo& zone, const zone::Nsec3Hash& hash,
                                                  bool& exact) const override;

  // Walks for exports and transfers, between acquire() and release().
  /// The zone with exactly this apex.
  [[nodiscard]] const ZoneRecord* zone_record(dns::NameView apex) const;
  /// The node with the lowest key that is not below `key`, which then becomes that key.
  [[nodiscard]] zone::NodeView node_at_or_after(const zone::ZoneInfo& zone, Bytes& key) const;
  [[nodiscard]] zone::NodeView nsec3_at_or_after(const zone::ZoneInfo& zone, Bytes& hash) const;
  /// All nodes of a zone as of now, for a transfer that takes its time. Costs 8 octets a node and no transaction. Full where too many are
  /// held already.
  [[nodiscard]] Result<std::unique_ptr<ZoneCopy>> copy_zone(const zone::ZoneInfo& zone) const;

  // The journal (src/store/journal.cc), between acquire() and release().
  /// The part at `place`, which then is where the next one stands, of the next difference after the last part. Nothing where the
  /// journal does not hold it: it never did, or no longer, or that serial is the newest.
  [[nodiscard]] std::optional<JournalPart> read_journal(const zone::ZoneInfo& zone, JournalPlace& place) const;
  /// From `serial` to the newest; nothing where the journal does not reach back to it.
  [[nodiscard]] std::optional<JournalExtent> journal_extent(const zone::ZoneInfo& zone, uint32_t serial) const;
  /// Between acquire() and release(), and valid until then; it cannot be written to. A read that fails finds nothing.
  [[nodiscard]] std::unique_ptr<zone::OctetTable> table(const zone::ZoneInfo& zone, ZoneTable kind) const;
  /// All zones, in the order of their ids, also those that are not served.
  [[nodiscard]] std::vector<std::shared_ptr<const ZoneRecord>> zones() const;
  /// What walk.hh goes over.
  [[nodiscard]] Committed committed() const;

 private:
  friend class ZoneCopy;
  struct Implementation;
  std::unique_ptr<Implementation> impl_;
};

/// The nodes of one version of a zone, held until it goes. It may outlive the snapshot it was made from and be handed from thread to
/// thread; it must go before the Store.
class ZoneCopy {
 public:
  ~ZoneCopy();
  ZoneCopy(const ZoneCopy&) = delete;
  ZoneCopy& operator=(const ZoneCopy&) = delete;

  [[nodiscard]] const zone::ZoneInfo& info() const { return info_; }
  [[nodiscard]] uint32_t serial() const { return serial_; }
  /// In canonical order, the apex first; then the NSEC3 nodes by hash.
  [[nodiscard]] std::span<const zone::NodeView> nodes() const { return nodes_; }

 private:
  friend class Reader;
  explicit ZoneCopy(Epochs::Slot& slot) : slot_(slot) {}
  Epochs::Slot& slot_;
  zone::ZoneInfo info_;
  uint32_t serial_ = 0;
  std::vector<zone::NodeView> nodes_;
};

}  // namespace steward::store
