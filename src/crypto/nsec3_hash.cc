#include "crypto/nsec3_hash.hh"

#include "crypto/digest.hh"

namespace steward::crypto {

std::array<uint8_t, 20> nsec3_hash(dns::NameView name, ByteView salt, uint16_t iterations) {
  constexpr size_t hash_size = digest_size(DigestAlgorithm::Sha1);
  std::array<uint8_t, dns::max_name_size + 255> input;
  std::array<uint8_t, hash_size> hash;
  dns::fold_into(name, input.data());
  salt = salt.first(std::min<size_t>(salt.size(), 255));
  if (!salt.empty()) std::memcpy(&input[name.size()], salt.data(), salt.size());
  digest(DigestAlgorithm::Sha1, ByteView(input.data(), name.size() + salt.size()), hash.data());
  if (iterations == 0) return hash;
  if (!salt.empty()) std::memcpy(&input[hash_size], salt.data(), salt.size());
  for (uint16_t i = 0; i < iterations; ++i) {
    std::memcpy(input.data(), hash.data(), hash_size);
    digest(DigestAlgorithm::Sha1, ByteView(input.data(), hash_size + salt.size()), hash.data());
  }
  return hash;
}

}  // namespace steward::crypto
