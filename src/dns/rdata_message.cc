#include "dns/compressed_name.hh"
#include "dns/rdata_fields.hh"

namespace steward::dns {
namespace {

// The fields one by one, for types whose names may come compressed. All their other fields are sound on their own.
Result<void> expand_fields(const RdataLayout& layout, ByteView message, size_t at, size_t size, Bytes& out) {
  const ByteView rdata = message.subspan(at, size);
  size_t done = 0;
  for (const auto& [kind, label] : layout.fields) {
    if (kind == FieldKind::None) break;
    const auto in_field = [&, name = label](const Error& error) {
      return fail(to_text(layout.type) + " RDATA: " + name, error);
    };
    if (kind == FieldKind::Name) {
      size_t used = 0;
      const auto name = name_from_message(message, at + done, at + size, used);
      if (!name) return in_field(name.error());
      append(out, name->view().wire());
      done += used;
    } else {
      const auto used = measure_field(kind, rdata, done);
      if (!used) return in_field(used.error());
      append(out, rdata.subspan(done, *used));
      done += *used;
    }
  }
  if (done != size) return fail(Errc::Invalid, to_text(layout.type) + " RDATA: octets left over after the last field");
  return {};
}

}  // namespace

Result<void> rdata_from_message(RrType type, ByteView message, size_t at, size_t size, Bytes& out) {
  if (at > message.size() || message.size() - at < size)
    return fail(Errc::Invalid, to_text(type) + " RDATA: runs past the end of the message");
  const RdataLayout* layout = layout_of(type);
  if (layout == nullptr || (layout->names != NameRule::Compress && layout->names != NameRule::Decompress)) {
    const ByteView rdata = message.subspan(at, size);
    if (auto checked = check_rdata(type, rdata); !checked) return checked;
    append(out, rdata);
    return {};
  }
  const size_t before = out.size();
  auto expanded = expand_fields(*layout, message, at, size, out);
  if (expanded && out.size() - before > max_rdata_size)
    expanded = fail(Errc::Invalid, to_text(type) + " RDATA: is longer than 65535 octets when decompressed");
  if (!expanded) out.resize(before);
  return expanded;
}

}  // namespace steward::dns
