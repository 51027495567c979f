// SPDX-License-Identifier: Apache-2.0
#include "nginx/worker/ngx_http_x402_webhook.hpp"

#include <algorithm>

#include "base/text_excerpt.hpp"
#include "nginx/core/ngx_http_x402_log.hpp"
#include "protocol/webhook_message.hpp"

namespace x402 {

namespace {

constexpr ngx_msec_t kLook = 200;
constexpr ngx_msec_t kTurn = 1000;  // until the other process has ended
constexpr std::size_t kRead = 64 * 1024;
constexpr std::size_t kEvents = 256;  // that are known at once
constexpr std::size_t kSent = 16;     // on the wire at once
constexpr std::uint64_t kWorthClearing = 64 * 1024;
constexpr ngx_msec_t kConnectTimeout = 3000;
constexpr ngx_msec_t kTimeout = 10000;
constexpr ngx_msec_t kFirstPause = 500;
constexpr ngx_msec_t kLongestPause = 300 * 1000;
constexpr time_t kReportEvery = 300;

ngx_msec_t pause_after(unsigned tries)
{
    ngx_msec_t pause = kFirstPause << std::min(tries, 16U);
    return std::min(pause, kLongestPause);
}

bool is_due(ngx_msec_t moment)
{
    return static_cast<ngx_msec_int_t>(ngx_current_msec - moment) >= 0;
}

bool is_received(const FacilitatorReply &reply)
{
    return reply.transport == Transport::answered && reply.status >= 200
           && reply.status < 300;
}

}  // namespace

WebhookSender::WebhookSender(Books &books, const WebhookConf &conf,
                             CurlEngines &engines)
    : books_(books),
      conf_(conf),
      outbox_(*books.outbox()),
      endpoint_(*conf.receiver, engines),
      timer_(
          AtQuit::leave,
          [](void *sender) { static_cast<WebhookSender *>(sender)->step(); },
          this)
{
    timer_.arm(1);
}

WebhookSender::~WebhookSender()
{
    stop();
}

void WebhookSender::stop()
{
    for (auto &event : events_) {
        if (event->call) {
            event->call->cancel();
        }
    }
    events_.clear();
    sending_ = 0;
    if (sends_) {
        sends_ = false;
        outbox_.leave_turn();
    }
}

void WebhookSender::step()
{
    if (ngx_exiting || ngx_quit || ngx_terminate) {
        stop();  // another process goes on
        return;
    }
    timer_.arm(guarded(ngx_cycle->log, kTurn, [&] { return work(); }));
}

ngx_msec_t WebhookSender::work()
{
    if (!sends_) {
        sends_ = outbox_.take_turn();
        if (!sends_) {
            return kTurn;
        }
        place_ = outbox_.received();
    }
    forget_received();
    read_more();
    send_due();
    return kLook;
}

void WebhookSender::forget_received()
{
    std::uint64_t received = 0;
    while (!events_.empty() && events_.front()->received) {
        received = events_.front()->end;
        events_.pop_front();
    }
    if (received != 0) {
        outbox_.set_received(received);
    }
    if (events_.empty() && place_ >= kWorthClearing
        && place_ == outbox_.size()) {
        books_.clear_outbox(place_);
        place_ = outbox_.received();
    }
}

void WebhookSender::read_more()
{
    if (events_.size() >= kEvents || place_ >= outbox_.size()) {
        return;
    }
    std::string bytes = outbox_.read(place_, kRead);
    std::size_t begin = 0;
    while (events_.size() < kEvents) {
        std::size_t end = bytes.find('\n', begin);
        if (end == std::string::npos) {
            break;
        }
        auto event = std::make_unique<Event>();
        event->sender = this;
        event->line = bytes.substr(begin, end - begin);
        begin = end + 1;
        event->end = place_ + begin;
        event->received = event->line.empty();
        event->due = ngx_current_msec;
        events_.push_back(std::move(event));
    }
    place_ += begin;
}

// An earlier event of the same payment was not received yet.
bool WebhookSender::is_behind_another(const Event &event) const
{
    std::string_view payment = payment_of_line(event.line);
    for (const auto &earlier : events_) {
        if (earlier.get() == &event) {
            return false;
        }
        if (!payment.empty() && !earlier->received
            && payment_of_line(earlier->line) == payment) {
            return true;
        }
    }
    return false;
}

void WebhookSender::send_due()
{
    for (auto &event : events_) {
        if (sending_ >= (failing_ ? 1 : kSent)) {
            return;
        }
        if (!event->received && event->call == nullptr && is_due(event->due)
            && !is_behind_another(*event)) {
            send(*event);
        }
    }
}

void WebhookSender::send(Event &event)
{
    CallTerms call;
    call.operation = Operation::event;
    call.body = event.line;
    call.headers = webhook_headers(conf_.secret.view(), event.line, ngx_time());
    call.connect_timeout = kConnectTimeout;
    call.timeout = kTimeout;
    event.call =
        FacilitatorCall::start(endpoint_, std::move(call), on_reply, &event);
    sending_++;
}

void WebhookSender::on_reply(void *data, FacilitatorReply &reply)
{
    auto *event = static_cast<Event *>(data);
    WebhookSender &sender = *event->sender;
    event->call = nullptr;
    sender.sending_--;
    event->received = is_received(reply);
    if (!event->received) {
        event->due = ngx_current_msec + pause_after(event->tries++);
        sender.report_failure(reply);
        return;
    }
    if (sender.failing_) {
        sender.failing_ = false;
        sender.reported_ = 0;
        log_line(NGX_LOG_NOTICE, ngx_cycle->log,
                 "the webhook \"" + sender.conf_.receiver->url.base()
                     + "\" receives events again");
    }
    sender.timer_.post();  // `event` may be gone then
}

void WebhookSender::report_failure(const FacilitatorReply &reply)
{
    failing_ = true;
    if (reported_ != 0 && ngx_time() - reported_ < kReportEvery) {
        return;
    }
    reported_ = ngx_time();
    std::string why = reply.transport == Transport::answered && reply.status
                          ? "status " + std::to_string(reply.status)
                          : log_excerpt(reply.detail);
    log_line(NGX_LOG_ERR, ngx_cycle->log,
             "the webhook \"" + conf_.receiver->url.base()
                 + "\" did not accept an event: " + why + "; "
                 + std::to_string(outbox_.waiting())
                 + " events wait, and are sent until it answers with a 2xx");
}

}  // namespace x402
