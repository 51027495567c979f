// SPDX-License-Identifier: Apache-2.0
// The engine between curl's sockets and timers and nginx's.
#include "nginx/call/curl/ngx_http_x402_curl.hpp"

#include <algorithm>
#include <new>
#include <utility>

#include <fcntl.h>

#include "nginx/call/curl/ngx_http_x402_curl_internal.hpp"
#include "nginx/core/ngx_http_x402_log.hpp"

namespace x402 {

namespace {

constexpr ngx_msec_t kGuardInterval = 500;

}  // namespace

// What curl calls about its sockets and its timer. None of these may call back
// into nginx's request code.
struct CurlEngine::SocketCallbacks {
    static void set_interest(ngx_event_t *event, ngx_int_t kind, bool wanted)
    {
        if (wanted && !event->active) {
            ngx_add_event(event, kind, NGX_LEVEL_EVENT);
        } else if (!wanted && event->active) {
            ngx_del_event(event, kind, 0);
        }
    }

    // The kernel has forgotten the descriptor, so that nginx has to, without
    // asking the kernel.
    static void forget_interest(ngx_connection_t *c)
    {
        if (c->read->active) {
            ngx_del_event(c->read, NGX_READ_EVENT, NGX_CLOSE_EVENT);
        }
        if (c->write->active) {
            ngx_del_event(c->write, NGX_WRITE_EVENT, NGX_CLOSE_EVENT);
        }
    }

    static void release_socket(CurlEngine &engine, curl_socket_t fd)
    {
        auto at = engine.watched_.find(fd);
        if (at == engine.watched_.end()) {
            return;
        }
        ngx_connection_t *c = at->second;
        engine.watched_.erase(at);
        if (fcntl(fd, F_GETFD) == -1) {
            forget_interest(c);
        }
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
    }

    static ngx_connection_t *watch_socket(CurlEngine &engine, curl_socket_t fd)
    {
        auto at = engine.watched_.find(fd);
        if (at != engine.watched_.end()) {
            return at->second;
        }
        at = engine.watched_.emplace(fd, nullptr).first;
        ngx_connection_t *c = ngx_get_connection(fd, ngx_cycle->log);
        if (c == nullptr) {
            engine.watched_.erase(at);
            return nullptr;
        }
        c->data = &engine;
        c->read->handler = on_socket_event;
        c->write->handler = on_socket_event;
        c->read->log = c->write->log = c->log = ngx_cycle->log;
        at->second = c;
        return c;
    }

    // Never an error: after one curl would not serve any transfer.
    static int on_socket(CURL *handle, curl_socket_t fd, int what, void *data,
                         void *)
    {
        auto *engine = static_cast<CurlEngine *>(data);
        bool followed = guarded(ngx_cycle->log, false, [&] {
            if (what == CURL_POLL_REMOVE) {
                release_socket(*engine, fd);
                return true;
            }
            ngx_connection_t *c = watch_socket(*engine, fd);
            if (c == nullptr) {
                return false;
            }
            set_interest(c->read, NGX_READ_EVENT, what & CURL_POLL_IN);
            set_interest(c->write, NGX_WRITE_EVENT, what & CURL_POLL_OUT);
            return true;
        });
        if (!followed) {
            engine->give_up(handle);
        }
        return 0;
    }

    // curl closes a socket that did not connect without a report. When the next
    // address gets the same number it is the same socket to curl, which does
    // not ask again to have it watched.
    static curl_socket_t on_open(void *data, curlsocktype,
                                 curl_sockaddr *address)
    {
        auto *engine = static_cast<CurlEngine *>(data);
        return guarded(ngx_cycle->log, CURL_SOCKET_BAD, [&] {
            curl_socket_t fd =
                ::socket(address->family, address->socktype, address->protocol);
            if (fd == CURL_SOCKET_BAD) {
                return fd;
            }
            bool noted = guarded(ngx_cycle->log, false, [&] {
                engine->sockets_[fd] = Socket();
                return true;
            });
            if (!noted) {
                close(fd);
                return CURL_SOCKET_BAD;
            }
            auto at = engine->watched_.find(fd);
            if (at != engine->watched_.end()) {
                ngx_connection_t *c = at->second;
                bool reads = c->read->active;
                bool writes = c->write->active;
                forget_interest(c);
                set_interest(c->read, NGX_READ_EVENT, reads);
                set_interest(c->write, NGX_WRITE_EVENT, writes);
            }
            return fd;
        });
    }

    static int on_timeout(CURLM *, long milliseconds, void *data)
    {
        static_cast<CurlEngine *>(data)->update_timer(milliseconds);
        return 0;
    }
};

// curl reports that a socket need not be watched any more after it has closed
// it when a transfer is given up while it connects; this is called before.
int CurlEngine::close_socket(void *data, int fd)
{
    return guarded(ngx_cycle->log, -1, [&] {
        auto *engine = static_cast<CurlEngine *>(data);
        SocketCallbacks::release_socket(*engine, fd);
        engine->sockets_.erase(fd);
        return close(fd);
    });
}

bool CurlEngine::follow_sockets(Transfer &transfer)
{
    CURL *handle = easy(transfer.handle);
    int failed = 0;
    auto set = [&](CURLoption option, auto value) {
        failed |= curl_easy_setopt(handle, option, value) != CURLE_OK;
    };
    set(CURLOPT_OPENSOCKETFUNCTION, SocketCallbacks::on_open);
    set(CURLOPT_OPENSOCKETDATA, this);
    set(CURLOPT_CLOSESOCKETFUNCTION, close_socket);
    set(CURLOPT_CLOSESOCKETDATA, this);
    return !failed;
}

CurlEngine::CurlEngine()
    : timer_(
        AtQuit::cancel,
        [](void *engine) {
            static_cast<CurlEngine *>(engine)->act(CURL_SOCKET_TIMEOUT, 0);
        },
        this),
      guard_(
          AtQuit::wait,
          [](void *engine) {
              static_cast<CurlEngine *>(engine)->keep_worker();
          },
          this)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        return;
    }
    CURLM *multi = curl_multi_init();
    if (multi == nullptr) {
        return;
    }
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION,
                      SocketCallbacks::on_socket);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, this);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION,
                      SocketCallbacks::on_timeout);
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
}

void CurlEngine::act(int fd, int mask)
{
    int running;
    CURLMcode code = curl_multi_socket_action(multi_, fd, mask, &running);
    if (code != CURLM_OK && code != CURLM_BAD_SOCKET) {
        // Without memory it neither says whose socket is not watched nor sets
        // its timer, and no transfer would ever end.
        for (Transfer *transfer : active_) {
            transfer->unwatched = true;
        }
    }
    after_action();
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
        if (!transfer->stale || !repeat(*transfer)) {
            finish(transfer, result);
        }
    }
    auto unwatched = [](const Transfer *transfer) {
        return transfer->unwatched;
    };
    for (;;) {
        auto at = std::find_if(active_.begin(), active_.end(), unwatched);
        if (at == active_.end()) {
            return;
        }
        finish(*at, CURLE_OUT_OF_MEMORY);
    }
}

// The transfer could not proceed: it ends when curl has returned.
void CurlEngine::give_up(void *handle)
{
    Transfer *transfer = nullptr;
    curl_easy_getinfo(easy(handle), CURLINFO_PRIVATE, &transfer);
    if (transfer != nullptr) {
        transfer->unwatched = true;
        timer_.post();
    }
}

void CurlEngine::update_timer(long milliseconds)
{
    timer_.disarm();
    if (milliseconds < 0) {
        return;
    }
    if (milliseconds == 0) {
        // Posted, not armed: a timer of 0 ms would wait for the next turn.
        timer_.post();
        return;
    }
    timer_.arm(static_cast<ngx_msec_t>(milliseconds));
}

// A quitting worker stays while a timer that is not cancelable is armed; a
// settlement on the wire must be waited for.
void CurlEngine::keep_worker()
{
    bool awaited = std::any_of(
        active_.begin(), active_.end(),
        [](const Transfer *transfer) { return !transfer->request.background; });
    if (!awaited) {
        guard_.disarm();
    } else if (!guard_.armed()) {
        guard_.arm(kGuardInterval);
    }
}

void CurlEngine::on_socket_event(ngx_event_t *event)
{
    // worker_shutdown_timeout calls this with c->close set: an event like any
    // other, curl finds out that there is nothing to read.
    auto *c = static_cast<ngx_connection_t *>(event->data);
    auto *engine = static_cast<CurlEngine *>(c->data);
    guarded(ngx_cycle->log, 0, [&] {
        engine->act(c->fd, event->write ? CURL_CSELECT_OUT : CURL_CSELECT_IN);
        return 0;
    });
}

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
    // Money: without memory for another one a call costs more, and is not lost.
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
