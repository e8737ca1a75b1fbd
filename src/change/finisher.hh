#pragma once
// From a draft to a node: flags, NSEC, signatures, layout. The part of a change that runs on all cores.
//
// A Task is filled by the writer, finished by any thread with its own Finisher, and its result taken by the writer again. Stored nodes
// that it refers to stay where they are meanwhile.

#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "change/draft.hh"
#include "sign/denial.hh"
#include "sign/zone_signer.hh"
#include "zone/snapshot.hh"

namespace steward::change {

/// How one zone is signed, or not.
struct Signing {
  const sign::ZoneSigner* signer = nullptr;   ///< null: not signed here, RRSIGs are what the file has
  zone::Denial denial = zone::Denial::None;   ///< what we make; None where signer is null
  bool opt_out = false;                       ///< NSEC3 (RFC 5155 §6)
  bool recheck = false;                       ///< keys or policy changed: look at every signature, not only at old ones
  bool renew = false;                         ///< every signature is made anew, however good
  bool was_signed = false;                    ///< the stored nodes hold what we made

  /// Which of the stored records are content.
  [[nodiscard]] Keep keep() const { return signer != nullptr || was_signed ? Keep::WithoutSigner : Keep::All; }
  /// Which of the file's are: a zone that comes signed keeps its own where we do not sign.
  [[nodiscard]] Keep keep_of_file() const { return signer != nullptr ? Keep::WithoutSigner : Keep::All; }
  /// Signing was turned on or off: nothing that is stored is as it would be made now.
  [[nodiscard]] bool is_turned() const { return (signer != nullptr) != was_signed; }
};

/// An RRset as it was when it was signed, before its node was finished.
struct SignedAhead {
  RrType type{};
  uint32_t ttl = 0;
  std::vector<Bytes> rdatas;
  sign::RrsigList rrsigs;   ///< empty: it was not signed after all
};

/// Whether a stored RRset has exactly these records and this TTL, so that its RRSIGs still cover it.
bool has_records(const zone::StoredRrset& stored, NameView owner, uint32_t ttl, std::span<const ByteView> rdatas);

struct Task {
  enum class Content : uint8_t {
    Drafted,  ///< `draft` says what the node is to hold
    Stored,   ///< what it holds already; only flags, NSEC and signatures may change
  };

  Bytes key;
  dns::Name owner;
  uint16_t flags = 0;
  Content content = Content::Drafted;
  zone::NodeView stored;        ///< none where the name is new
  NodeDraft draft;
  const std::vector<SignedAhead>* ahead = nullptr;  ///< signatures for the case that the draft has these very records; may be null
  uint64_t file_digest = 0;
  bool wants_nsec = false;
  dns::Name next;               ///< the next owner in the NSEC chain
  uint32_t nsec_ttl = 0;
  std::optional<uint32_t> serial;  ///< apex: the serial to put into the SOA

  // Result.
  bool changed = false;         ///< `node` replaces what is stored
  Bytes node;
  std::optional<Error> error;

  void reset(NameView name);
  /// The node as it is after this task.
  [[nodiscard]] zone::NodeView outcome() const { return changed ? zone::NodeView(node.data()) : stored; }
};

class Finisher {
 public:
  static Result<Finisher> create(uint32_t zone, const Signing& signing);
  ~Finisher();
  Finisher(Finisher&&) noexcept = default;
  Finisher& operator=(Finisher&&) = delete;

  /// What one thread takes at once: so many that their signatures are made together (sign::SignLater).
  static constexpr size_t run_length = 8;

  /// Never throws; an error is left in the task.
  void finish(std::span<const std::unique_ptr<Task>> tasks);
  void finish(Task& task);
  /// A finished node with another record in the place of one that the signer made: that RRset is signed anew, all else stays as it is
  /// to the octet, also signatures that would come out differently each time. Full.
  Result<Bytes> replace_made(zone::NodeView node, RrType type, ByteView rdata);
  /// RRSIGs made so far.
  [[nodiscard]] uint64_t signatures() const { return worker_ ? worker_->made() : 0; }

 private:
  Finisher(uint32_t zone, const Signing& signing) : zone_(zone), signing_(signing) {}
  /// A task whose signatures may still be owed.
  struct Begun {
    Task* task = nullptr;
    std::span<zone::RrsetInput> rrsets;
    size_t first = 0;  ///< of its RRsets, in rrsigs_
  };
  [[nodiscard]] bool is_unchanged(const Task& task) const;
  void add_nsec(Task& task);
  void begin(Task& task);
  void end();
  void build(const Begun& begun);
  Result<void> sign(const Begun& begun);
  void find_existing(const Task& task, const zone::RrsetInput& rrset);

  uint32_t zone_;
  Signing signing_;
  std::optional<sign::ZoneSigner::Worker> worker_;
  // Scratch, reused from node to node.
  std::vector<RrType> present_;
  std::vector<RrType> shown_;
  std::vector<Begun> begun_;
  std::deque<sign::RrsigList> rrsigs_;  // they stay where they are while signatures are owed
  size_t rrsigs_used_ = 0;
  std::vector<std::vector<ByteView>> rrsig_views_;
  std::vector<ByteView> existing_;
};

}  // namespace steward::change
