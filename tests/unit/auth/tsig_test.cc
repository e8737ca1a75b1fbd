#include <doctest/doctest.h>
#include "auth/tsig_client.hh"
#include "auth/sig0.hh"
TEST_CASE("x") {}
