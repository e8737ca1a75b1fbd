#include "dns/record_text.hh"

#include "dns/rdata.hh"
#include "dns/text_parts.hh"

namespace steward::dns {

void append_record_text(std::string& out, NameView owner, uint32_t ttl, RrType type, ByteView rdata) {
  append_name(out, owner);
  out += '\t';
  append_number(out, ttl);
  out += "\tIN\t";
  out += to_text(type);
  const size_t before = out.size();
  out += '\t';
  append_rdata_text(out, type, rdata);
  if (out.size() == before + 1) out.pop_back();  // an APL without items
  out += '\n';
}

}  // namespace steward::dns
