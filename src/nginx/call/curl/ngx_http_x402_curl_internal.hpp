// SPDX-License-Identifier: Apache-2.0
// Private to the files of the curl engine: curl (the event loop) and
// curl_transfer (one call).
#ifndef NGX_HTTP_X402_CURL_INTERNAL_HPP
#define NGX_HTTP_X402_CURL_INTERNAL_HPP

#include <cstring>

#include <curl/curl.h>
#include <openssl/err.h>

#include "base/secret_memory.hpp"
#include "nginx/call/curl/ngx_http_x402_curl.hpp"

namespace x402 {

inline CURL *easy(void *handle)
{
    return static_cast<CURL *>(handle);
}

// curl leaves errors in OpenSSL's queue, which is one for the whole thread;
// nginx would take them for its own connections' and raise an alert.
class OpensslErrorsContained {
public:
    OpensslErrorsContained() = default;
    ~OpensslErrorsContained() { ERR_clear_error(); }
    OpensslErrorsContained(const OpensslErrorsContained &) = delete;
    OpensslErrorsContained &operator=(const OpensslErrorsContained &) = delete;
};

struct CurlEngine::Transfer {
    CurlEngine *engine = nullptr;
    void *handle = nullptr;  // CURL
    CurlRequest request;
    FacilitatorReply reply;
    Done done = nullptr;
    void *data = nullptr;
    unsigned sends = 0;
    curl_off_t uploaded = 0;  // the most that any send got out
    bool too_large = false;
    bool unwatched = false;  // nginx has no place for its socket
    int fd = -1;             // it was sent on
    bool stale = false;      // it was not: the connection held bytes already
    bool repeated = false;
    ngx_msec_t deadline = 0;
    curl_slist *headers = nullptr;
    curl_slist *resolve = nullptr;
    char error[CURL_ERROR_SIZE] = "";

    ~Transfer()
    {
        if (request.has_secret) {
            wipe_headers();
        }
        curl_slist_free_all(headers);
        curl_slist_free_all(resolve);
    }

    // What libcurl has made of them is its own.
    void wipe_headers()
    {
        for (std::string &line : request.headers) {
            wipe(line);
        }
        for (curl_slist *line = headers; line; line = line->next) {
            wipe(line->data, std::strlen(line->data));
        }
    }
};

}  // namespace x402

#endif
