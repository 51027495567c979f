// SPDX-License-Identifier: Apache-2.0
// In the place of the curl files where the module is built without libcurl
// (X402_CURL=no). The configuration was refused where one is needed; what is
// left is an http facilitator that redirects to https under an nginx without
// TLS, whose call fails.
#include "nginx/call/curl/ngx_http_x402_curl.hpp"

namespace x402 {

CurlEngine::CurlEngine()
    : timer_(
        AtQuit::cancel, [](void *) {}, this),
      guard_(
          AtQuit::cancel, [](void *) {}, this)
{
}

CurlEngine::~CurlEngine() = default;

std::string CurlEngines::version()
{
    return {};
}

bool CurlEngines::prepare()
{
    return false;
}

CurlEngine::Transfer *CurlEngines::start(CurlRequest, CurlEngine::Done, void *)
{
    return nullptr;
}

void CurlEngines::cancel(CurlEngine::Transfer *) {}

}  // namespace x402
