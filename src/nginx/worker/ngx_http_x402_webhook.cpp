// SPDX-License-Identifier: Apache-2.0
#include "nginx/worker/ngx_http_x402_webhook.hpp"

#include <algorithm>
#include <functional>
#include <unordered_set>

#include "base/text_excerpt.hpp"
#include "nginx/core/ngx_http_x402_log.hpp"
#include "protocol/webhook_message.hpp"

namespace x402 {

namespace {

constexpr ngx_msec_t kLook = 200;
constexpr ngx_msec_t kTurn = 1000;  // until the other process has ended
constexpr ngx_msec_t kSoon = 1;
constexpr std::size_t kRead = 256 * 1024;
constexpr std::size_t kEvents = 16 * 1024;  // that are known at once
constexpr std::size_t kSent = 16;           // on the wire at once
// The file is cut when so much of it was received, and no more waits.
constexpr std::uint64_t kWorthCutting = 64 * 1024;
constexpr std::uint64_t kCopied = 1024 * 1024;  // at most, under the lock
constexpr ngx_msec_t kFlushAgain = 60 * 1000;
constexpr ngx_msec_t kConnectTimeout = 3000;
constexpr ngx_msec_t kTimeout = 10000;
constexpr ngx_msec_t kFirstPause = 500;
constexpr ngx_msec_t kLongestPause = 300 * 1000;
// So many failures one after the other are the receiver's, not the events'.
constexpr unsigned kFailures = 16;
constexpr ngx_msec_t kLongestRest = 30 * 1000;
constexpr unsigned kLongestAsked = 3600;  // s, of Retry-After
constexpr time_t kReportEvery = 300;

ngx_msec_t pause_after(unsigned tries, ngx_msec_t longest)
{
    ngx_msec_t pause = kFirstPause << std::min(tries, 16U);
    return std::min(pause, longest);
}

bool is_due(ngx_msec_t moment)
{
    return static_cast<ngx_msec_int_t>(ngx_current_msec - moment) >= 0;
}

// The body of the answer says nothing more, and may be of any size.
bool is_received(const FacilitatorReply &reply)
{
    return reply.status >= 200 && reply.status < 300;
}

std::uint64_t number_of_payment(std::string_view line)
{
    std::string_view payment = payment_of_line(line);
    return payment.empty() ? 0 : std::hash<std::string_view>()(payment) | 1;
}

std::string words_of(const FacilitatorReply &reply)
{
    if (reply.transport != Transport::answered || reply.status == 0) {
        return log_excerpt(reply.detail);
    }
    std::string words = "status " + std::to_string(reply.status);
    return reply.status >= 300 && reply.status < 400
               ? words
                     + ", and redirects are not followed (write the final "
                       "address into x402_webhook)"
               : words;
}

}  // namespace

WebhookSender::WebhookSender(Books &books, const WebhookConf &conf,
                             CurlEngines &engines)
    : books_(books),
      conf_(conf),
      outbox_(*books.outbox()),
      endpoint_(*conf.receiver, engines),
      timer_(
          AtQuit::cancel,
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
    sending_ = refused_ = 0;
    known_ = 0;
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
    check_place();
    Outbox::Extent extent = outbox_.extent();
    if (!sends_) {
        sends_ = outbox_.take_turn();
        if (!sends_) {
            return kTurn;
        }
        books_.recount_outbox();
        begin(extent);
        keep_former();  // one may be left
    } else if (is_emptied(extent)) {
        stop();
        return kSoon;
    }
    forget_received();
    bool more = read_more(extent);
    cut_off_received(extent);
    more = send_due() || more;
    return more ? kSoon : kLook;
}

void WebhookSender::begin(const Outbox::Extent &extent)
{
    edition_ = extent.edition;
    place_ = extent.begin;
}

// By the operator: what is known of it stands there no more.
bool WebhookSender::is_emptied(const Outbox::Extent &extent) const
{
    return extent.edition != edition_ || extent.end < place_;
}

void WebhookSender::drop(const Event &event)
{
    known_ -= event.bytes;
    if (!is_emptied(outbox_.extent())) {
        outbox_.drop(event.begin);
    }
}

void WebhookSender::check_place()
{
    if (!is_due(looked_)) {
        return;
    }
    looked_ = ngx_current_msec + kTurn;
    std::string what = outbox_.misplaced();
    if (what.empty()) {
        misplaced_.forget();
    } else if (misplaced_.is_due()) {
        log_line(NGX_LOG_CRIT, ngx_cycle->log, what);
    }
}

void WebhookSender::forget_received()
{
    events_.erase(
        std::remove_if(events_.begin(), events_.end(),
                       [](const auto &event) { return event->received; }),
        events_.end());
}

// Cuts off what was received, also while something waits.
void WebhookSender::cut_off_received(const Outbox::Extent &extent)
{
    std::uint64_t waits = known_ + (extent.end - place_);
    std::uint64_t received = extent.end - extent.begin - waits;
    if (has_former() || received < std::max(kWorthCutting, waits)
        || waits > kCopied || !books_.turn_outbox()) {
        return;
    }
    // The lines that wait stand there one after the other.
    Outbox::Extent fresh = outbox_.extent();
    edition_ = fresh.edition;
    place_ = fresh.begin;
    for (auto &event : events_) {
        if (!event->received) {
            event->begin = place_;
            place_ += event->bytes;
        }
    }
    keep_former();
}

void WebhookSender::keep_former()
{
    former_ = true;
    flushed_ = ngx_current_msec;
    flush_ = flush_in_thread(outbox_.descriptor(), false);
}

bool WebhookSender::has_former()
{
    if (former_ && flush_ && flush_->load() == Flush::done) {
        former_ = false;
        books_.clear_former_outbox();
    } else if (former_ && (!flush_ || flush_->load() == Flush::failed)
               && is_due(flushed_ + kFlushAgain)) {
        keep_former();
    }
    return former_;
}

// True: there is more to read at once.
bool WebhookSender::read_more(const Outbox::Extent &extent)
{
    if (events_.size() >= kEvents || place_ >= extent.end) {
        return false;
    }
    std::string bytes = outbox_.read(place_, kRead);
    std::size_t last = bytes.rfind('\n');
    if (last == std::string::npos) {
        return false;  // it is being written
    }
    bytes.resize(last + 1);
    take_lines(bytes);
    return place_ < extent.end && events_.size() < kEvents;
}

void WebhookSender::take_lines(std::string_view bytes)
{
    while (!bytes.empty() && events_.size() < kEvents) {
        std::size_t end = bytes.find('\n');
        if (bytes.front() == '{') {
            auto event = std::make_unique<Event>();
            event->sender = this;
            event->begin = place_;
            event->bytes = static_cast<std::uint32_t>(end + 1);
            event->payment = number_of_payment(bytes.substr(0, end));
            event->due = ngx_current_msec;
            known_ += event->bytes;
            events_.push_back(std::move(event));
        }
        place_ += end + 1;
        bytes.remove_prefix(end + 1);
    }
}

// Each payment's events in their order. True: something was given up, so that
// there may be more to send.
bool WebhookSender::send_due()
{
    if (resting_ && !is_due(rest_)) {
        return false;
    }
    resting_ = false;
    std::unordered_set<std::uint64_t> blocked;
    std::size_t most = failures_ == 0 ? kSent : 1;
    for (auto &event : events_) {
        if (sending_ >= most) {
            break;
        }
        if (event->received
            || (event->payment != 0 && !blocked.insert(event->payment).second)
            || event->call || !is_due(event->due)) {
            continue;
        }
        if (!send(*event)) {
            return true;
        }
    }
    return false;
}

// False: such an event does not wait.
bool WebhookSender::send(Event &event)
{
    event.line = outbox_.read(event.begin, event.bytes - 1);
    if (!is_whole_event(event.line)) {
        drop_torn(event);
        return false;
    }
    CallTerms call;
    call.operation = Operation::event;
    call.body = event.line;
    call.headers = webhook_headers(conf_.secret.view(), event.line, ngx_time());
    call.connect_timeout = kConnectTimeout;
    call.timeout = kTimeout;
    event.call =
        FacilitatorCall::start(endpoint_, std::move(call), on_reply, &event);
    sending_++;
    return true;
}

void WebhookSender::drop_torn(Event &event)
{
    log_line(NGX_LOG_WARN, ngx_cycle->log,
             "x402_webhook: " + std::to_string(event.bytes) + " bytes in \""
                 + outbox_.path()
                 + "\" belong to no whole event and were skipped; nginx or its "
                   "machine was stopped while it wrote them");
    event.received = true;
    drop(event);
}

void WebhookSender::on_reply(void *data, FacilitatorReply &reply)
{
    auto *event = static_cast<Event *>(data);
    WebhookSender &sender = *event->sender;
    event->call = nullptr;
    event->line = std::string();
    sender.sending_--;
    if (is_received(reply)) {
        sender.succeed(*event);
    } else {
        sender.fail(*event, reply);
    }
    sender.timer_.post();  // `event` may be gone then
}

void WebhookSender::succeed(Event &event)
{
    event.received = true;
    drop(event);
    refused_ -= event.tries != 0 ? 1 : 0;
    if (failures_ >= kFailures) {
        for (auto &other : events_) {
            other->due = ngx_current_msec;
        }
    }
    failures_ = 0;
    if (complained_ && refused_ == 0) {
        complained_ = false;
        log_line(NGX_LOG_NOTICE, ngx_cycle->log,
                 "the webhook \"" + conf_.receiver->url.base()
                     + "\" receives events again");
    }
}

void WebhookSender::fail(Event &event, const FacilitatorReply &reply)
{
    refused_ += event.tries == 0 ? 1 : 0;
    event.due = ngx_current_msec + pause_after(event.tries++, kLongestPause);
    ngx_msec_t rest = 0;
    if (++failures_ >= kFailures) {
        rest = pause_after(failures_ - kFailures, kLongestRest);
    }
    if (reply.status == 429 || reply.status == 503) {
        ngx_msec_t asked = std::min(reply.retry_after, kLongestAsked);
        rest = std::max(rest, asked * 1000);
    }
    if (rest != 0) {
        resting_ = true;
        rest_ = ngx_current_msec + rest;
    }
    report_failure(reply);
}

void WebhookSender::report_failure(const FacilitatorReply &reply)
{
    bool answered = reply.transport == Transport::answered;
    int kind = answered ? reply.status : -static_cast<int>(reply.transport);
    if (!reported_.try_emplace(kind, kReportEvery).first->second.is_due()) {
        return;
    }
    complained_ = true;
    log_line(NGX_LOG_ERR, ngx_cycle->log,
             "the webhook \"" + conf_.receiver->url.base()
                 + "\" did not accept an event: " + words_of(reply) + "; "
                 + std::to_string(outbox_.waiting())
                 + " events wait, and are sent until it answers with a 2xx");
}

}  // namespace x402
