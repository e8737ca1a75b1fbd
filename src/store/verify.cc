// Whether all that is committed holds together, asked by the writer thread.

#include "store/walk.hh"

namespace steward::store {

Result<void> Store::verify() {
  auto reader = make_reader();
  if (!reader) return tl::unexpected<Error>(reader.error());
  if (auto acquired = (*reader)->acquire(); !acquired) return acquired;
  const auto census = store::verify(**reader);
  (*reader)->release();
  if (!census) return tl::unexpected<Error>(census.error());
  return {};
}

}  // namespace steward::store
