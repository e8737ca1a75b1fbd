#pragma once
// The pages of one term, in the zone and in the table. Inside of change/find_pages.cc.
//
// Rows of the table, all under the term and a zero octet: the term's own, and one a page under the end of its range
// (exclusive; ff for the last), so that the page which an agent belongs to is the first behind its place. A page's
// beginning never changes while its id lives: a split gives the upper half to a new id, a join gives a range to the
// page before it. So a walk by `next` leaves no gap, whatever happens between its steps (tests/unit/change/
// find_walk_test.cc). Under the key 00 stands the counter that ids and serials are made from. Writer thread.

#include <string>
#include <vector>

#include "change/edit.hh"

namespace steward::change {

/// Room for the PTR records of a page in one UDP answer of 1,232 octets: beside header, question, OPT with a cookie
/// (RFC 7873), and signatures: two of ECDSA P-256 or Ed25519, or one of RSA-2048. Where there is one of the former, as
/// mostly, what is left is room for NS and its RRSIG, which some servers add.
size_t page_room(NameView page, NameView zone);

/// Whether all pages of the term have names of at most 255 octets.
bool has_room_for_term(std::string_view term, NameView zone);

/// Whether an agent with this place (found_place()) is on the page of the term that it belongs to. Corrupt.
Result<bool> has_place(zone::OctetTable& pages, std::string_view term, const Bytes& place);

/// Places on a page, views into its row of the table. Corrupt.
Result<std::vector<ByteView>> members_of_page(std::string_view term, ByteView octets);

class FindTerm {
 public:
  FindTerm(ZoneEdit& edit, zone::OctetTable& pages, const dns::Name& zone, std::string_view term);

  /// Place of an agent: list_place() of its trust and its name relative to the zone. It comes, goes or moves; empty: it
  /// is not there.
  Result<void> change(const Bytes& before, const Bytes& after);

 private:
  struct Page {
    Bytes end;   ///< of its range, the first place that is not its own
    Bytes from;  ///< its first place
    Bytes id;    ///< empty: the page at the term itself
    uint64_t serial = 0;
    std::vector<ByteView> members;  ///< places, ascending; most stand in `read`
    Bytes read;                     ///< the row as it was: moved with the page, and not copied

    Page() = default;
    Page(Page&&) = default;
    Page& operator=(Page&&) = default;

    [[nodiscard]] bool is_first() const { return id.empty(); }
    [[nodiscard]] bool is_last() const;
    [[nodiscard]] Bytes to_octets() const;
  };

  [[nodiscard]] Bytes row(ByteView rest) const;
  Result<std::optional<Page>> page_at_or_after(Bytes key);
  /// The page whose range holds the place; nothing where the term has none.
  Result<std::optional<Page>> page_of(const Bytes& place);
  Result<std::optional<Page>> page_before(const Page& page);
  Result<std::optional<Page>> page_behind(const Page& page);
  Result<void> put(const Page& page);
  Result<void> drop(const Page& page);

  [[nodiscard]] Result<dns::Name> name_of(const Page& page) const;
  [[nodiscard]] size_t room_of(const Page& page) const;

  Result<void> insert(const Bytes& place);
  Result<void> remove(const Bytes& place);
  /// `came_last`: what made it too large is its last member, and came just now.
  Result<void> split(Page page, bool came_last);
  Result<void> shrink(const Page& page);
  Result<void> join(const Page& page, const Page& next);
  /// Either may be null: there is none.
  Result<bool> join_if_small(const Page* page, const Page* next);

  Result<void> list(const Page& page, ByteView place, bool is_there);
  Result<void> describe(const Page& page);
  Result<void> count(bool is_first);
  Result<uint64_t> next_number();

  ZoneEdit& edit_;
  zone::OctetTable& pages_;
  const dns::Name& zone_;
  std::string term_;
  Result<dns::Name> name_;  // of the term
  uint32_t agents_ = 0;     // of the term
  uint32_t said_ = 0;       // the `n` that its first page has
};

}  // namespace steward::change
