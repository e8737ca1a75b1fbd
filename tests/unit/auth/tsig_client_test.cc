// TSIG at the client and in streams of messages [RFC 8945 §5.3.1, §5.4].

#include "auth/tsig_client.hh"

#include "dnspython_vectors.hh"
#include "peer_vectors.hh"
#include "support.hh"

using namespace steward;
using namespace steward::auth;
using namespace steward::auth::test;

namespace {

const UnixTime named_now = unix_time(peers::named_time);

/// What verifies answers to a request that somebody else signed.
TsigVerifier verifier_of(std::string_view request, const TsigKey& key = vector_key()) {
  const Bytes message = unhex(request);
  const auto record = read_tsig(message, find_signature(message));
  REQUIRE(record);
  return {key, record->mac};
}

/// A signer of answers to a query, and what verifies them.
struct Stream {
  TsigVerifier verifier;
  TsigSigner signer;
};
Stream stream(const TsigKey& key = vector_key()) {
  SignedQuery query = signed_query(key);
  TsigVerdict verdict = verify_request(query.message, ring({key}), vector_time);
  REQUIRE(verdict.is_good());
  return {std::move(query.verifier), std::move(*verdict.signer)};
}

Bytes signed_by(TsigSigner& signer, Bytes message = plain_response(), UnixTime now = vector_time) {
  REQUIRE(signer.sign(message, now));
  return message;
}

}  // namespace

TEST_CASE("tsig client: requests have the MAC that dnspython makes, with every algorithm [RFC 8945 §4.3.3]") {
  const std::pair<TsigAlgorithm, std::string_view> rows[] = {{TsigAlgorithm::HmacSha1, dnspython::request_sha1},
                                                             {TsigAlgorithm::HmacSha224, dnspython::request_sha224},
                                                             {TsigAlgorithm::HmacSha256, dnspython::request_sha256},
                                                             {TsigAlgorithm::HmacSha384, dnspython::request_sha384},
                                                             {TsigAlgorithm::HmacSha512, dnspython::request_sha512}};
  for (const auto& [algorithm, text] : rows) {
    const Bytes theirs = unhex(text);
    const Bytes ours = signed_query(vector_key(algorithm)).message;
    CHECK(ours.size() == plain_query().size() + request_signature_size(vector_key(algorithm)));
    // From the MAC to the end: the owner before it is compressed there.
    CHECK(std::ranges::equal(ByteView(ours).subspan(tsig_place(ours).rdata),
                             ByteView(theirs).subspan(tsig_place(theirs).rdata)));
  }
}

TEST_CASE("tsig client: the responses of dnspython and named are good") {
  TsigVerifier python = verifier_of(dnspython::request_sha256);
  CHECK_FALSE(python.may_end());
  CHECK(python.verify(unhex(dnspython::response), vector_time) == TsigReply::Good);
  CHECK(python.may_end());
  CHECK(python.message_size() == plain_response().size());
  TsigVerifier named = verifier_of(peers::named_good_request);
  CHECK(named.verify(unhex(peers::named_good_response), named_now) == TsigReply::Good);
}

TEST_CASE("tsig client: any octet that is changed in a response is noticed") {
  const Bytes response = unhex(peers::named_good_response);
  for (size_t i = 2; i < response.size(); ++i) {  // the id is the caller's to compare
    Bytes changed = response;
    changed[i] ^= 1;
    TsigVerifier verifier = verifier_of(peers::named_good_request);
    CHECK_FALSE(verifier.verify(changed, named_now) == TsigReply::Good);
    CHECK_FALSE(verifier.may_end());
  }
}

TEST_CASE("tsig client: the response to another request is BADSIG [RFC 8945 §5.3]") {
  TsigVerifier verifier = verifier_of(peers::dig_sha256.message);
  CHECK(verifier.verify(unhex(peers::named_good_response), named_now) == TsigReply::BadSig);
}

TEST_CASE("tsig client: a response without TSIG is missing it, truncated or not [RFC 8945 §5.4, CVE-2020-8622]") {
  CHECK(stream().verifier.verify(plain_response(), vector_time) == TsigReply::Missing);
  Bytes truncated = plain_response();
  truncated[2] |= 2;  // TC
  CHECK(stream().verifier.verify(truncated, vector_time) == TsigReply::Missing);
  truncated.resize(40);
  CHECK(stream().verifier.verify(truncated, vector_time) == TsigReply::FormErr);
  const Bytes whole = unhex(peers::named_good_response);
  for (size_t size = 0; size < whole.size(); ++size) {
    CHECK(verifier_of(peers::named_good_request).verify(ByteView(whole).first(size), named_now) == TsigReply::FormErr);
  }
}

TEST_CASE("tsig client: time and fudge hold for responses too [RFC 8945 §5.2.3, CVE-2016-7073]") {
  for (const int off : {-301, 301}) {
    Stream s = stream();
    CHECK(s.verifier.verify(signed_by(s.signer), vector_time + Seconds{off}) == TsigReply::BadTime);
  }
  for (const int off : {-300, 300}) {
    Stream s = stream();
    CHECK(s.verifier.verify(signed_by(s.signer), vector_time + Seconds{off}) == TsigReply::Good);
    // And in later messages.
    CHECK(s.verifier.verify(signed_by(s.signer), vector_time + Seconds{off + (off > 0 ? 1 : -1)}) ==
          TsigReply::BadTime);
  }
}

TEST_CASE("tsig client: a response by another key or algorithm is BADKEY [RFC 8945 §5.4.1]") {
  TsigKey other = vector_key();
  other.name = name("other.example.");
  for (const TsigKey& key : {other, vector_key(TsigAlgorithm::HmacSha512)}) {
    Stream s = stream();
    Stream theirs = stream(key);
    CHECK(s.verifier.verify(signed_by(theirs.signer), vector_time) == TsigReply::BadKey);
  }
}

TEST_CASE("tsig client: truncated responses obey length and policy [RFC 8945 §5.2.2.1, §5.2.4]") {
  for (const auto& [size, wanted] : {std::pair{15, TsigReply::FormErr}, std::pair{16, TsigReply::BadTrunc}}) {
    Stream s = stream();
    const Bytes whole = signed_by(s.signer);
    const ByteView mac = ByteView(whole).subspan(tsig_place(whole).mac, static_cast<size_t>(size));
    CHECK(s.verifier.verify(with_mac(whole, mac), vector_time) == wanted);
  }
  TsigKey lenient = vector_key();
  lenient.shortest_mac = 16;
  Stream s = stream(lenient);
  const Bytes whole = signed_by(s.signer);
  CHECK(s.verifier.verify(with_mac(whole, ByteView(whole).subspan(tsig_place(whole).mac, 20)), vector_time) ==
        TsigReply::Good);
}

TEST_CASE("tsig client: named's BADKEY and BADSIG are told, as what anybody may have sent [RFC 8945 §5.3.2]") {
  TsigVerifier badkey = verifier_of(peers::named_badkey_request);
  CHECK(badkey.verify(unhex(peers::named_badkey_response), named_now) == TsigReply::PeerError);
  CHECK(peer_error_text(badkey.peer_error()) == "BADKEY");
  CHECK_FALSE(badkey.peer_error_is_authentic());
  CHECK_FALSE(badkey.may_end());
  TsigVerifier badsig = verifier_of(peers::named_badsig_request);
  CHECK(badsig.verify(unhex(peers::named_badsig_response), named_now) == TsigReply::PeerError);
  CHECK(peer_error_text(badsig.peer_error()) == "BADSIG");
}

TEST_CASE("tsig client: named's and dnspython's BADTIME are authentic and tell the server's time [RFC 8945 §5.2.3]") {
  TsigVerifier verifier = verifier_of(peers::named_badtime_request);
  const UnixTime client_now = named_now - Seconds{1000};
  CHECK(verifier.verify(unhex(peers::named_badtime_response), client_now) == TsigReply::PeerError);
  CHECK(peer_error_text(verifier.peer_error()) == "BADTIME");
  CHECK(verifier.peer_error_is_authentic());
  CHECK(verifier.peer_time() == static_cast<uint64_t>(peers::named_time));

  TsigVerifier python = verifier_of(dnspython::request_sha256);
  CHECK(python.verify(unhex(dnspython::response_badtime), vector_time) == TsigReply::PeerError);
  CHECK(python.peer_time() == 1'700'001'000);
  Bytes changed = unhex(dnspython::response_badtime);
  changed.back() ^= 1;
  CHECK(verifier_of(dnspython::request_sha256).verify(changed, vector_time) == TsigReply::BadSig);
}

TEST_CASE("tsig client: an error without MAC is told but never authentic; NSD's BADTIME is one [RFC 8945 §5.3.2]") {
  // NSD 4.6, asked by dnspython with a clock 1000 s behind.
  const Bytes nsd = unhex(
      "111280090000000000000001036b6579076578616d706c650000fa00ff0000000000230b686d61632d7368613235360000006b03e574012c"
      "000011120012000600006b03e95c");
  TsigVerifier badtime = stream().verifier;
  CHECK(badtime.verify(nsd, vector_time) == TsigReply::PeerError);
  CHECK(peer_error_text(badtime.peer_error()) == "BADTIME");
  CHECK(badtime.peer_time() == 0x6b03e95c);
  CHECK_FALSE(badtime.peer_error_is_authentic());
  for (const int error : {16, 17, 18, 22, 1000}) {
    Bytes forged = unhex(peers::named_badsig_response);
    store_u16(&forged[tsig_place(forged).error], static_cast<uint16_t>(error));
    TsigVerifier verifier = verifier_of(peers::named_badsig_request);
    CHECK(verifier.verify(forged, named_now) == TsigReply::PeerError);
    CHECK(verifier.peer_error() == error);
    CHECK_FALSE(verifier.peer_error_is_authentic());
    CHECK_FALSE(verifier.may_end());
  }
  Bytes none = unhex(peers::named_badsig_response);
  store_u16(&none[tsig_place(none).error], 0);
  CHECK(verifier_of(peers::named_badsig_request).verify(none, named_now) == TsigReply::FormErr);
  CHECK(peer_error_text(1000) == "1000");
}

TEST_CASE("tsig client: after a forged datagram, restart() waits for the true one [RFC 8945 §5.4]") {
  Stream s = stream();
  Bytes response = signed_by(s.signer);
  Bytes forged = response;
  forged[44] ^= 1;
  CHECK(s.verifier.verify(forged, vector_time) == TsigReply::BadSig);
  CHECK(s.verifier.verify(response, vector_time) == TsigReply::BadSig);  // sticky
  s.verifier.restart();
  CHECK(s.verifier.verify(response, vector_time) == TsigReply::Good);
  CHECK(s.verifier.may_end());
}

TEST_CASE("tsig stream: an AXFR of named in six signed messages is good, and in no other order [RFC 8945 §5.3.1]") {
  TsigVerifier verifier = verifier_of(peers::named_axfr_request);
  for (const std::string_view text : peers::named_axfr) {
    CHECK(verifier.verify(unhex(text), named_now) == TsigReply::Good);
    CHECK(verifier.may_end());
  }
  TsigVerifier swapped = verifier_of(peers::named_axfr_request);
  CHECK(swapped.verify(unhex(peers::named_axfr[0]), named_now) == TsigReply::Good);
  CHECK(swapped.verify(unhex(peers::named_axfr[2]), named_now) == TsigReply::BadSig);
  CHECK(swapped.verify(unhex(peers::named_axfr[1]), named_now) == TsigReply::BadSig);  // lost for good
  TsigVerifier repeated = verifier_of(peers::named_axfr_request);
  CHECK(repeated.verify(unhex(peers::named_axfr[0]), named_now) == TsigReply::Good);
  CHECK(repeated.verify(unhex(peers::named_axfr[0]), named_now) == TsigReply::BadSig);
}

TEST_CASE("tsig stream: our messages are signed as named signs them [RFC 8945 §5.3.1]") {
  TsigVerdict verdict = verify_request(unhex(peers::named_axfr_request), vector_ring(), named_now);
  REQUIRE(verdict.is_good());
  for (const std::string_view text : peers::named_axfr) {
    Bytes message = unhex(text);
    const Bytes whole = message;
    message.resize(find_signature(message).message_size);
    store_u16(&message[10], 0);
    CHECK(whole.size() == message.size() + verdict.signer->size());
    REQUIRE(verdict.signer->sign(message, named_now));
    CHECK(message == whole);
  }
}

TEST_CASE(
    "tsig stream: unsigned messages between signed ones are covered by the next MAC, as dnspython has it [RFC 8945 "
    "§5.3.1]") {
  TsigVerifier verifier = verifier_of(dnspython::request_sha256);
  CHECK(verifier.verify(unhex(dnspython::stream_1), vector_time) == TsigReply::Good);
  CHECK(verifier.verify(unhex(dnspython::stream_2), vector_time) == TsigReply::Unsigned);
  CHECK_FALSE(verifier.may_end());  // RFC 8945 §5.3.1: the last one is signed
  CHECK(verifier.verify(unhex(dnspython::stream_3), vector_time) == TsigReply::Unsigned);
  CHECK(verifier.verify(unhex(dnspython::stream_4), vector_time) == TsigReply::Good);
  CHECK(verifier.may_end());
  CHECK(verifier.verify(unhex(dnspython::stream_5), vector_time) == TsigReply::Good);

  TsigVerifier changed = verifier_of(dnspython::request_sha256);
  CHECK(changed.verify(unhex(dnspython::stream_1), vector_time) == TsigReply::Good);
  Bytes second = unhex(dnspython::stream_2);
  second.back() ^= 1;
  CHECK(changed.verify(second, vector_time) == TsigReply::Unsigned);
  CHECK(changed.verify(unhex(dnspython::stream_3), vector_time) == TsigReply::Unsigned);
  CHECK(changed.verify(unhex(dnspython::stream_4), vector_time) == TsigReply::BadSig);

  TsigVerifier dropped = verifier_of(dnspython::request_sha256);
  CHECK(dropped.verify(unhex(dnspython::stream_1), vector_time) == TsigReply::Good);
  CHECK(dropped.verify(unhex(dnspython::stream_3), vector_time) == TsigReply::Unsigned);
  CHECK(dropped.verify(unhex(dnspython::stream_4), vector_time) == TsigReply::BadSig);
}

TEST_CASE("tsig stream: 99 messages in a row may be unsigned, not 100 [RFC 8945 §5.3.1]") {
  Stream s = stream();
  CHECK(s.verifier.verify(signed_by(s.signer), vector_time) == TsigReply::Good);
  for (int i = 0; i < 99; ++i) {
    const Bytes message = plain_response(static_cast<uint8_t>(i));
    s.signer.leave_unsigned(message);
    CHECK(s.verifier.verify(message, vector_time) == TsigReply::Unsigned);
  }
  CHECK(s.verifier.verify(signed_by(s.signer), vector_time) == TsigReply::Good);
  for (int i = 0; i < 99; ++i) CHECK(s.verifier.verify(plain_response(), vector_time) == TsigReply::Unsigned);
  CHECK(s.verifier.verify(plain_response(), vector_time) == TsigReply::TooMany);
  CHECK_FALSE(s.verifier.may_end());
}

TEST_CASE("tsig stream: a refused message changes nothing in the signer") {
  Stream s = stream();
  Bytes first = plain_response();
  first.resize(first.size() + 10);
  CHECK_FALSE(s.signer.sign(first, first.size() - 10, vector_time));
  CHECK(s.verifier.verify(signed_by(s.signer), vector_time) == TsigReply::Good);
  CHECK_FALSE(s.signer.sign(first, first.size() - 10, vector_time));
  CHECK(s.verifier.verify(signed_by(s.signer), vector_time) == TsigReply::Good);
}

TEST_CASE("tsig stream: signer and verifier outlive key and request: the key may go in the middle of a transfer") {
  auto key = std::make_unique<TsigKey>(vector_key());
  Stream s = stream(*key);
  CHECK(s.verifier.verify(signed_by(s.signer), vector_time) == TsigReply::Good);
  key.reset();
  for (int i = 0; i < 3; ++i) CHECK(s.verifier.verify(signed_by(s.signer), vector_time) == TsigReply::Good);
}

TEST_CASE("tsig stream: a TSIG that is not last, or of another kind, ends it [RFC 8945 §5.1, CVE-2016-7074]") {
  Stream s = stream();
  Bytes message = signed_by(s.signer);
  append(message, unhex("c00c000100010000003c0004c0000209"));
  store_u16(&message[10], 2);
  CHECK(s.verifier.verify(message, vector_time) == TsigReply::FormErr);
  Stream other = stream();
  CHECK(other.verifier.verify(signed_by(other.signer), vector_time) == TsigReply::Good);
  CHECK(other.verifier.verify(unhex(peers::nsupdate_ed25519.update.message), vector_time) == TsigReply::FormErr);
}

TEST_CASE("tsig: what is shorter than a header is never signed") {
  TsigVerdict verdict = verify_request(unhex(dnspython::request_sha256), vector_ring(), vector_time);
  Bytes tiny = {1, 2, 3};
  CHECK_FALSE(verdict.sign_response(tiny, vector_time));
  CHECK(tiny.size() == 3);
  CHECK_FALSE(sign_request(tiny, vector_key(), vector_time));
}
