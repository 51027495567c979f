#include "nginx/ngx_http_x402_curl.hpp"

#include <curl/curl.h>
#include <openssl/err.h>

#include <algorithm>
#include <memory>

#include "nginx/ngx_http_x402_log.hpp"

namespace x402 {

namespace {

constexpr std::size_t kMaxIdleHandles = 256;
// Facilitators on node close idle connections after 5 s; a settle must not
// meet one that is about to die.
constexpr long kMaxIdleSecondsOfSettle = 3;
constexpr ngx_msec_t kGuardInterval = 500;

CURL *easy(void *handle)
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

}  // namespace

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
    curl_slist *headers = nullptr;
    curl_slist *resolve = nullptr;
    char error[CURL_ERROR_SIZE] = "";

    ~Transfer()
    {
        curl_slist_free_all(headers);
        curl_slist_free_all(resolve);
    }
};

// What curl calls. None of these may call back into nginx's request code.
struct CurlEngine::Callbacks {
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
    static int on_send(void *data, char *, char *, int, int)
    {
        auto *transfer = static_cast<Transfer *>(data);
        if (transfer->request.send_once && transfer->sends >= 1) {
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

    static void set_interest(ngx_event_t *event, ngx_int_t kind, bool wanted)
    {
        if (wanted && !event->active) {
            ngx_add_event(event, kind, NGX_LEVEL_EVENT);
        } else if (!wanted && event->active) {
            ngx_del_event(event, kind, 0);
        }
    }

    static void release_socket(CURLM *multi, curl_socket_t fd,
                               ngx_connection_t *c)
    {
        set_interest(c->read, NGX_READ_EVENT, false);
        set_interest(c->write, NGX_WRITE_EVENT, false);
        if (c->read->posted) {
            ngx_delete_posted_event(c->read);
        }
        if (c->write->posted) {
            ngx_delete_posted_event(c->write);
        }
        // Not ngx_close_connection(): curl owns the descriptor.
        ngx_free_connection(c);
        c->fd = static_cast<ngx_socket_t>(-1);
        curl_multi_assign(multi, fd, nullptr);
    }

    static int on_socket(CURL *, curl_socket_t fd, int what, void *data,
                         void *socket_data)
    {
        auto *engine = static_cast<CurlEngine *>(data);
        auto *c = static_cast<ngx_connection_t *>(socket_data);

        if (what == CURL_POLL_REMOVE) {
            if (c != nullptr) {
                release_socket(engine->multi_, fd, c);
            }
            return 0;
        }
        if (c == nullptr) {
            c = ngx_get_connection(fd, ngx_cycle->log);
            if (c == nullptr) {
                return -1;
            }
            c->data = engine;
            c->read->handler = on_socket_event;
            c->write->handler = on_socket_event;
            c->read->log = c->write->log = c->log = ngx_cycle->log;
            curl_multi_assign(engine->multi_, fd, c);
        }
        set_interest(c->read, NGX_READ_EVENT, what & CURL_POLL_IN);
        set_interest(c->write, NGX_WRITE_EVENT, what & CURL_POLL_OUT);
        return 0;
    }

    static int on_timeout(CURLM *, long milliseconds, void *data)
    {
        static_cast<CurlEngine *>(data)->update_timer(milliseconds);
        return 0;
    }
};

CurlEngine::CurlEngine()
{
    ngx_memzero(&timer_, sizeof(timer_));
    ngx_memzero(&guard_, sizeof(guard_));
    ngx_memzero(&nobody_, sizeof(nobody_));
    nobody_.fd = static_cast<ngx_socket_t>(-1);
    nobody_.data = this;
    timer_.data = guard_.data = &nobody_;
    timer_.log = guard_.log = ngx_cycle->log;
    timer_.handler = on_timer;
    guard_.handler = on_guard;
    timer_.cancelable = 1;

    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        return;
    }
    CURLM *multi = curl_multi_init();
    if (multi == nullptr) {
        return;
    }
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, Callbacks::on_socket);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, this);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, Callbacks::on_timeout);
    curl_multi_setopt(multi, CURLMOPT_TIMERDATA, this);
    curl_multi_setopt(multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
    multi_ = multi;
}

CurlEngine::~CurlEngine()
{
    OpensslErrorsContained contained;
    while (!active_.empty()) {
        cancel(active_.back());
    }
    for (void *handle : idle_handles_) {
        curl_easy_cleanup(easy(handle));
    }
    if (multi_ != nullptr) {
        curl_multi_cleanup(multi_);
    }
    if (timer_.timer_set) {
        ngx_del_timer(&timer_);
    }
    if (timer_.posted) {
        ngx_delete_posted_event(&timer_);
    }
    if (guard_.timer_set) {
        ngx_del_timer(&guard_);
    }
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

    transfer.headers =
        curl_slist_append(nullptr, "Content-Type: application/json");
    curl_slist_append(transfer.headers, "Accept: application/json");
    // No "Expect: 100-continue": it would cost a round trip.
    curl_slist_append(transfer.headers, "Expect:");
    if (transfer.headers == nullptr) {
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

    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_PROXY, "");
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    set(CURLOPT_URL, request.url.c_str());
    set(CURLOPT_POST, 1L);
    set(CURLOPT_POSTFIELDSIZE, static_cast<long>(request.body.size()));
    set(CURLOPT_POSTFIELDS, request.body.data());
    set(CURLOPT_HTTPHEADER, transfer.headers);
    set(CURLOPT_RESOLVE, transfer.resolve);
    set(CURLOPT_USERAGENT, "ngx_http_x402_module");
    set(CURLOPT_BUFFERSIZE, 4096L);
    set(CURLOPT_WRITEFUNCTION, Callbacks::on_body);
    set(CURLOPT_WRITEDATA, &transfer);
    set(CURLOPT_PREREQFUNCTION, Callbacks::on_send);
    set(CURLOPT_PREREQDATA, &transfer);
    set(CURLOPT_XFERINFOFUNCTION, Callbacks::on_progress);
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
    active_.reserve(active_.size() + 1);

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

// Takes the transfer off curl; the easy handle goes back to the pool. curl
// closes the connection of a transfer that was not finished.
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
    curl_easy_reset(handle);
    if (idle_handles_.size() < kMaxIdleHandles) {
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

void CurlEngine::finish(Transfer *transfer, int result)
{
    std::unique_ptr<Transfer> owned(transfer);
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
    discard(transfer);
    transfer->done(transfer->data, reply);
}

void CurlEngine::after_action()
{
    // Before anything of nginx runs on.
    ERR_clear_error();
    int left;
    // One at a time: a completion may cancel others or start new ones.
    while (CURLMsg *message = curl_multi_info_read(multi_, &left)) {
        if (message->msg != CURLMSG_DONE) {
            continue;
        }
        Transfer *transfer = nullptr;
        int result = message->data.result;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
        finish(transfer, result);
    }
}

void CurlEngine::update_timer(long milliseconds)
{
    if (timer_.timer_set) {
        ngx_del_timer(&timer_);
    }
    if (milliseconds < 0) {
        return;
    }
    if (milliseconds == 0) {
        // Posted, not armed: a timer of 0 ms would wait for the next turn.
        ngx_post_event(&timer_, &ngx_posted_events);
        return;
    }
    ngx_add_timer(&timer_, static_cast<ngx_msec_t>(milliseconds));
}

// A quitting worker stays while a timer that is not cancelable is armed; a
// settlement on the wire must be waited for.
void CurlEngine::keep_worker()
{
    if (active_.empty()) {
        if (guard_.timer_set) {
            ngx_del_timer(&guard_);
        }
    } else if (!guard_.timer_set) {
        ngx_add_timer(&guard_, kGuardInterval);
    }
}

void CurlEngine::on_guard(ngx_event_t *event)
{
    auto *nobody = static_cast<ngx_connection_t *>(event->data);
    static_cast<CurlEngine *>(nobody->data)->keep_worker();
}

void CurlEngine::on_timer(ngx_event_t *event)
{
    auto *nobody = static_cast<ngx_connection_t *>(event->data);
    auto *engine = static_cast<CurlEngine *>(nobody->data);
    guarded(ngx_cycle->log, 0, [&] {
        int running;
        curl_multi_socket_action(engine->multi_, CURL_SOCKET_TIMEOUT, 0,
                                 &running);
        engine->after_action();
        return 0;
    });
}

void CurlEngine::on_socket_event(ngx_event_t *event)
{
    // worker_shutdown_timeout calls this with c->close set: an event like any
    // other, curl finds out that there is nothing to read.
    auto *c = static_cast<ngx_connection_t *>(event->data);
    auto *engine = static_cast<CurlEngine *>(c->data);
    guarded(ngx_cycle->log, 0, [&] {
        int running;
        int mask = event->write ? CURL_CSELECT_OUT : CURL_CSELECT_IN;
        curl_multi_socket_action(engine->multi_, c->fd, mask, &running);
        engine->after_action();
        return 0;
    });
}

}  // namespace x402
