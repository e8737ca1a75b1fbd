#pragma once
// Handles of OpenSSL's objects and its error text. For the .cc files of this room only.

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include <string>
#include <string_view>

#include "base/handle.hh"
#include "base/result.hh"

namespace steward::crypto {

using PkeyHandle = Handle<EVP_PKEY, EVP_PKEY_free>;
using PkeyCtxHandle = Handle<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;
using MdHandle = Handle<EVP_MD, EVP_MD_free>;
using MdCtxHandle = Handle<EVP_MD_CTX, EVP_MD_CTX_free>;
using MacHandle = Handle<EVP_MAC, EVP_MAC_free>;
using MacCtxHandle = Handle<EVP_MAC_CTX, EVP_MAC_CTX_free>;
using BignumHandle = Handle<BIGNUM, BN_clear_free>;
using BnCtxHandle = Handle<BN_CTX, BN_CTX_free>;
using GroupHandle = Handle<EC_GROUP, EC_GROUP_free>;
using PointHandle = Handle<EC_POINT, EC_POINT_clear_free>;
using ParamBldHandle = Handle<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free>;
using ParamHandle = Handle<OSSL_PARAM, OSSL_PARAM_free>;
using BioHandle = Handle<BIO, BIO_free_all>;

/// The error on top of the calling thread's queue, and empties the queue: "what: reason".
[[nodiscard]] inline tl::unexpected<Error> openssl_failure(Errc code, std::string_view what) {
  const unsigned long error = ERR_peek_last_error();
  ERR_clear_error();
  const char* reason = error != 0 ? ERR_reason_error_string(error) : nullptr;
  return fail(code, std::string(what) + ": " + (reason != nullptr ? reason : "refused by the cryptographic library"));
}

}  // namespace steward::crypto
