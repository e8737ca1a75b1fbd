#pragma once
// RR types, classes, opcodes, response codes: IANA's mnemonics ("Domain Name System (DNS) Parameters").

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace steward::dns {

enum class RrType : uint16_t {
  A = 1, NS = 2, MD = 3, MF = 4, CNAME = 5, SOA = 6, MB = 7, MG = 8, MR = 9, NULL_ = 10, WKS = 11, PTR = 12,
  HINFO = 13, MINFO = 14, MX = 15, TXT = 16, RP = 17, AFSDB = 18, X25 = 19, ISDN = 20, RT = 21, NSAP = 22,
  NSAP_PTR = 23, SIG = 24, KEY = 25, PX = 26, GPOS = 27, AAAA = 28, LOC = 29, NXT = 30, EID = 31, NIMLOC = 32,
  SRV = 33, ATMA = 34, NAPTR = 35, KX = 36, CERT = 37, A6 = 38, DNAME = 39, SINK = 40, OPT = 41, APL = 42, DS = 43,
  SSHFP = 44, IPSECKEY = 45, RRSIG = 46, NSEC = 47, DNSKEY = 48, DHCID = 49, NSEC3 = 50, NSEC3PARAM = 51, TLSA = 52,
  SMIMEA = 53, HIP = 55, NINFO = 56, RKEY = 57, TALINK = 58, CDS = 59, CDNSKEY = 60, OPENPGPKEY = 61, CSYNC = 62,
  ZONEMD = 63, SVCB = 64, HTTPS = 65, DSYNC = 66, SPF = 99, UINFO = 100, UID = 101, GID = 102, UNSPEC = 103,
  NID = 104, L32 = 105, L64 = 106, LP = 107, EUI48 = 108, EUI64 = 109, NXNAME = 128, TKEY = 249, TSIG = 250,
  IXFR = 251, AXFR = 252, MAILB = 253, MAILA = 254, ANY = 255, URI = 256, CAA = 257, AVC = 258, DOA = 259,
  AMTRELAY = 260, RESINFO = 261, WALLET = 262, TA = 32768, DLV = 32769,
};

enum class RrClass : uint16_t { IN = 1, CH = 3, HS = 4, NONE = 254, ANY = 255 };

enum class Opcode : uint8_t { QUERY = 0, IQUERY = 1, STATUS = 2, NOTIFY = 4, UPDATE = 5, DSO = 6 };

/// The twelve-bit response code: the header's four bits below, EDNS's eight above (RFC 6891 §6.1.3).
enum class Rcode : uint16_t {
  NOERROR = 0, FORMERR = 1, SERVFAIL = 2, NXDOMAIN = 3, NOTIMP = 4, REFUSED = 5, YXDOMAIN = 6, YXRRSET = 7,
  NXRRSET = 8, NOTAUTH = 9, NOTZONE = 10, DSOTYPENI = 11, BADVERS = 16, BADKEY = 17, BADTIME = 18, BADMODE = 19,
  BADNAME = 20, BADALG = 21, BADTRUNC = 22, BADCOOKIE = 23,
};

constexpr uint16_t value(RrType type) { return static_cast<uint16_t>(type); }
constexpr uint16_t value(RrClass klass) { return static_cast<uint16_t>(klass); }

/// "SVCB"; "TYPE65400" where there is no mnemonic (RFC 3597 §5).
std::string to_text(RrType type);
std::string to_text(RrClass klass);
std::string to_text(Rcode rcode);
std::string to_text(Opcode opcode);
/// Any case; also the form TYPE123 / CLASS123. Nothing where the word is neither.
std::optional<RrType> rr_type_from_text(std::string_view word);
std::optional<RrClass> rr_class_from_text(std::string_view word);

/// Types 128 to 255 and OPT are for queries and messages, not for zones (RFC 6895 §3.1).
constexpr bool is_meta_type(RrType type) {
  return type == RrType::OPT || (value(type) >= 128 && value(type) <= 255);
}

}  // namespace steward::dns
