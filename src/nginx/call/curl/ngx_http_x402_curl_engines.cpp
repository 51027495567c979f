#include "nginx/call/curl/ngx_http_x402_curl_engines.hpp"

#include <new>
#include <utility>

#include "nginx/call/curl/ngx_http_x402_curl_internal.hpp"

namespace x402 {

bool CurlEngines::prepare()
{
    if (engines_.empty()) {
        auto first = std::make_unique<CurlEngine>();
        if (!first->ok()) {
            return false;
        }
        engines_.push_back(std::move(first));
    }
    return true;
}

std::string CurlEngines::version()
{
    return std::string("libcurl ")
           + curl_version_info(CURLVERSION_NOW)->version;
}

// The first that has: its connections are the ones that are kept.
CurlEngine &CurlEngines::with_room()
{
    for (auto &engine : engines_) {
        if (engine->calls() < kCallsEach) {
            return *engine;
        }
    }
    // Money: without memory for another one a call is dearer, and not lost.
    try {
        auto another = std::make_unique<CurlEngine>();
        if (another->ok()) {
            engines_.push_back(std::move(another));
        }
    } catch (const std::bad_alloc &) {
    }
    return *engines_.back();
}

CurlEngine::Transfer *CurlEngines::start(CurlRequest request,
                                         CurlEngine::Done done, void *data)
{
    if (!prepare()) {
        return nullptr;
    }
    return with_room().start(std::move(request), done, data);
}

void CurlEngines::cancel(CurlEngine::Transfer *transfer)
{
    transfer->engine->cancel(transfer);
}

}  // namespace x402
