#include "federation/children.hh"

#include "agent/text_fields.hh"
#include "base/time_octets.hh"
#include "dns/encoding.hh"

namespace steward::federation {
namespace {

// Three kinds of rows, told apart by the first octet of the key:
//   1, zone                      a registered child
//   2, zone, fingerprint (32)    one that waits
//   3, digest (32)               an invitation: until (8), zone
constexpr uint8_t registered_row = 1;
constexpr uint8_t pending_row = 2;
constexpr uint8_t invitation_row = 3;
constexpr uint8_t child_format = 3;
constexpr uint8_t format_without_push = 2;
constexpr uint8_t format_without_feed = 1;

class Writer {
 public:
  void number(uint32_t value) { append_u32(out_, value); }
  void octet(uint8_t value) { append_u8(out_, value); }
  void time(UnixTime value) { append_time(out_, value); }
  void octets(ByteView value) {
    append_u16(out_, static_cast<uint16_t>(value.size()));
    append(out_, value);
  }
  void text(std::string_view value) { octets(as_bytes(value)); }
  void name(const dns::Name& value) { octets(value.view().wire()); }
  [[nodiscard]] const Bytes& out() const { return out_; }

 private:
  Bytes out_;
};

class Reader {
 public:
  explicit Reader(ByteView octets) : in_(octets) {}
  uint32_t number() { return in_.u32(); }
  uint8_t octet() { return in_.u8(); }
  UnixTime time() { return read_time(in_); }
  Bytes octets() {
    const ByteView view = in_.bytes(in_.u16());
    return {view.begin(), view.end()};
  }
  std::string text() {
    const Bytes octets = this->octets();
    return std::string(as_text(octets));
  }
  dns::Name name() {
    const Bytes octets = this->octets();
    const auto view = NameView::from_wire(octets);
    if (!view || view->size() != octets.size()) sound_ = false;
    return view ? dns::Name(*view) : dns::Name();
  }
  /// A count of things of which there are no more than `most`.
  size_t count(size_t most) {
    const size_t count = in_.u8();
    if (count > most) sound_ = false;
    return sound_ ? count : 0;
  }
  [[nodiscard]] bool is_done() const { return sound_ && in_.ok() && in_.left() == 0; }

 private:
  ByteReader in_;
  bool sound_ = true;
};

Bytes octets_of(const Child& child) {
  const Registration& asked = child.registration;
  Writer out;
  out.octet(child_format);
  out.octet(static_cast<uint8_t>(child.state));
  out.octet(static_cast<uint8_t>(child.way));
  out.octet(child.approved ? 1 : 0);
  for (const UnixTime time : {child.since, child.asked, child.nonce_since, child.certified_until, child.next_look})
    out.time(time);
  out.number(child.failures);
  for (const std::string& text : {child.fingerprint, child.nonce, child.problem, asked.space}) out.text(text);
  out.name(asked.zone);
  out.octets(asked.key);
  out.octet(static_cast<uint8_t>(asked.servers.size()));
  for (const dns::Name& server : asked.servers) out.name(server);
  out.octet(static_cast<uint8_t>(asked.addresses.size()));
  for (const NameServerAddress& address : asked.addresses) {
    out.name(address.server);
    out.octets(address.octets);
  }
  out.octet(static_cast<uint8_t>(asked.ds.size()));
  for (const Bytes& ds : asked.ds) out.octets(ds);
  out.text(asked.replica);
  out.octet(static_cast<uint8_t>(asked.feeds.size()));
  for (const SocketAddress& endpoint : asked.feeds) out.text(endpoint.to_text());
  out.octet(asked.pushes ? 1 : 0);
  return out.out();
}

Result<Child> child_from(ByteView octets) {
  Child child;
  Registration& asked = child.registration;
  Reader in(octets);
  const uint8_t format = in.octet();
  const uint8_t state = in.octet();
  const uint8_t way = in.octet();
  child.approved = in.octet() != 0;
  for (UnixTime* time : {&child.since, &child.asked, &child.nonce_since, &child.certified_until, &child.next_look})
    *time = in.time();
  child.failures = in.number();
  for (std::string* text : {&child.fingerprint, &child.nonce, &child.problem, &asked.space}) *text = in.text();
  asked.zone = in.name();
  asked.key = in.octets();
  for (size_t left = in.count(max_registered_servers); left > 0; --left) asked.servers.push_back(in.name());
  for (size_t left = in.count(max_registered_addresses); left > 0; --left) {
    dns::Name server = in.name();
    asked.addresses.push_back({std::move(server), in.octets()});
  }
  for (size_t left = in.count(max_registered_ds); left > 0; --left) asked.ds.push_back(in.octets());
  if (format != format_without_feed) asked.replica = in.text();
  for (size_t left = format == format_without_feed ? 0 : in.count(max_feed_endpoints); left > 0; --left)
    if (const auto endpoint = SocketAddress::from_text(in.text())) asked.feeds.push_back(*endpoint);
  if (format == child_format) asked.pushes = in.octet() != 0;
  if (!in.is_done() || format < format_without_feed || format > child_format || state > static_cast<uint8_t>(ChildState::Hosted) ||
      way > static_cast<uint8_t>(RegistrationWay::Approval))
    return fail(Errc::Corrupt, "children: an entry of no known format");
  child.state = static_cast<ChildState>(state);
  child.way = static_cast<RegistrationWay>(way);
  return child;
}

Bytes key_of(uint8_t kind, NameView zone) {
  Bytes key{kind};
  append(key, dns::Name(zone).folded().view().wire());
  return key;
}

/// The 32 octets of "sha256:…"; nothing where it is none.
std::optional<Bytes> digest_octets(std::string_view text) {
  if (!agent::is_sha256_text(text)) return std::nullopt;
  auto octets = dns::decode(dns::hex, text.substr(text.find(':') + 1));
  if (!octets) return std::nullopt;
  return *std::move(octets);
}

Result<Bytes> row_key(const Child& child) {
  const auto fingerprint = digest_octets(child.fingerprint);
  if (!fingerprint) return fail(Errc::Invalid, child.registration.zone.to_text() + ": no fingerprint");
  const bool is_pending = child.state == ChildState::Pending;
  Bytes key = key_of(is_pending ? pending_row : registered_row, child.registration.zone);
  if (is_pending) append(key, *fingerprint);
  return key;
}

Result<Bytes> row_key(const Invitation& invitation) {
  const auto digest = digest_octets(invitation.digest);
  if (!digest) return fail(Errc::Invalid, invitation.zone.to_text() + ": no digest of an invitation");
  Bytes key{invitation_row};
  append(key, *digest);
  return key;
}

Result<std::optional<Child>> found(zone::OctetTable& table, const Bytes& key) {
  const Bytes octets = table.find(key);
  if (octets.empty()) return std::optional<Child>();
  auto child = child_from(octets);
  if (!child) return tl::unexpected(child.error());
  return std::optional<Child>(*std::move(child));
}

}  // namespace

std::string_view to_text(ChildState state) {
  switch (state) {
    case ChildState::Pending: return "pending";
    case ChildState::Reserved: return "reserved";
    case ChildState::Delegated: return "delegated";
    case ChildState::Hosted: return "hosted";
  }
  return "";
}

std::string_view to_text(RegistrationWay way) {
  switch (way) {
    case RegistrationWay::None: return "none";
    case RegistrationWay::Again: return "again";
    case RegistrationWay::Invitation: return "invitation";
    case RegistrationWay::Proof: return "proof";
    case RegistrationWay::Approval: return "approval";
  }
  return "";
}

Result<std::optional<Child>> Children::find(NameView zone) const { return found(table_, key_of(registered_row, zone)); }

Result<std::optional<Child>> Children::find_pending(NameView zone, std::string_view fingerprint) const {
  const auto digest = digest_octets(fingerprint);
  if (!digest) return std::optional<Child>();
  Bytes key = key_of(pending_row, zone);
  append(key, *digest);
  return found(table_, key);
}

Result<std::vector<Child>> Children::all_of(uint8_t kind) const {
  std::vector<Child> all;
  for (Bytes key{kind}; table_.at_or_after(key) && key.front() == kind; key.push_back(0)) {
    auto child = child_from(table_.find(key));
    if (!child) return tl::unexpected(child.error());
    all.push_back(*std::move(child));
  }
  return all;
}

Result<std::vector<Child>> Children::registered() const { return all_of(registered_row); }
Result<std::vector<Child>> Children::pending() const { return all_of(pending_row); }

Result<void> Children::put(const Child& child) {
  const auto key = row_key(child);
  if (!key) return tl::unexpected(key.error());
  return table_.put(*key, octets_of(child));
}

Result<void> Children::remove(const Child& child) {
  const auto key = row_key(child);
  if (!key) return tl::unexpected(key.error());
  return table_.put(*key, {});
}

Result<std::vector<Invitation>> Children::invitations() const {
  std::vector<Invitation> all;
  for (Bytes key{invitation_row}; table_.at_or_after(key) && key.front() == invitation_row; key.push_back(0)) {
    const Bytes octets = table_.find(key);
    Reader in(octets);
    Invitation invitation;
    invitation.until = in.time();
    invitation.zone = in.name();
    invitation.digest = "sha256:" + dns::encode(dns::hex_lower, ByteView(key).subspan(1));
    if (!in.is_done()) return fail(Errc::Corrupt, "invitations: an entry of no known format");
    all.push_back(std::move(invitation));
  }
  return all;
}

Result<void> Children::put(const Invitation& invitation) {
  const auto key = row_key(invitation);
  if (!key) return tl::unexpected(key.error());
  Writer out;
  out.time(invitation.until);
  out.name(invitation.zone);
  return table_.put(*key, out.out());
}

Result<void> Children::remove(const Invitation& invitation) {
  const auto key = row_key(invitation);
  if (!key) return tl::unexpected(key.error());
  return table_.put(*key, {});
}

}  // namespace steward::federation
