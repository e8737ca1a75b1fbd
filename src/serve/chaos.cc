#include "serve/chaos.hh"

#include <string_view>

namespace steward::serve {
namespace {

using namespace std::string_view_literals;

dns::NameView name_of(std::string_view wire) { return {reinterpret_cast<const uint8_t*>(wire.data()), wire.size()}; }

const dns::NameView version_server = name_of("\7version\6server\0"sv);
const dns::NameView version_bind = name_of("\7version\4bind\0"sv);
const dns::NameView id_server = name_of("\2id\6server\0"sv);
const dns::NameView hostname_bind = name_of("\10hostname\4bind\0"sv);

}  // namespace

void answer_chaos(const Request& request, const Settings& settings, Response& response) {
  const std::string* text = nullptr;
  if (request.qname == version_server || request.qname == version_bind) text = &settings.version;
  if (request.qname == id_server || request.qname == hostname_bind) text = &settings.identity;
  const bool asked = request.qtype == dns::RrType::TXT || request.qtype == dns::RrType::ANY;
  if (text == nullptr || text->empty() || !asked) {
    response.set_rcode(dns::Rcode::REFUSED);
    return;
  }
  response.set_authoritative();
  if (!response.put_chaos_txt(*text)) response.set_truncated();
}

}  // namespace steward::serve
