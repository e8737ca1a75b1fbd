// Octets taken as registry.yaml: read or refused with a place, and what is read is the same when it is read again.

#include <string>

#include "base/bytes.hh"
#include "config/diff.hh"
#include "config/loader.hh"
#include "require.hh"

using namespace steward;
using fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text = as_text(ByteView(data, size));
  const config::Path file = "/etc/registry.yaml";
  const auto read = config::load_text(text, file);
  if (!read) {
    require(read.error().what.starts_with("/etc/registry.yaml"), "an error names the file");
    require(read.error().what.find_first_of("\x1b\x07\x08") == std::string::npos,
            "an error holds no control characters");
    return 0;
  }
  const auto again = config::load_text(text, file);
  require(again.has_value(), "what was good is good again");
  require(config::diff(*read, *again).empty(), "the same text is no change");
  require(!read->listen.empty() && read->udp_max_size >= 512, "defaults are filled in");
  require(!read->control.empty() && !read->data.empty(), "paths are filled in");
  for (const auto& zone : read->zones) {
    require(!zone.file.empty(), "a zone has a file");
    require(zone.dnssec.refresh + zone.dnssec.jitter < zone.dnssec.signature_lifetime,
            "signatures are renewed in time");
  }
  for (const auto& change : config::diff(*read, config::default_config("/etc")))
    require(!change.key.empty(), "a change names its key");
  return 0;
}
