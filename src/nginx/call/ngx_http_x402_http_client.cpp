// SPDX-License-Identifier: Apache-2.0
// One exchange of the http client: send, read, and what its end means.
#include <algorithm>
#include <memory>

#include "base/secret_memory.hpp"
#include "nginx/call/ngx_http_x402_http_client_internal.hpp"

namespace x402 {

namespace {

constexpr std::size_t kReadBytes = 4096;
constexpr time_t kMaxRetryAfter = 86400;

// Seconds; a date is counted from now. 0: absent or invalid.
unsigned seconds_to_retry(const std::string &text)
{
    auto *bytes = reinterpret_cast<u_char *>(const_cast<char *>(text.data()));
    time_t seconds = ngx_atotm(bytes, text.size());
    if (seconds == static_cast<time_t>(NGX_ERROR)) {
        time_t date = ngx_parse_http_time(bytes, text.size());
        seconds =
            date == static_cast<time_t>(NGX_ERROR) ? 0 : date - ngx_time();
    }
    return static_cast<unsigned>(
        std::clamp<time_t>(seconds, 0, kMaxRetryAfter));
}

}  // namespace

HttpOrigin::Exchange::Exchange(HttpOrigin &its_origin, HttpRequest its_request,
                               Done its_done, void *its_data)
    : origin(its_origin),
      request(std::move(its_request)),
      done(its_done),
      data(its_data),
      deadline(ngx_current_msec + request.timeout),
      timer(
          request.background ? AtQuit::cancel : AtQuit::wait,
          [](void *exchange) { static_cast<Exchange *>(exchange)->timed(); },
          this)
{
    if (origin.secure()) {
        // One TLS record, one system call.
        std::string whole;
        whole.reserve(size());
        whole += request.head;
        whole += request.body;
        request.head.swap(whole);
        request.body = {};
        if (request.is_secret) {
            wipe(whole);
        }
    }
}

HttpOrigin::Exchange::~Exchange()
{
    if (request.is_secret) {
        wipe(request.head);
    }
    if (connection) {
        origin.close(connection);
    }
}

HttpOrigin::Exchange *HttpOrigin::start(HttpRequest request, Done done,
                                        void *data)
{
    auto exchange =
        std::make_unique<Exchange>(*this, std::move(request), done, data);
    exchange->guarded([&] { exchange->begin(); });
    exchange->starting = false;
    return exchange.release();
}

// The connection is closed: an answer may still be on its way, and must not
// meet the next request.
void HttpOrigin::cancel(Exchange *exchange)
{
    delete exchange;
}

void HttpOrigin::Exchange::begin()
{
    connection = origin.take_idle(request.send_once);
    if (connection == nullptr) {
        connect_deadline = ngx_current_msec + request.connect_timeout;
        connect_next();
        return;
    }
    connection->exchange = this;
    reused = true;
    timer.arm(time_until(deadline));
    send();
}

// Head and body in one system call. False: the connection is dead.
bool HttpOrigin::Exchange::send_some()
{
    ngx_connection_t *c = connection->c;
    // Money: bytes given to TLS may have left in part, whatever it returns.
    begun = begun || origin.secure();
    ngx_buf_t bufs[2];
    ngx_chain_t links[2];
    const std::string_view parts[2] = {request.head, request.body};
    std::size_t skip = sent;
    ngx_chain_t *first = nullptr;

    ngx_memzero(bufs, sizeof(bufs));
    for (int i = 1; i >= 0; i--) {
        std::size_t before = i == 0 ? 0 : parts[0].size();
        std::size_t done_of_it =
            skip > before ? std::min(skip - before, parts[i].size()) : 0;
        std::string_view rest = parts[i].substr(done_of_it);
        if (rest.empty()) {
            continue;
        }
        bufs[i].memory = 1;
        bufs[i].pos = bufs[i].start =
            reinterpret_cast<u_char *>(const_cast<char *>(rest.data()));
        bufs[i].last = bufs[i].end = bufs[i].pos + rest.size();
        links[i].buf = &bufs[i];
        links[i].next = first;
        first = &links[i];
    }
    off_t before = c->sent;
    bool alive = c->send_chain(c, first, 0) != NGX_CHAIN_ERROR;
    // Money: bytes that the kernel took count as sent, whatever came after.
    sent += static_cast<std::size_t>(c->sent - before);
    begun = begun || sent > 0;
    anything_sent = anything_sent || begun;
    return alive;
}

void HttpOrigin::Exchange::send()
{
    ngx_connection_t *c = connection->c;
    while (sent < size() && !send_failed) {
        if (!send_some()) {
            send_failed = true;
        } else if (sent < size() && !c->write->ready) {
            break;
        }
    }
    if (sent == size() && !reply.sent_completely) {
        reply.sent_completely = true;
        if (request.on_sent) {
            request.on_sent(data);
        }
    }
    if (send_failed && !begun) {
        lost("the connection died before anything was sent");
        return;
    }
    if (!send_failed && ngx_handle_write_event(c->write, 0) != NGX_OK) {
        send_failed = true;
    }
    // An answer may be there before all was sent, with the reason.
    if (send_failed || c->read->ready) {
        receive();
    }
}

void HttpOrigin::Exchange::receive()
{
    ngx_connection_t *c = connection->c;
    u_char bytes[kReadBytes];
    for (;;) {
        ssize_t n = c->recv(c, bytes, sizeof(bytes));
        if (n == NGX_AGAIN) {
            break;
        }
        if (n < 0) {
            lost("the connection was reset");
            return;
        }
        auto state = n == 0 ? reader.end()
                            : reader.feed({reinterpret_cast<char *>(bytes),
                                           static_cast<std::size_t>(n)});
        if (state == ResponseReader::State::complete) {
            answer();
            return;
        }
        if (state == ResponseReader::State::failed) {
            if (n == 0) {
                lost(reader.problem());
            } else {
                fail(reader.problem(), false);
            }
            return;
        }
        if (!c->read->ready) {
            break;
        }
    }
    if (send_failed || ngx_handle_read_event(c->read, 0) != NGX_OK) {
        lost("the connection died while the request was sent");
    }
}

// A kept connection that dies without a byte of an answer was closed by the
// other side for being idle, most likely before the request came. Once more,
// on a new connection, if that can do no harm.
void HttpOrigin::Exchange::lost(const char *why)
{
    bool stale = reused && !reader.started();
    bool harmless = !begun || (!request.send_once && !repeated);
    if (!stale || !harmless) {
        bool refused = stale && request.send_once;
        fail(std::string(why) + (refused ? "; not sent again" : ""), false);
        return;
    }
    origin.close(connection);
    connection = nullptr;
    repeated = true;
    reused = false;
    send_failed = false;
    sent = 0;
    begun = false;
    next_address = 0;
    reply.sent_completely = false;
    reader = ResponseReader();
    connect_deadline = ngx_current_msec + request.connect_timeout;
    connect_next();
}

void HttpOrigin::Exchange::fail(const std::string &why, bool late)
{
    if (anything_sent) {
        reply.transport = late ? Transport::timed_out : Transport::broken;
    } else {
        reply.transport = late ? Transport::no_connection : Transport::not_sent;
    }
    reply.status = reader.status();
    reply.detail = why;
    if (connection) {
        origin.close(connection);
        connection = nullptr;
    }
    end();
}

void HttpOrigin::Exchange::answer()
{
    reply.transport = Transport::answered;
    reply.status = reader.status();
    reply.body = std::move(reader.body());
    reply.location = std::move(reader.location());
    reply.cache_control = std::move(reader.cache_control());
    reply.extension_responses = std::move(reader.extension_responses());
    reply.retry_after = seconds_to_retry(reader.retry_after());
    reply.detail.clear();
    Connection *free = connection;
    if (origin.tls_ && !reused) {
        origin.tls_->remember(free->c);
    }
    connection = nullptr;
    free->exchange = nullptr;
    if (reader.reusable() && sent == size()) {
        origin.keep_or_close(free);
    } else {
        origin.close(free);
    }
    end();
}

void HttpOrigin::Exchange::end()
{
    ended = true;
    timer.disarm();
    if (starting) {
        timer.post();
    } else {
        deliver();
    }
}

void HttpOrigin::Exchange::deliver()
{
    Done its_done = done;
    void *its_data = data;
    FacilitatorReply last = std::move(reply);
    delete this;
    x402::guarded(ngx_cycle->log, 0, [&] {
        its_done(its_data, last);
        return 0;
    });
}

void HttpOrigin::Exchange::timed()
{
    if (ended) {
        deliver();
        return;
    }
    guarded([&] {
        if (!connection->connected) {
            connect_failed("no connection in time", true);
        } else {
            fail("no complete answer in time", true);
        }
    });
}

}  // namespace x402
