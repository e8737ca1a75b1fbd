#include "dns/rdata_layout.hh"

namespace steward::dns {
namespace {

using enum FieldKind;
using Rule = NameRule;
using T = RrType;

constexpr RdataLayout one_name(RrType type, const char* label) { return {type, Rule::Compress, {{{Name, label}}}}; }
constexpr RdataLayout signature(RrType type, NameRule rule) {
  return {type,
          rule,
          {{{Type, "type covered"},
            {Algorithm, "algorithm"},
            {U8, "labels"},
            {U32, "original TTL"},
            {Time, "expiration"},
            {Time, "inception"},
            {U16, "key tag"},
            {Name, "signer's name"},
            {Base64, "signature"}}}};
}
constexpr RdataLayout key(RrType type, FieldKind protocol, FieldKind data) {
  return {type, Rule::None, {{{U16, "flags"}, {protocol, "protocol"}, {Algorithm, "algorithm"}, {data, "public key"}}}};
}
constexpr RdataLayout digest(RrType type) {
  return {
      type, Rule::None, {{{U16, "key tag"}, {Algorithm, "algorithm"}, {DigestType, "digest type"}, {Hex, "digest"}}}};
}
constexpr RdataLayout strings(RrType type) { return {type, Rule::None, {{{Strings, "text"}}}}; }
constexpr RdataLayout association(RrType type) {
  return {type,
          Rule::None,
          {{{U8, "certificate usage"}, {U8, "selector"}, {U8, "matching type"}, {Hex, "association data"}}}};
}
constexpr RdataLayout service_binding(RrType type) {
  return {type, Rule::Keep, {{{U16, "priority"}, {Name, "target"}, {SvcParams, "SvcParams"}}}};
}

constexpr auto layouts = std::to_array<RdataLayout>({
    {T::A, Rule::None, {{{Ipv4, "address"}}}},
    one_name(T::NS, "name server"),
    one_name(T::MD, "host"),
    one_name(T::MF, "host"),
    one_name(T::CNAME, "canonical name"),
    {T::SOA,
     Rule::Compress,
     {{{Name, "MNAME"},
       {Name, "RNAME"},
       {U32, "serial"},
       {Period, "refresh"},
       {Period, "retry"},
       {Period, "expire"},
       {Period, "minimum"}}}},
    one_name(T::MB, "host"),
    one_name(T::MG, "mailbox"),
    one_name(T::MR, "mailbox"),
    {T::WKS, Rule::None, {{{Wks, "services"}}}},
    one_name(T::PTR, "name"),
    {T::HINFO, Rule::None, {{{String, "CPU"}, {String, "OS"}}}},
    {T::MINFO, Rule::Compress, {{{Name, "responsible mailbox"}, {Name, "error mailbox"}}}},
    {T::MX, Rule::Compress, {{{U16, "preference"}, {Name, "exchange"}}}},
    strings(T::TXT),
    {T::RP, Rule::Decompress, {{{Name, "mailbox"}, {Name, "TXT name"}}}},
    {T::AFSDB, Rule::Decompress, {{{U16, "subtype"}, {Name, "host"}}}},
    {T::X25, Rule::None, {{{DigitString, "PSDN address"}}}},
    {T::ISDN, Rule::None, {{{String, "ISDN address"}, {OptionalString, "subaddress"}}}},
    {T::RT, Rule::Decompress, {{{U16, "preference"}, {Name, "intermediate host"}}}},
    {T::NSAP, Rule::None, {{{Nsap, "NSAP address"}}}},
    {T::NSAP_PTR, Rule::Keep, {{{Name, "name"}}}},
    signature(T::SIG, Rule::Decompress),
    key(T::KEY, Protocol, OptionalBase64),
    {T::PX, Rule::Decompress, {{{U16, "preference"}, {Name, "MAP822"}, {Name, "MAPX400"}}}},
    {T::GPOS, Rule::None, {{{DecimalString, "longitude"}, {DecimalString, "latitude"}, {DecimalString, "altitude"}}}},
    {T::AAAA, Rule::None, {{{Ipv6, "address"}}}},
    {T::LOC, Rule::None, {{{Loc, "location"}}}},
    {T::NXT, Rule::Decompress, {{{Name, "next name"}, {NxtBitmap, "types"}}}},
    {T::EID, Rule::None, {{{Hex, "endpoint identifier"}}}},
    {T::NIMLOC, Rule::None, {{{Hex, "Nimrod locator"}}}},
    {T::SRV, Rule::Decompress, {{{U16, "priority"}, {U16, "weight"}, {U16, "port"}, {Name, "target"}}}},
    {T::ATMA, Rule::None, {{{Atma, "ATM address"}}}},
    {T::NAPTR,
     Rule::Decompress,
     {{{U16, "order"},
       {U16, "preference"},
       {String, "flags"},
       {String, "services"},
       {String, "regexp"},
       {Name, "replacement"}}}},
    {T::KX, Rule::Lower, {{{U16, "preference"}, {Name, "exchanger"}}}},
    {T::CERT,
     Rule::None,
     {{{CertType, "certificate type"}, {U16, "key tag"}, {CertAlgorithm, "algorithm"}, {Base64, "certificate"}}}},
    {T::A6, Rule::Lower, {{{A6, "address"}}}},
    {T::DNAME, Rule::Lower, {{{Name, "target"}}}},
    {T::SINK, Rule::None, {{{U8, "meaning"}, {U8, "coding"}, {U8, "subcoding"}, {OptionalBase64, "data"}}}},
    {T::APL, Rule::None, {{{Apl, "address prefixes"}}}},
    digest(T::DS),
    {T::SSHFP, Rule::None, {{{U8, "algorithm"}, {U8, "fingerprint type"}, {Hex, "fingerprint"}}}},
    {T::IPSECKEY,
     Rule::Keep,
     {{{U8, "precedence"},
       {GatewayType, "gateway type"},
       {U8, "algorithm"},
       {Gateway, "gateway"},
       {OptionalBase64, "public key"}}}},
    signature(T::RRSIG, Rule::Lower),
    {T::NSEC, Rule::Keep, {{{Name, "next name"}, {Bitmap, "types"}}}},
    key(T::DNSKEY, U8, Base64),
    {T::DHCID, Rule::None, {{{Base64, "digest"}}}},
    {T::NSEC3,
     Rule::None,
     {{{U8, "hash algorithm"},
       {U8, "flags"},
       {U16, "iterations"},
       {Salt, "salt"},
       {Hash, "next hashed owner name"},
       {OptionalBitmap, "types"}}}},
    {T::NSEC3PARAM, Rule::None, {{{U8, "hash algorithm"}, {U8, "flags"}, {U16, "iterations"}, {Salt, "salt"}}}},
    association(T::TLSA),
    association(T::SMIMEA),
    {T::HIP, Rule::Keep, {{{Hip, "host identity"}}}},
    strings(T::NINFO),
    key(T::RKEY, U8, Base64),
    {T::TALINK, Rule::Keep, {{{Name, "previous name"}, {Name, "next name"}}}},
    digest(T::CDS),
    key(T::CDNSKEY, U8, Base64),
    {T::OPENPGPKEY, Rule::None, {{{Base64, "public key"}}}},
    {T::CSYNC, Rule::None, {{{U32, "SOA serial"}, {U16, "flags"}, {OptionalBitmap, "types"}}}},
    {T::ZONEMD, Rule::None, {{{U32, "serial"}, {U8, "scheme"}, {U8, "hash algorithm"}, {Hex, "digest"}}}},
    service_binding(T::SVCB),
    service_binding(T::HTTPS),
    {T::DSYNC, Rule::Keep, {{{Type, "type"}, {Scheme, "scheme"}, {U16, "port"}, {Name, "target"}}}},
    strings(T::SPF),
    {T::NID, Rule::None, {{{U16, "preference"}, {Locator64, "node identifier"}}}},
    {T::L32, Rule::None, {{{U16, "preference"}, {Ipv4, "locator"}}}},
    {T::L64, Rule::None, {{{U16, "preference"}, {Locator64, "locator"}}}},
    {T::LP, Rule::Keep, {{{U16, "preference"}, {Name, "name"}}}},
    {T::EUI48, Rule::None, {{{Eui48, "address"}}}},
    {T::EUI64, Rule::None, {{{Eui64, "address"}}}},
    {T::URI, Rule::None, {{{U16, "priority"}, {U16, "weight"}, {NonEmptyText, "target"}}}},
    {T::CAA, Rule::None, {{{U8, "flags"}, {Tag, "tag"}, {Text, "value"}}}},
    strings(T::AVC),
    {T::DOA,
     Rule::None,
     {{{U32, "enterprise"}, {U32, "type"}, {U8, "location"}, {String, "media type"}, {DashBase64, "data"}}}},
    {T::AMTRELAY, Rule::Keep, {{{U8, "precedence"}, {RelayType, "relay type"}, {Relay, "relay"}}}},
    strings(T::RESINFO),
    strings(T::WALLET),
    digest(T::TA),
    digest(T::DLV),
});

// Index of the row + 1; types up to `direct` at their number, TA and DLV after them.
constexpr uint16_t direct = 263;
constexpr size_t slot_of(RrType type) {
  if (value(type) < direct) return value(type);
  return type == T::TA ? size_t{direct} : type == T::DLV ? size_t{direct} + 1 : 0;
}
constexpr auto rows = [] {
  std::array<uint8_t, direct + 2> table{};
  for (size_t i = 0; i < layouts.size(); ++i) table[slot_of(layouts[i].type)] = static_cast<uint8_t>(i + 1);
  return table;
}();
static_assert(rows[0] == 0);

}  // namespace

const RdataLayout* layout_of(RrType type) {
  const uint8_t row = rows[slot_of(type)];
  return row == 0 ? nullptr : &layouts[row - size_t{1}];
}

}  // namespace steward::dns
