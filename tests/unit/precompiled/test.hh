#pragma once
// What nearly every test includes, read once for the tests of a room where sanitizers make compiling dear. The build without
// them does not have it, so that each file still has to include what it uses.

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>
#include <vector>
