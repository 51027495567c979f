// The libcurl engines of one worker: one, and another only when all have as
// many calls as they should, since libcurl looks at every transfer of an engine
// whenever that acts.
#ifndef NGX_HTTP_X402_CURL_ENGINES_HPP
#define NGX_HTTP_X402_CURL_ENGINES_HPP

#include <cstddef>
#include <memory>
#include <vector>

#include "nginx/call/ngx_http_x402_curl.hpp"

namespace x402 {

class CurlEngines {
public:
    CurlEngines();

    // "libcurl 7.88.1": the library that runs.
    static std::string version();

    // Whether libcurl could be started.
    bool ok() const { return engines_.front()->ok(); }

    // As those of an engine.
    CurlEngine::Transfer *start(CurlRequest request, CurlEngine::Done done,
                                void *data);
    void cancel(CurlEngine::Transfer *transfer);

private:
    static constexpr std::size_t kCallsEach = 512;

    CurlEngine &with_room();

    std::vector<std::unique_ptr<CurlEngine>> engines_;  // never empty
};

}  // namespace x402

#endif
