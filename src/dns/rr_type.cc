#include "dns/rr_type.hh"

#include <algorithm>
#include <array>
#include <charconv>

#include "dns/characters.hh"

namespace steward::dns {
namespace {

struct TypeName {
  uint16_t type;
  std::string_view text;
};

// IANA, "Resource Record (RR) TYPEs", ascending.
constexpr auto type_names = std::to_array<TypeName>({
    {1, "A"},        {2, "NS"},      {3, "MD"},          {4, "MF"},       {5, "CNAME"},      {6, "SOA"},
    {7, "MB"},       {8, "MG"},      {9, "MR"},          {10, "NULL"},    {11, "WKS"},       {12, "PTR"},
    {13, "HINFO"},   {14, "MINFO"},  {15, "MX"},         {16, "TXT"},     {17, "RP"},        {18, "AFSDB"},
    {19, "X25"},     {20, "ISDN"},   {21, "RT"},         {22, "NSAP"},    {23, "NSAP-PTR"},  {24, "SIG"},
    {25, "KEY"},     {26, "PX"},     {27, "GPOS"},       {28, "AAAA"},    {29, "LOC"},       {30, "NXT"},
    {31, "EID"},     {32, "NIMLOC"}, {33, "SRV"},        {34, "ATMA"},    {35, "NAPTR"},     {36, "KX"},
    {37, "CERT"},    {38, "A6"},     {39, "DNAME"},      {40, "SINK"},    {41, "OPT"},       {42, "APL"},
    {43, "DS"},      {44, "SSHFP"},  {45, "IPSECKEY"},   {46, "RRSIG"},   {47, "NSEC"},      {48, "DNSKEY"},
    {49, "DHCID"},   {50, "NSEC3"},  {51, "NSEC3PARAM"}, {52, "TLSA"},    {53, "SMIMEA"},    {55, "HIP"},
    {56, "NINFO"},   {57, "RKEY"},   {58, "TALINK"},     {59, "CDS"},     {60, "CDNSKEY"},   {61, "OPENPGPKEY"},
    {62, "CSYNC"},   {63, "ZONEMD"}, {64, "SVCB"},       {65, "HTTPS"},   {66, "DSYNC"},     {99, "SPF"},
    {100, "UINFO"},  {101, "UID"},   {102, "GID"},       {103, "UNSPEC"}, {104, "NID"},      {105, "L32"},
    {106, "L64"},    {107, "LP"},    {108, "EUI48"},     {109, "EUI64"},  {128, "NXNAME"},   {249, "TKEY"},
    {250, "TSIG"},   {251, "IXFR"},  {252, "AXFR"},      {253, "MAILB"},  {254, "MAILA"},    {255, "ANY"},
    {256, "URI"},    {257, "CAA"},   {258, "AVC"},       {259, "DOA"},    {260, "AMTRELAY"}, {261, "RESINFO"},
    {262, "WALLET"}, {32768, "TA"},  {32769, "DLV"},
});
static_assert(std::ranges::is_sorted(type_names, {}, &TypeName::type));


constexpr bool same_word(std::string_view a, std::string_view upper_case) {
  return std::ranges::equal(a, upper_case, {}, to_upper);
}

// A perfect hash would be smaller; this one is 2 KiB, and resolves collisions by the next slot.
constexpr size_t slots = 512;
constexpr size_t hash_of(std::string_view word) {
  uint32_t hash = 2166136261U;
  for (const char c : word) hash = (hash ^ static_cast<uint8_t>(to_upper(c))) * 16777619U;
  return (hash ^ hash >> 15) % slots;
}
constexpr auto type_slots = [] {
  std::array<uint8_t, slots> table{};  // index into type_names + 1
  for (size_t i = 0; i < type_names.size(); ++i) {
    size_t slot = hash_of(type_names[i].text);
    while (table[slot] != 0) slot = (slot + 1) % slots;
    table[slot] = static_cast<uint8_t>(i + 1);
  }
  return table;
}();

// The decimal number after "TYPE" or "CLASS" (RFC 3597 §5), 0 to 65535.
std::optional<uint16_t> number_after(std::string_view prefix, std::string_view word) {
  if (word.size() <= prefix.size() || !same_word(word.substr(0, prefix.size()), prefix)) return {};
  uint16_t number = 0;
  const char* end = word.data() + word.size();
  const auto [stop, error] = std::from_chars(word.data() + prefix.size(), end, number);
  if (error != std::errc{} || stop != end) return {};
  return number;
}

struct ClassName {
  RrClass klass;
  std::string_view text;
};
constexpr auto class_names = std::to_array<ClassName>(
    {{RrClass::IN, "IN"}, {RrClass::CH, "CH"}, {RrClass::HS, "HS"}, {RrClass::NONE, "NONE"}, {RrClass::ANY, "ANY"}});

}  // namespace

std::string to_text(RrType type) {
  const auto found = std::ranges::lower_bound(type_names, value(type), {}, &TypeName::type);
  if (found != type_names.end() && found->type == value(type)) return std::string(found->text);
  return "TYPE" + std::to_string(value(type));
}

std::string to_text(RrClass klass) {
  for (const auto& [known, text] : class_names)
    if (known == klass) return std::string(text);
  return "CLASS" + std::to_string(value(klass));
}

std::string to_text(Rcode rcode) {
  switch (rcode) {
    case Rcode::NOERROR: return "NOERROR";
    case Rcode::FORMERR: return "FORMERR";
    case Rcode::SERVFAIL: return "SERVFAIL";
    case Rcode::NXDOMAIN: return "NXDOMAIN";
    case Rcode::NOTIMP: return "NOTIMP";
    case Rcode::REFUSED: return "REFUSED";
    case Rcode::YXDOMAIN: return "YXDOMAIN";
    case Rcode::YXRRSET: return "YXRRSET";
    case Rcode::NXRRSET: return "NXRRSET";
    case Rcode::NOTAUTH: return "NOTAUTH";
    case Rcode::NOTZONE: return "NOTZONE";
    case Rcode::DSOTYPENI: return "DSOTYPENI";
    case Rcode::BADVERS: return "BADVERS";
    case Rcode::BADKEY: return "BADKEY";
    case Rcode::BADTIME: return "BADTIME";
    case Rcode::BADMODE: return "BADMODE";
    case Rcode::BADNAME: return "BADNAME";
    case Rcode::BADALG: return "BADALG";
    case Rcode::BADTRUNC: return "BADTRUNC";
    case Rcode::BADCOOKIE: return "BADCOOKIE";
  }
  return "RCODE" + std::to_string(static_cast<unsigned>(rcode));
}

std::string to_text(Opcode opcode) {
  switch (opcode) {
    case Opcode::QUERY: return "QUERY";
    case Opcode::IQUERY: return "IQUERY";
    case Opcode::STATUS: return "STATUS";
    case Opcode::NOTIFY: return "NOTIFY";
    case Opcode::UPDATE: return "UPDATE";
    case Opcode::DSO: return "DSO";
  }
  return "OPCODE" + std::to_string(static_cast<unsigned>(opcode));
}

std::optional<RrType> rr_type_from_text(std::string_view word) {
  for (size_t slot = hash_of(word); type_slots[slot] != 0; slot = (slot + 1) % slots) {
    const TypeName& known = type_names[type_slots[slot] - size_t{1}];
    if (same_word(word, known.text)) return static_cast<RrType>(known.type);
  }
  if (const auto number = number_after("TYPE", word)) return static_cast<RrType>(*number);
  return {};
}

std::optional<RrClass> rr_class_from_text(std::string_view word) {
  for (const auto& [known, text] : class_names)
    if (same_word(word, text)) return known;
  if (const auto number = number_after("CLASS", word)) return static_cast<RrClass>(*number);
  return {};
}

}  // namespace steward::dns
