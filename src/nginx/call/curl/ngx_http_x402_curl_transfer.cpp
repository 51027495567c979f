// SPDX-License-Identifier: Apache-2.0
// One transfer of the curl engine: its options, its bytes, its end.
#include <algorithm>
#include <memory>

#include "base/module_version.hpp"
#include "nginx/call/curl/ngx_http_x402_curl_internal.hpp"
#include "nginx/core/ngx_http_x402_log.hpp"

namespace x402 {

namespace {

constexpr std::size_t kMaxIdleHandles = 256;
// Facilitators on node close idle connections after 5 s; a settle must not
// meet one that is about to die.
constexpr long kMaxIdleSecondsOfSettle = 3;
constexpr curl_off_t kMaxRetryAfter = 86400;
constexpr long kReceiveBuffer = 4096;

}  // namespace

// What curl calls. None of these may call back into nginx's request code.
struct CurlEngine::TransferCallbacks {
    static size_t on_body(char *bytes, size_t size, size_t count, void *data)
    {
        auto *transfer = static_cast<Transfer *>(data);
        return guarded(ngx_cycle->log, static_cast<size_t>(0), [&] {
            std::string &body = transfer->reply.body;
            if (body.size() + size * count > kMaxReplyBytes) {
                transfer->too_large = true;
                return static_cast<size_t>(0);
            }
            body.append(bytes, size * count);
            return size * count;
        });
    }

    // Once for each time the request is about to be written to a connection.
    static int on_send(void *data, char *, char *, int, int local_port)
    {
        auto *transfer = static_cast<Transfer *>(data);
        if (transfer->request.send_once && transfer->sends >= 1) {
            return CURL_PREREQFUNC_ABORT;
        }
        if (transfer->engine->is_stale(*transfer, local_port)) {
            transfer->stale = true;
            return CURL_PREREQFUNC_ABORT;
        }
        transfer->sends++;
        // What an earlier send may have brought is not this one's answer.
        transfer->reply.body.clear();
        return CURL_PREREQFUNC_OK;
    }

    // Asked at every step: curl forgets how far a send got when it begins
    // another one.
    static int on_progress(void *data, curl_off_t, curl_off_t, curl_off_t,
                           curl_off_t uploaded)
    {
        auto *transfer = static_cast<Transfer *>(data);
        transfer->uploaded = std::max(transfer->uploaded, uploaded);
        return 0;
    }
};

// Header and address lists, which curl borrows until the transfer ends.
bool CurlEngine::make_lists(Transfer &transfer)
{
    const CurlRequest &request = transfer.request;
    auto add = [&transfer](const char *line) {
        curl_slist *longer = curl_slist_append(transfer.headers, line);
        if (longer == nullptr) {
            return false;
        }
        transfer.headers = longer;
        return true;
    };
    // No "Expect: 100-continue": it would cost a round trip.
    bool added = add("Content-Type: application/json")
                 && add("Accept: application/json") && add("Expect:");
    for (const std::string &line : request.headers) {
        added = added && add(line.c_str());
    }
    if (!added) {
        return false;
    }
    if (!request.addresses.empty()) {
        std::string entry = request.host + ":" + std::to_string(request.port);
        char separator = ':';
        for (const std::string &address : request.addresses) {
            bool v6 = address.find(':') != std::string::npos;
            entry += separator + (v6 ? "[" + address + "]" : address);
            separator = ',';
        }
        transfer.resolve = curl_slist_append(nullptr, entry.c_str());
        if (transfer.resolve == nullptr) {
            return false;
        }
    }
    return true;
}

bool CurlEngine::set_options(Transfer &transfer)
{
    CURL *handle = easy(transfer.handle);
    const CurlRequest &request = transfer.request;
    bool secure = request.url.compare(0, 6, "https:") == 0;
    long verify = request.ssl_verify ? 1 : 0;
    int failed = 0;
    auto set = [&](CURLoption option, auto value) {
        failed |= curl_easy_setopt(handle, option, value) != CURLE_OK;
    };

    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    set(CURLOPT_URL, request.url.c_str());
    if (request.post) {
        set(CURLOPT_POST, 1L);
        set(CURLOPT_POSTFIELDSIZE, static_cast<long>(request.body.size()));
        set(CURLOPT_POSTFIELDS, request.body.data());
    } else {
        set(CURLOPT_HTTPGET, 1L);
    }
    set(CURLOPT_HTTPHEADER, transfer.headers);
    set(CURLOPT_RESOLVE, transfer.resolve);
    set(CURLOPT_USERAGENT, NGX_HTTP_X402_USER_AGENT);
    set(CURLOPT_BUFFERSIZE, kReceiveBuffer);
    set(CURLOPT_WRITEFUNCTION, TransferCallbacks::on_body);
    set(CURLOPT_WRITEDATA, &transfer);
    set(CURLOPT_PREREQFUNCTION, TransferCallbacks::on_send);
    set(CURLOPT_PREREQDATA, &transfer);
    set(CURLOPT_XFERINFOFUNCTION, TransferCallbacks::on_progress);
    set(CURLOPT_XFERINFODATA, &transfer);
    set(CURLOPT_NOPROGRESS, 0L);
    set(CURLOPT_PRIVATE, &transfer);
    set(CURLOPT_ERRORBUFFER, transfer.error);
    set(CURLOPT_FOLLOWLOCATION, 0L);
    set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(request.connect_timeout));
    set(CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout));
    set(CURLOPT_MAXAGE_CONN,
        request.send_once ? kMaxIdleSecondsOfSettle : 118L);
    set(CURLOPT_HTTP_VERSION,
        static_cast<long>(secure ? CURL_HTTP_VERSION_2TLS
                                 : CURL_HTTP_VERSION_1_1));
    set(CURLOPT_PIPEWAIT, secure ? 1L : 0L);
    if (secure) {
        set(CURLOPT_SSL_VERIFYPEER, verify);
        set(CURLOPT_SSL_VERIFYHOST, verify * 2);
        if (!request.trusted_certificate.empty()) {
            set(CURLOPT_CAINFO, request.trusted_certificate.c_str());
            set(CURLOPT_CAPATH, static_cast<char *>(nullptr));
        }
    }
    return !failed && go_through_proxy(transfer) && follow_sockets(transfer);
}

// The names of facilitators are looked up by the proxy: inside a company's
// network it may be the only one that knows them. Over HTTP it is always a
// tunnel, also to http:// facilitators. Money: a proxy that could answer in a
// facilitator's place would make an answer to settle out of its own trouble, or
// send it twice.
bool CurlEngine::go_through_proxy(Transfer &transfer)
{
    CURL *handle = easy(transfer.handle);
    const FacilitatorProxy *proxy = transfer.request.proxy;
    int failed = 0;
    auto set = [&](CURLoption option, auto value) {
        failed |= curl_easy_setopt(handle, option, value) != CURLE_OK;
    };
    if (proxy == nullptr) {
        set(CURLOPT_PROXY, "");  // nor one of the environment
        return !failed;
    }
    bool socks = proxy->url.socks;
    // Without its scheme, which would overrule the type: for curl "socks5://"
    // means that names are looked up here.
    std::string url = proxy->url.text();
    set(CURLOPT_PROXY, url.c_str() + url.find("//") + 2);
    set(CURLOPT_PROXYTYPE,
        static_cast<long>(socks ? CURLPROXY_SOCKS5_HOSTNAME : CURLPROXY_HTTP));
    set(CURLOPT_NOPROXY, "");
    set(CURLOPT_HTTPPROXYTUNNEL, socks ? 0L : 1L);
    set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    if (!proxy->user.empty()) {
        set(CURLOPT_PROXYUSERNAME, proxy->user.c_str());
        set(CURLOPT_PROXYPASSWORD, proxy->password->view().data());
        set(CURLOPT_PROXYAUTH, static_cast<long>(CURLAUTH_BASIC));
    }
    return !failed;
}

CurlEngine::Transfer *CurlEngine::start(CurlRequest request, Done done,
                                        void *data)
{
    auto transfer = std::make_unique<Transfer>();
    transfer->engine = this;
    transfer->request = std::move(request);
    transfer->done = done;
    transfer->data = data;
    transfer->deadline = ngx_current_msec + transfer->request.timeout;
    // From here on nothing may throw: room for it among the active, and for its
    // handle among the idle when it ends.
    active_.reserve(active_.size() + 1);
    idle_handles_.reserve(kMaxIdleHandles);
    if (!make_lists(*transfer)) {
        return nullptr;
    }

    if (idle_handles_.empty()) {
        transfer->handle = curl_easy_init();
    } else {
        transfer->handle = idle_handles_.back();
        idle_handles_.pop_back();
    }
    if (transfer->handle == nullptr) {
        return nullptr;
    }
    if (!set_options(*transfer)
        || curl_multi_add_handle(multi_, easy(transfer->handle)) != CURLM_OK) {
        curl_easy_cleanup(easy(transfer->handle));
        return nullptr;
    }
    active_.push_back(transfer.get());
    keep_worker();
    return transfer.release();
}

// Money: bytes that wait on a kept connection before anything was sent are an
// answer to no call, or to another one, and curl would take them for the answer
// to this call. Over TLS curl does not look, and older versions never do. With
// HTTP/2 each answer names its stream.
bool CurlEngine::is_stale(Transfer &transfer, int local_port)
{
    for (auto &[fd, socket] : sockets_) {
        ngx_sockaddr_t local;
        socklen_t size = sizeof(local);
        if (getsockname(fd, &local.sockaddr, &size) != 0
            || ngx_inet_get_port(&local.sockaddr) != local_port) {
            continue;
        }
        transfer.fd = fd;
        bool kept = socket.sends++ > 0 && !socket.multiplexed;
        char byte;
        return kept && recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0;
    }
    return false;
}

// Once more, on a new connection: nothing has left yet. False: that cannot be.
bool CurlEngine::repeat(Transfer &transfer)
{
    auto left =
        static_cast<ngx_msec_int_t>(transfer.deadline - ngx_current_msec);
    if (transfer.repeated || left <= 0) {
        return false;
    }
    transfer.repeated = true;
    transfer.stale = false;
    CURL *handle = easy(transfer.handle);
    curl_multi_remove_handle(multi_, handle);
    return curl_easy_setopt(handle, CURLOPT_FRESH_CONNECT, 1L) == CURLE_OK
           && curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS,
                               static_cast<long>(left))
                  == CURLE_OK
           && curl_multi_add_handle(multi_, handle) == CURLM_OK;
}

// Takes the transfer off curl; its easy handle goes back to the pool when it
// can. curl closes the connection of a transfer that was not finished.
void CurlEngine::discard(Transfer *transfer)
{
    OpensslErrorsContained contained;
    CURL *handle = easy(transfer->handle);
    curl_multi_remove_handle(multi_, handle);
    auto at = std::find(active_.begin(), active_.end(), transfer);
    if (at != active_.end()) {
        *at = active_.back();
        active_.pop_back();
    }
    // Forgets every option but keeps what is worth keeping (TLS sessions).
    // After HTTP/2 curl 7.88 also keeps the receive buffer, takes no other size
    // for it, and would read more into it than it holds: not to be used again.
    curl_easy_reset(handle);
    bool clean = curl_easy_setopt(handle, CURLOPT_BUFFERSIZE, kReceiveBuffer)
                 == CURLE_OK;
    if (clean && idle_handles_.size() < kMaxIdleHandles) {
        idle_handles_.push_back(handle);
    } else {
        curl_easy_cleanup(handle);
    }
    keep_worker();
}

void CurlEngine::cancel(Transfer *transfer)
{
    discard(transfer);
    delete transfer;
}

// Headers of the answer that are read.
void CurlEngine::read_headers(Transfer &transfer)
{
    CURL *handle = easy(transfer.handle);
    FacilitatorReply &reply = transfer.reply;
    curl_off_t retry_after = 0;
    curl_easy_getinfo(handle, CURLINFO_RETRY_AFTER, &retry_after);
    reply.retry_after = static_cast<unsigned>(
        std::clamp<curl_off_t>(retry_after, 0, kMaxRetryAfter));

    curl_header *line = nullptr;
    for (size_t i = 0;
         curl_easy_header(handle, "Cache-Control", i, CURLH_HEADER, -1, &line)
         == CURLHE_OK;
         i++) {
        reply.cache_control += i == 0 ? "" : ",";
        reply.cache_control += line->value;
    }
    if (curl_easy_header(handle, "Extension-Responses", 0, CURLH_HEADER, -1,
                         &line)
        == CURLHE_OK) {
        reply.extension_responses = line->value;
    }
}

void CurlEngine::finish(Transfer *transfer, int result)
{
    std::unique_ptr<Transfer> owned(transfer);
    long version = 0;
    curl_easy_getinfo(easy(transfer->handle), CURLINFO_HTTP_VERSION, &version);
    auto used = sockets_.find(transfer->fd);
    if (used != sockets_.end() && version == CURL_HTTP_VERSION_2_0) {
        used->second.multiplexed = true;
    }
    bool read = guarded(ngx_cycle->log, false, [&] {
        read_reply(*transfer, result);
        return true;
    });
    if (!read) {
        transfer->reply.transport =
            transfer->sends == 0 ? Transport::not_sent : Transport::broken;
        transfer->reply.detail = "no memory";  // fits without any
    }
    discard(transfer);
    guarded(ngx_cycle->log, 0, [&] {
        transfer->done(transfer->data, transfer->reply);
        return 0;
    });
}

void CurlEngine::read_reply(Transfer &done, int result)
{
    Transfer *transfer = &done;
    FacilitatorReply &reply = transfer->reply;
    CURL *handle = easy(transfer->handle);
    long status = 0;
    char *location = nullptr;
    curl_off_t uploaded = 0;

    curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(handle, CURLINFO_REDIRECT_URL, &location);
    curl_easy_getinfo(handle, CURLINFO_SIZE_UPLOAD_T, &uploaded);
    reply.status = static_cast<int>(status);
    reply.location = location ? location : "";
    read_headers(*transfer);
    uploaded = std::max(uploaded, transfer->uploaded);
    reply.sent_completely =
        transfer->sends > 0
        && uploaded >= static_cast<curl_off_t>(transfer->request.body.size());

    if (result == CURLE_OK) {
        reply.transport = Transport::answered;
    } else {
        bool late = result == CURLE_OPERATION_TIMEDOUT;
        if (transfer->sends == 0) {
            reply.transport =
                late ? Transport::no_connection : Transport::not_sent;
        } else {
            reply.transport = late ? Transport::timed_out : Transport::broken;
        }
        const char *why =
            transfer->error[0]
                ? transfer->error
                : curl_easy_strerror(static_cast<CURLcode>(result));
        if (transfer->too_large) {
            why = "the answer is larger than 256 KB";
        } else if (result == CURLE_ABORTED_BY_CALLBACK) {
            why = "the connection died without an answer; not sent again";
        }
        reply.detail = why;
    }
}

}  // namespace x402
