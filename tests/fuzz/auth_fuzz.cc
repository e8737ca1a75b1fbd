// Octets taken as a signed message: finding and checking its signature is safe, nothing is good that our key did not
// sign, and whatever the verdict, the response to it can be finished and is found signed as it should be.

#include "auth/sig0.hh"
#include "auth/tsig_client.hh"
#include "dns/message.hh"
#include "require.hh"

using namespace steward;
using namespace steward::auth;
using fuzz::require;

namespace {

constexpr UnixTime now = UnixTime{Seconds{1'700'000'000}};

/// The key of the corpus, which is made with it, and one that nobody has: no input can be signed with it.
struct Keys {
  Keyring corpus = ring(31);
  Keyring unknown = ring(48);

  static Keyring ring(uint8_t last) {
    Bytes secret(32);
    for (size_t i = 0; i < secret.size(); ++i) secret[i] = static_cast<uint8_t>(i);
    secret.back() = last;
    auto made =
        Keyring::create({{*dns::Name::from_text("key.example."), TsigAlgorithm::HmacSha256, std::move(secret), 0}});
    return std::move(*made);
  }
};

void check_response(TsigVerdict& verdict) {
  Bytes response(dns::header_size);
  const size_t size = verdict.response_size();
  require(verdict.sign_response(response, now).has_value(), "every verdict has a response");
  require(response.size() == dns::header_size + size, "a response has the size that was told");
  const FoundSignature found = find_signature(response);
  require((found.kind == SignatureKind::Tsig) == (size > 0), "a response is signed where its request was");
  if (size == 0) return;
  const auto record = read_tsig(response, found);
  require(record.has_value(), "our TSIG can be read");
  require(record->mac.empty() == !verdict.signer.has_value(), "who does not know the key gets no MAC");
}

void check_sig0(ByteView message, const FoundSignature& found) {
  static VerifyBudget budget({.per_second = 1'000'000, .per_client_second = 1'000'000}, {});
  const auto sig0 = read_sig0(message, found);
  if (!sig0) return;
  require(sig0->message_size < message.size(), "a SIG(0) has octets");
  Bytes key = {2, 0, 3, sig0->algorithm};
  append(key, sig0->signature);
  const ByteView keys[] = {key, sig0->signature, {}};
  (void)verify_sig0(message, *sig0, keys, now, {&budget, SocketAddress(), 0});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const Keys keys;
  const ByteView message(data, size);
  const FoundSignature found = find_signature(message);
  require(found.message_size <= size, "a message without its signature is no longer than with it");
  TsigVerdict verdict = verify_request(message, found, keys.corpus, now);
  require((verdict.status == TsigStatus::Absent) ==
              (found.kind == SignatureKind::None || found.kind == SignatureKind::Sig0),
          "a TSIG is never overlooked");
  check_response(verdict);
  TsigVerdict other = verify_request(message, found, keys.unknown, now);
  require(!other.signer.has_value(), "a key that nobody has signs nothing");
  TsigVerifier verifier(*keys.unknown.find(*dns::Name::from_text("key.example.")), {});
  require(verifier.verify(message, now) != TsigReply::Good && !verifier.may_end(), "nor responses");
  if (found.kind == SignatureKind::Sig0) check_sig0(message, found);
  return 0;
}
