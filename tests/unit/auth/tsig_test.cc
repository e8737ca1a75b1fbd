// TSIG at the server [RFC 8945 §5.2, §5.3], against what dnspython, BIND and Knot DNS make of the same key.

#include "auth/tsig.hh"

#include "dnspython_vectors.hh"
#include "peer_vectors.hh"
#include "support.hh"

using namespace steward;
using namespace steward::auth;
using namespace steward::auth::test;

namespace {

TsigStatus status_of(ByteView message, const Keyring& keys, UnixTime now = vector_time) {
  return verify_request(message, keys, now).status;
}

/// The TSIG of a response that sign_response() made to the verdict of a request.
struct Answered {
  Bytes message;
  TsigRecord tsig;
};
Answered answer(TsigVerdict& verdict, UnixTime now) {
  Answered out{plain_response(), {}};
  REQUIRE(verdict.sign_response(out.message, now));
  const FoundSignature found = find_signature(out.message);
  REQUIRE(found.kind == SignatureKind::Tsig);
  auto record = read_tsig(out.message, found);
  REQUIRE(record);
  out.tsig = *record;
  return out;
}

}  // namespace

TEST_CASE("tsig: the requests of dnspython are good with every algorithm [RFC 8945 §6]") {
  const std::pair<TsigAlgorithm, std::string_view> rows[] = {{TsigAlgorithm::HmacSha1, dnspython::request_sha1},
                                                             {TsigAlgorithm::HmacSha224, dnspython::request_sha224},
                                                             {TsigAlgorithm::HmacSha256, dnspython::request_sha256},
                                                             {TsigAlgorithm::HmacSha384, dnspython::request_sha384},
                                                             {TsigAlgorithm::HmacSha512, dnspython::request_sha512}};
  for (const auto& row : rows) {
    const auto& [algorithm, text] = row;
    INFO(to_text(row.first));
    const Bytes message = unhex(text);
    const TsigVerdict verdict = verify_request(message, vector_ring(algorithm), vector_time);
    CHECK(verdict.status == TsigStatus::Good);
    CHECK(verdict.message_size == plain_query().size());
    CHECK(verdict.key_name.to_text() == "key.example.");
    CHECK(verdict.rcode() == dns::Rcode::NOERROR);
    CHECK(verdict.signer.has_value());
    // Any octet that is changed, and any that is missing, is noticed.
    for (size_t i = 0; i < message.size(); ++i) {
      Bytes changed = message;
      changed[i] ^= 1;
      // The id is not signed, the original id is; the case of names in the TSIG means nothing, but this changes
      // letters.
      if (i >= 2) CHECK_FALSE(status_of(changed, vector_ring(algorithm)) == TsigStatus::Good);
    }
  }
}

TEST_CASE("tsig: the requests of dig, kdig, nsupdate and knsupdate are good") {
  const std::pair<TsigAlgorithm, peers::Captured> rows[] = {{TsigAlgorithm::HmacSha256, peers::dig_sha256},
                                                            {TsigAlgorithm::HmacSha512, peers::dig_sha512},
                                                            {TsigAlgorithm::HmacSha384, peers::kdig_sha384},
                                                            {TsigAlgorithm::HmacSha224, peers::nsupdate_sha224},
                                                            {TsigAlgorithm::HmacSha1, peers::knsupdate_sha1}};
  for (const auto& row : rows) {
    const auto& [algorithm, captured] = row;
    INFO(to_text(row.first));
    CHECK(status_of(unhex(captured.message), vector_ring(algorithm), unix_time(captured.time)) == TsigStatus::Good);
  }
}

TEST_CASE("tsig: the response is signed as dnspython and named sign it [RFC 8945 §5.3]") {
  TsigVerdict verdict = verify_request(unhex(dnspython::request_sha256), vector_ring(), vector_time);
  const Answered ours = answer(verdict, vector_time);
  const Bytes theirs = unhex(dnspython::response);  // its TSIG's owner is compressed, which the MAC does not see
  const auto record = read_tsig(theirs, find_signature(theirs));
  REQUIRE(record);
  CHECK(std::ranges::equal(ours.tsig.mac, record->mac));
  CHECK(ours.tsig.error == 0);

  TsigVerdict to_named = verify_request(unhex(peers::named_good_request), vector_ring(), unix_time(peers::named_time));
  Bytes message = unhex(peers::named_good_response);
  const Bytes whole = message;
  message.resize(find_signature(message).message_size);
  store_u16(&message[10], 0);
  REQUIRE(to_named.sign_response(message, unix_time(peers::named_time)));
  CHECK(message == whole);
}

TEST_CASE("tsig: key and algorithm names in upper case are signed in lower case [RFC 8945 §4.3.3]") {
  TsigVerdict verdict = verify_request(unhex(dnspython::request_upper_case), vector_ring(), vector_time);
  CHECK(verdict.is_good());
  CHECK(verdict.key_name.to_text() == "key.example.");
  TsigKey key = vector_key();
  key.name = name("KEY.eXample.");
  CHECK(status_of(unhex(dnspython::request_sha256), ring({key})) == TsigStatus::Good);
  CHECK(status_of(signed_query(key).message, vector_ring()) == TsigStatus::Good);
}

TEST_CASE("tsig: the original id is put back before the MAC is made [RFC 8945 §5.2]") {
  Bytes forwarded = unhex(dnspython::request_sha256);
  store_u16(forwarded.data(), 0xbeef);  // by one that forwards it
  CHECK(status_of(forwarded, vector_ring()) == TsigStatus::Good);
  CHECK(status_of(unhex(dnspython::request_other_id), vector_ring()) == TsigStatus::Good);
  store_u16(&forwarded[tsig_place(forwarded).original_id], 0xbeef);
  CHECK(status_of(forwarded, vector_ring()) == TsigStatus::BadSig);
}

TEST_CASE("tsig: compressed names in the RDATA are understood and signed in full [RFC 3597 §4]") {
  // A question for hmac-sha256., to which the algorithm's name can point.
  Bytes message = unhex("1234010000010000000000000b686d61632d7368613235360000010001");
  auto [query, verifier] = signed_query(vector_key(), vector_time, message);
  const TsigPlace at = tsig_place(query);
  query.erase(query.begin() + static_cast<std::ptrdiff_t>(at.rdata),
              query.begin() + static_cast<std::ptrdiff_t>(at.rdata + 13));
  const Bytes pointer = unhex("c00c");
  query.insert(query.begin() + static_cast<std::ptrdiff_t>(at.rdata), pointer.begin(), pointer.end());
  store_u16(&query[at.rdata - 2], static_cast<uint16_t>(query.size() - at.rdata));
  CHECK(status_of(query, vector_ring()) == TsigStatus::Good);
  query[at.rdata + 1] = static_cast<uint8_t>(at.rdata);  // to itself
  CHECK(status_of(query, vector_ring()) == TsigStatus::FormErr);
}

TEST_CASE("tsig: a message without TSIG is absent, with SIG(0) too, and neither gets one") {
  for (const Bytes& message : {plain_query(), unhex(peers::nsupdate_ed25519.update.message)}) {
    TsigVerdict verdict = verify_request(message, vector_ring(), vector_time);
    CHECK(verdict.status == TsigStatus::Absent);
    CHECK(verdict.response_size() == 0);
    Bytes response = plain_response();
    CHECK(verdict.sign_response(response, vector_time));
    CHECK(response == plain_response());
  }
}

TEST_CASE("tsig: RDATA that does not hold together is FORMERR, without a TSIG in the response [RFC 8945 §5.2]") {
  const Bytes message = unhex(dnspython::request_sha256);
  const TsigPlace at = tsig_place(message);
  for (const int size : {0x0000, 0x001f, 0x0021, 0xffff}) {
    Bytes changed = message;
    store_u16(&changed[at.mac_size], static_cast<uint16_t>(size));
    TsigVerdict verdict = verify_request(changed, vector_ring(), vector_time);
    CHECK(verdict.status == TsigStatus::FormErr);
    CHECK(verdict.rcode() == dns::Rcode::FORMERR);
    CHECK_FALSE(verdict.signer.has_value());
    CHECK(verdict.response_size() == 0);
  }
  Bytes other = message;
  store_u16(&other[other.size() - 2], 1);
  CHECK(status_of(other, vector_ring()) == TsigStatus::FormErr);
}

TEST_CASE(
    "tsig: an unknown key is BADKEY, and the answer has its name, the error and no MAC [RFC 8945 §5.2.1, §5.3.2]") {
  TsigVerdict verdict = verify_request(unhex(peers::named_badkey_request), vector_ring(), unix_time(peers::named_time));
  CHECK(verdict.status == TsigStatus::BadKey);
  CHECK(verdict.rcode() == dns::Rcode::NOTAUTH);
  CHECK(verdict.error() == TsigError::BADKEY);
  CHECK_FALSE(verdict.signer.has_value());
  // As named has it, to the octet.
  Bytes message = unhex(peers::named_badkey_response);
  const Bytes whole = message;
  message.resize(find_signature(message).message_size);
  store_u16(&message[10], 0);
  CHECK(verdict.response_size() == whole.size() - message.size());
  REQUIRE(verdict.sign_response(message, unix_time(peers::named_time)));
  CHECK(message == whole);
}

TEST_CASE("tsig: another algorithm than the key's is BADKEY, known or not [RFC 8945 §5.2.1, CVE-2025-40775]") {
  CHECK(status_of(unhex(dnspython::request_sha512), vector_ring()) == TsigStatus::BadKey);
  TsigVerdict verdict = verify_request(unhex(peers::named_badalg_request), vector_ring(), unix_time(peers::named_time));
  CHECK(verdict.status == TsigStatus::BadKey);
  CHECK(answer(verdict, vector_time).tsig.algorithm_name.to_text() == "hmac-sha512.");

  for (const char* algorithm : {"\x0bhmac-sha257", "\x0bhmac-sha25\xff", "\x0bgss-tsig\0\0\0"}) {
    Bytes unknown = unhex(dnspython::request_sha256);
    std::memcpy(&unknown[tsig_place(unknown).rdata], algorithm, 12);
    TsigVerdict refused = verify_request(unknown, vector_ring(), vector_time);
    CHECK(refused.status == TsigStatus::BadKey);
    CHECK(answer(refused, vector_time).tsig.error == 17);
  }
}

TEST_CASE("tsig: the root as key and algorithm is BADKEY and can be answered [CVE-2025-40775]") {
  const Bytes message = unhex(
      "123401000001000000000001"
      "03777777076578616d706c650000010001"
      "0000fa00ff000000000011"
      "00000000000000012c0000123400000000");
  TsigVerdict verdict = verify_request(message, vector_ring(), vector_time);
  CHECK(verdict.status == TsigStatus::BadKey);
  CHECK(answer(verdict, vector_time).tsig.algorithm_name.view().is_root());
}

TEST_CASE(
    "tsig: a wrong MAC is BADSIG, and the answer has no MAC [RFC 8945 §5.2.2, §5.3.2, CVE-2017-3142, CVE-2017-3143]") {
  TsigVerdict verdict = verify_request(unhex(peers::named_badsig_request), vector_ring(), unix_time(peers::named_time));
  CHECK(verdict.status == TsigStatus::BadSig);
  CHECK(verdict.rcode() == dns::Rcode::NOTAUTH);
  // Nothing that the sender chose is ever signed for him, else the answer's MAC would open the way to a valid request.
  CHECK_FALSE(verdict.signer.has_value());
  Bytes message = unhex(peers::named_badsig_response);
  const Bytes whole = message;
  message.resize(find_signature(message).message_size);
  store_u16(&message[10], 0);
  REQUIRE(verdict.sign_response(message, unix_time(peers::named_time)));
  CHECK(message == whole);
}

TEST_CASE(
    "tsig: the MAC is checked before the time: a forged old request learns nothing and gets no MAC [RFC 8945 §5.2, "
    "CVE-2017-11104]") {
  Bytes forged = unhex(dnspython::request_sha256);
  forged[tsig_place(forged).mac] ^= 1;
  TsigVerdict verdict = verify_request(forged, vector_ring(), vector_time + Seconds{100000});
  CHECK(verdict.status == TsigStatus::BadSig);
  CHECK(answer(verdict, vector_time).tsig.mac.empty());
}

TEST_CASE("tsig: a MAC longer than the digest is FORMERR, whatever it starts with [RFC 8945 §5.2.2.1, CVE-2017-3143]") {
  const Bytes message = unhex(dnspython::request_sha256);
  const TsigPlace at = tsig_place(message);
  Bytes mac(message.begin() + static_cast<std::ptrdiff_t>(at.mac),
            message.begin() + static_cast<std::ptrdiff_t>(at.original_id));
  CHECK(status_of(with_mac(message, mac), vector_ring()) == TsigStatus::Good);
  mac.push_back(0);
  CHECK(status_of(with_mac(message, mac), vector_ring()) == TsigStatus::FormErr);
  mac.resize(60000);
  CHECK(status_of(with_mac(message, mac), vector_ring()) == TsigStatus::FormErr);
}

TEST_CASE("tsig: an error in a request is FORMERR, also with a known key and no MAC [RFC 8945 §4.2, CVE-2020-8617]") {
  for (const int error : {16, 17, 18, 22, 255}) {
    Bytes message = unhex(dnspython::request_sha256);
    message[tsig_place(message).error + 1] = static_cast<uint8_t>(error);
    CHECK(status_of(message, vector_ring()) == TsigStatus::FormErr);
    CHECK(status_of(with_mac(message, {}), vector_ring()) == TsigStatus::FormErr);
  }
}

TEST_CASE("tsig: the server's own error sent back to it is no request [CVE-2020-8617]") {
  for (const std::string_view text :
       {peers::named_badkey_response, peers::named_badsig_response, peers::named_badtime_response}) {
    CHECK(status_of(unhex(text), vector_ring(), unix_time(peers::named_time)) == TsigStatus::FormErr);
  }
}

TEST_CASE(
    "tsig: truncated MACs are good down to half the digest and 10 octets, as policy has it [RFC 8945 §5.2.2.1, "
    "§5.2.4]") {
  const std::tuple<TsigAlgorithm, std::string_view, size_t> rows[] = {
      {TsigAlgorithm::HmacSha1, dnspython::request_sha1, 10},
      {TsigAlgorithm::HmacSha224, dnspython::request_sha224, 14},
      {TsigAlgorithm::HmacSha256, dnspython::request_sha256, 16},
      {TsigAlgorithm::HmacSha384, dnspython::request_sha384, 24},
      {TsigAlgorithm::HmacSha512, dnspython::request_sha512, 32}};
  for (const auto& row : rows) {
    const auto& [algorithm, text, least] = row;
    INFO(to_text(std::get<0>(row)));
    const Bytes message = unhex(text);
    const TsigPlace at = tsig_place(message);
    const ByteView mac = ByteView(message).subspan(at.mac, mac_size(algorithm));
    TsigKey lenient = vector_key(algorithm);
    lenient.shortest_mac = 0;
    TsigKey exact = vector_key(algorithm);
    exact.shortest_mac = static_cast<uint8_t>(least + 1);
    for (size_t size = 0; size < mac.size(); ++size) {
      const Bytes truncated = with_mac(message, mac.first(size));
      CHECK(status_of(truncated, vector_ring(algorithm)) ==
            (size < least ? TsigStatus::FormErr : TsigStatus::BadTrunc));
      CHECK(status_of(truncated, ring({lenient})) == (size < least ? TsigStatus::FormErr : TsigStatus::Good));
      CHECK(status_of(truncated, ring({exact})) == (size < least    ? TsigStatus::FormErr
                                                    : size == least ? TsigStatus::BadTrunc
                                                                    : TsigStatus::Good));
    }
    Bytes wrong = with_mac(message, mac.first(least));
    wrong[at.mac + least - 1] ^= 1;
    CHECK(status_of(wrong, ring({lenient})) == TsigStatus::BadSig);
  }
}

TEST_CASE("tsig: the answer to BADTRUNC is signed in full, over the MAC as it came [RFC 8945 §5.2.4, §5.3.2]") {
  const Bytes message = unhex(peers::dig_sha256_128.message);
  const UnixTime now = unix_time(peers::dig_sha256_128.time);
  TsigVerdict verdict = verify_request(message, vector_ring(), now);
  CHECK(verdict.status == TsigStatus::BadTrunc);
  CHECK(verdict.rcode() == dns::Rcode::NOTAUTH);
  const ByteView mac = ByteView(message).subspan(tsig_place(message).mac, 16);
  const Answered answered = answer(verdict, now);
  CHECK(answered.tsig.error == 22);
  CHECK(answered.tsig.mac.size() == 32);
  TsigVerifier verifier(vector_key(), mac);
  CHECK(verifier.verify(answered.message, now) == TsigReply::PeerError);
  CHECK(verifier.peer_error() == 22);
  CHECK(verifier.peer_error_is_authentic());
}

TEST_CASE("tsig: the time signed may be off by the fudge and no second more, in both directions [RFC 8945 §5.2.3]") {
  const Bytes message = unhex(dnspython::request_sha256);
  const Keyring keys = vector_ring();
  CHECK(status_of(message, keys, vector_time + Seconds{300}) == TsigStatus::Good);
  CHECK(status_of(message, keys, vector_time - Seconds{300}) == TsigStatus::Good);
  CHECK(status_of(message, keys, vector_time + Seconds{301}) == TsigStatus::BadTime);
  CHECK(status_of(message, keys, vector_time - Seconds{301}) == TsigStatus::BadTime);
  CHECK(status_of(message, keys, UnixTime{Seconds{-1}}) == TsigStatus::BadTime);

  Bytes exact = plain_query();
  REQUIRE(sign_request(exact, vector_key(), vector_time, 0));
  CHECK(status_of(exact, keys, vector_time) == TsigStatus::Good);
  CHECK(status_of(exact, keys, vector_time + Seconds{1}) == TsigStatus::BadTime);
}

TEST_CASE("tsig: times have 48 bits: nothing ends in 2038 or 2106 [RFC 8945 §4.2]") {
  for (const int64_t seconds :
       {int64_t{0x7fffffff}, int64_t{0xffffffff}, int64_t{0x100000000}, int64_t{0xfffffffffff}}) {
    const UnixTime now = unix_time(seconds);
    const Bytes message = signed_query(vector_key(), now).message;
    CHECK(status_of(message, vector_ring(), now + Seconds{299}) == TsigStatus::Good);
    CHECK(status_of(message, vector_ring(), now + Seconds{301}) == TsigStatus::BadTime);
  }
}

TEST_CASE(
    "tsig: BADTIME is answered signed, with the client's time and ours in Other Data, as named does [RFC 8945 "
    "§5.2.3]") {
  const UnixTime now = unix_time(peers::named_time);
  TsigVerdict verdict = verify_request(unhex(peers::named_badtime_request), vector_ring(), now);
  CHECK(verdict.status == TsigStatus::BadTime);
  CHECK(verdict.rcode() == dns::Rcode::NOTAUTH);
  Bytes message = unhex(peers::named_badtime_response);
  const Bytes whole = message;
  message.resize(find_signature(message).message_size);
  store_u16(&message[10], 0);
  CHECK(verdict.response_size() == whole.size() - message.size());
  REQUIRE(verdict.sign_response(message, now));
  CHECK(message == whole);
}

TEST_CASE("tsig: time goes before truncation [RFC 8945 §5.2]") {
  const Bytes message = unhex(peers::dig_sha256_128.message);
  const UnixTime now = unix_time(peers::dig_sha256_128.time) + Seconds{301};
  CHECK(status_of(message, vector_ring(), now) == TsigStatus::BadTime);
}

TEST_CASE(
    "tsig: a response that leaves no room for its TSIG is refused, and can be signed when there is [CVE-2016-2776]") {
  TsigVerdict verdict = verify_request(unhex(dnspython::request_sha256), vector_ring(), vector_time);
  const Bytes response = plain_response();
  Bytes room = response;
  const size_t whole = response.size() + verdict.response_size();
  for (size_t size = response.size(); size < whole; ++size) {
    room.resize(size);
    const auto done = verdict.sign_response(room, response.size(), vector_time);
    REQUIRE_FALSE(done);
    CHECK(done.error().code == Errc::Full);
    CHECK(std::ranges::equal(ByteView(room).first(response.size()), response));
  }
  room.resize(whole);
  const auto done = verdict.sign_response(room, response.size(), vector_time);
  REQUIRE(done);
  CHECK(*done == whole);
  SignedQuery query = signed_query(vector_key());  // the same octets as the vector's but for compression: the same MAC
  CHECK(query.verifier.verify(room, vector_time) == TsigReply::Good);
}

TEST_CASE("tsig: a message grows to 65,535 octets and no further; a count of 65,535 records neither") {
  const size_t tsig_size = request_signature_size(vector_key());
  Bytes message = unhex("123401000000000100000000");
  append(message, unhex("00ff000001000000000000"));
  message.resize(dns::max_message_size - tsig_size);
  store_u16(&message[21], static_cast<uint16_t>(message.size() - 23));
  const Bytes unsigned_message = message;
  REQUIRE(sign_request(message, vector_key(), vector_time));
  CHECK(message.size() == dns::max_message_size);
  CHECK(status_of(message, vector_ring()) == TsigStatus::Good);
  message[40000] ^= 1;
  CHECK(status_of(message, vector_ring()) == TsigStatus::BadSig);

  Bytes larger = unsigned_message;
  larger.push_back(0);
  const Bytes before = larger;
  CHECK_FALSE(sign_request(larger, vector_key(), vector_time));
  CHECK(larger == before);
  Bytes counted = plain_query();
  store_u16(&counted[10], 0xffff);
  CHECK_FALSE(sign_request(counted, vector_key(), vector_time));
}

TEST_CASE("tsig: more than 65,535 octets are no message, and are walked without harm") {
  Bytes message = signed_query(vector_key()).message;
  message.resize(70000);
  CHECK(status_of(message, vector_ring()) == TsigStatus::FormErr);
}
