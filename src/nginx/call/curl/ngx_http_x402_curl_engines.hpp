// The libcurl engines of one worker: none until the first call needs one, and
// another only when all have as many calls as they should, since libcurl looks
// at every transfer of an engine whenever that acts.
#ifndef NGX_HTTP_X402_CURL_ENGINES_HPP
#define NGX_HTTP_X402_CURL_ENGINES_HPP

#include <cstddef>
#include <memory>
#include <vector>

#include "nginx/call/curl/ngx_http_x402_curl.hpp"

namespace x402 {

class CurlEngines {
public:
    // "libcurl 7.88.1": the library that runs. Empty where there is none.
    static std::string version();

    // Makes the first, where a call is to be expected. False: libcurl could not
    // be started, or there is none.
    bool prepare();

    // As those of an engine.
    CurlEngine::Transfer *start(CurlRequest request, CurlEngine::Done done,
                                void *data);
    void cancel(CurlEngine::Transfer *transfer);

private:
    static constexpr std::size_t kCallsEach = 512;

    CurlEngine &with_room();

    std::vector<std::unique_ptr<CurlEngine>> engines_;
};

}  // namespace x402

#endif
