// SPDX-License-Identifier: Apache-2.0
// Sends what is in the outbox to the webhook: in one process at a time, in the
// order of events for each payment, again and again until the receiver answers
// with a 2xx. What it answered to stays known in the outbox.
#ifndef NGX_HTTP_X402_WEBHOOK_HPP
#define NGX_HTTP_X402_WEBHOOK_HPP

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>

#include "base/secret_memory.hpp"
#include "nginx/books/ngx_http_x402_counters.hpp"
#include "nginx/call/ngx_http_x402_facilitator_call.hpp"
#include "nginx/call/ngx_http_x402_facilitator_conf.hpp"
#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/zone/ngx_http_x402_journal.hpp"

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
        std::uint64_t begin = 0;    // in the present edition
        std::uint32_t bytes = 0;    // with its end
        std::uint64_t payment = 0;  // 0: none
        unsigned tries = 0;
        ngx_msec_t due = 0;
        bool received = false;
        FacilitatorCall *call = nullptr;  // while it is sent
        std::string line;                 // as well, without its end
    };

    void step();
    ngx_msec_t work();
    void begin(const Outbox::Extent &extent);
    bool read_more(const Outbox::Extent &extent);
    void take_lines(std::string_view bytes);
    void forget_received();
    void cut_off_received(const Outbox::Extent &extent);
    void keep_former();
    bool has_former();
    bool send_due();
    bool send(Event &event);
    bool is_emptied(const Outbox::Extent &extent) const;
    void drop(const Event &event);
    void drop_torn(Event &event);
    void check_place();
    void stop();
    void succeed(Event &event);
    void fail(Event &event, const FacilitatorReply &reply);
    void report_failure(const FacilitatorReply &reply);
    static void on_reply(void *data, FacilitatorReply &reply);

    Books &books_;
    const WebhookConf &conf_;
    Outbox &outbox_;
    Endpoint endpoint_;
    bool sends_ = false;  // it is this process's turn
    std::uint64_t edition_ = 0;
    std::uint64_t place_ = 0;  // read up to here
    std::uint64_t known_ = 0;  // bytes of events_ that wait
    std::size_t sending_ = 0;
    std::size_t refused_ = 0;  // of events_, tried and not received
    std::deque<std::unique_ptr<Event>> events_;  // not received, in order
    unsigned failures_ = 0;                      // since the last success
    ngx_msec_t rest_ = 0;                        // nothing is sent until then
    bool resting_ = false;
    bool complained_ = false;              // since all was well
    std::map<int, LogThrottle> reported_;  // for each kind of failure
    LogThrottle misplaced_{600};
    ngx_msec_t looked_ = 0;  // for that
    // The present edition's, while there is a former one.
    FlushState flush_;
    bool former_ = false;
    ngx_msec_t flushed_ = 0;  // when it was begun
    Timer timer_;
};

}  // namespace x402

#endif
