// SPDX-License-Identifier: Apache-2.0
// x402_webhook, as it is written.
#ifndef NGX_HTTP_X402_WEBHOOK_CONF_HPP
#define NGX_HTTP_X402_WEBHOOK_CONF_HPP

#include <cstdint>
#include <string>

#include "nginx/call/ngx_http_x402_facilitator_conf.hpp"

namespace x402 {

struct WebhookConf {
    std::string url;           // as it is written
    std::string secret;        // the key itself; empty: nothing is signed
    std::uint32_t events = 0;  // a bit for each LedgerEventKind
    ConfOrigin origin{};
    FacilitatorConf *receiver = nullptr;  // made by add_webhook()
};

// postconfiguration: the receiver, and the outbox beside the journal. False: an
// error was printed, or memory ran out.
bool add_webhook(ngx_conf_t *cf, MainConf &mcf, const std::string &journal);

}  // namespace x402

#endif
