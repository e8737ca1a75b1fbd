#pragma once
// Look-alikes of names within one namespace (federation: "Who may do what"): edit distance 0 up to 4 characters, 1 up
// to 8, 2 above; equal after dropping `-`, `_` and `.`; equal UTS #39 skeleton (of the U-label). The same publisher is
// exempt.
//
// An index in memory that answers in under a millisecond among a million names, also where nothing is like the name
// asked for and where many share long parts. One thread; no I/O.

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace steward::agent {

struct LookAlike {
  std::string name;  ///< the neighbour's label
  std::string rule;  ///< "edit distance 1", "equal but for '-'", "same skeleton"
};

class LookAlikes {
 public:
  LookAlikes();
  ~LookAlikes();
  LookAlikes(LookAlikes&&) noexcept;
  LookAlikes& operator=(LookAlikes&&) noexcept;

  /// Labels in lower case; `publisher` a fingerprint. Again with another publisher: replaces.
  void add(std::string_view label, std::string_view publisher);
  void remove(std::string_view label);
  [[nodiscard]] size_t size() const;
  [[nodiscard]] size_t memory() const;  ///< octets, about
  /// A name of another publisher that `label` could be taken for; `label` itself is none.
  [[nodiscard]] std::optional<LookAlike> find(std::string_view label, std::string_view publisher) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace steward::agent
