#pragma once
// Octets: views, owned buffers, and bounds-checked reading and writing in network byte order.
//
// ByteReader never reads past its view: after the first short read it is `!ok()` and yields zeros, so that a
// parser checks once at the end of a step. ByteWriter writes into memory that somebody else owns and never
// past its end: after the first write that does not fit it is `!ok()` and writes nothing more.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace steward {

using Bytes = std::vector<uint8_t>;
using ByteView = std::span<const uint8_t>;
using MutableByteView = std::span<uint8_t>;

inline ByteView as_bytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}
inline std::string_view as_text(ByteView bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

inline uint16_t load_u16(const uint8_t* p) { return static_cast<uint16_t>(p[0] << 8 | p[1]); }
inline uint32_t load_u32(const uint8_t* p) {
  return static_cast<uint32_t>(p[0]) << 24 | static_cast<uint32_t>(p[1]) << 16 | static_cast<uint32_t>(p[2]) << 8 | p[3];
}
inline void store_u16(uint8_t* p, uint16_t v) {
  p[0] = static_cast<uint8_t>(v >> 8);
  p[1] = static_cast<uint8_t>(v);
}
inline void store_u32(uint8_t* p, uint32_t v) {
  store_u16(p, static_cast<uint16_t>(v >> 16));
  store_u16(p + 2, static_cast<uint16_t>(v));
}

inline void append(Bytes& to, ByteView what) { to.insert(to.end(), what.begin(), what.end()); }
inline void append_u8(Bytes& to, uint8_t v) { to.push_back(v); }
inline void append_u16(Bytes& to, uint16_t v) {
  to.push_back(static_cast<uint8_t>(v >> 8));
  to.push_back(static_cast<uint8_t>(v));
}
inline void append_u32(Bytes& to, uint32_t v) {
  append_u16(to, static_cast<uint16_t>(v >> 16));
  append_u16(to, static_cast<uint16_t>(v));
}

class ByteReader {
 public:
  explicit ByteReader(ByteView view, size_t at = 0) : view_(view), at_(at) {}

  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] size_t at() const { return at_; }
  [[nodiscard]] size_t left() const { return ok_ ? view_.size() - at_ : 0; }
  [[nodiscard]] ByteView rest() const { return view_.subspan(at_, left()); }

  uint8_t u8() { return take(1) ? view_[at_ - 1] : uint8_t{0}; }
  uint16_t u16() { return take(2) ? load_u16(&view_[at_ - 2]) : uint16_t{0}; }
  uint32_t u32() { return take(4) ? load_u32(&view_[at_ - 4]) : 0; }
  ByteView bytes(size_t n) { return take(n) ? view_.subspan(at_ - n, n) : ByteView{}; }
  void skip(size_t n) { take(n); }

 private:
  bool take(size_t n) {
    if (!ok_ || view_.size() - at_ < n) return ok_ = false;
    at_ += n;
    return true;
  }
  ByteView view_;
  size_t at_;
  bool ok_ = true;
};

class ByteWriter {
 public:
  explicit ByteWriter(MutableByteView out, size_t at = 0) : out_(out), at_(at) {}

  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] size_t at() const { return at_; }
  [[nodiscard]] size_t left() const { return out_.size() - at_; }
  [[nodiscard]] uint8_t* data() const { return out_.data(); }
  /// Forgets what was written past `at`, and an overflow with it: how an RRset that did not fit is taken back.
  void rewind(size_t at) {
    at_ = at;
    ok_ = true;
  }

  void u8(uint8_t v) {
    if (room(1)) out_[at_++] = v;
  }
  void u16(uint16_t v) {
    if (!room(2)) return;
    store_u16(&out_[at_], v);
    at_ += 2;
  }
  void u32(uint32_t v) {
    if (!room(4)) return;
    store_u32(&out_[at_], v);
    at_ += 4;
  }
  void bytes(ByteView v) {
    if (v.empty() || !room(v.size())) return;
    std::memcpy(&out_[at_], v.data(), v.size());
    at_ += v.size();
  }

 private:
  bool room(size_t n) {
    if (!ok_ || out_.size() - at_ < n) return ok_ = false;
    return true;
  }
  MutableByteView out_;
  size_t at_;
  bool ok_ = true;
};

}  // namespace steward
