// SPDX-License-Identifier: Apache-2.0
// Sends what is in the outbox to the webhook: in one process at a time, in the
// order of events for each payment, again and again until the receiver answers
// with a 2xx. What it answered to stays known in the outbox.
#ifndef NGX_HTTP_X402_WEBHOOK_HPP
#define NGX_HTTP_X402_WEBHOOK_HPP

#include <cstdint>
#include <deque>
#include <memory>
#include <string>

#include "base/secret_memory.hpp"
#include "nginx/books/ngx_http_x402_counters.hpp"
#include "nginx/call/ngx_http_x402_facilitator_call.hpp"
#include "nginx/call/ngx_http_x402_facilitator_conf.hpp"

namespace x402 {

// x402_webhook, as it is written.

struct WebhookConf {
    std::string url;           // as it is written
    SecretText secret;         // the key itself; empty: nothing is signed
    std::uint32_t events = 0;  // a bit for each LedgerEventKind
    ConfOrigin origin{};
    FacilitatorConf *receiver = nullptr;  // made by add_webhook()
};

// postconfiguration: the receiver, and the outbox beside the journal. False: an
// error was printed, or memory ran out.
bool add_webhook(ngx_conf_t *cf, MainConf &mcf, const std::string &journal);

class WebhookSender {
public:
    // Lifetime: borrows all, of the worker and its configuration.
    WebhookSender(Books &books, const WebhookConf &conf, CurlEngines &engines);
    ~WebhookSender();
    WebhookSender(const WebhookSender &) = delete;
    WebhookSender &operator=(const WebhookSender &) = delete;

private:
    // One line of the outbox.
    struct Event {
        WebhookSender *sender = nullptr;
        std::string line;  // without its end
        std::uint64_t end = 0;
        unsigned tries = 0;
        ngx_msec_t due = 0;
        bool received = false;
        FacilitatorCall *call = nullptr;  // while it is sent
    };

    void step();
    ngx_msec_t work();
    void read_more();
    void send_due();
    bool is_behind_another(const Event &event) const;
    void send(Event &event);
    void forget_received();
    void stop();
    void report_failure(const FacilitatorReply &reply);
    static void on_reply(void *data, FacilitatorReply &reply);

    Books &books_;
    const WebhookConf &conf_;
    Outbox &outbox_;
    Endpoint endpoint_;
    bool sends_ = false;  // it is this process's turn
    bool failing_ = false;
    time_t reported_ = 0;
    std::uint64_t place_ = 0;  // read up to here
    std::size_t sending_ = 0;
    std::deque<std::unique_ptr<Event>> events_;  // not received, in order
    Timer timer_;
};

}  // namespace x402

#endif
