// SPDX-License-Identifier: Apache-2.0
#include "nginx/offer/ngx_http_x402_payer_rules.hpp"

namespace x402 {

void merge_payer_rules(LocationConf &conf, const LocationConf &outer)
{
    if (conf.payer_rules == nullptr || outer.payer_rules == nullptr) {
        if (conf.payer_rules == nullptr) {
            conf.payer_rules = outer.payer_rules;
        }
        return;
    }
    PayerRules &own = *conf.payer_rules;
    const PayerRules &around = *outer.payer_rules;
    if (!own.deny_written) {
        own.deny = around.deny;
    }
    if (!own.limit_written) {
        own.limit = around.limit;
    }
    if (!own.quotas_written) {
        own.quotas = around.quotas;
    }
    if (!own.free_written) {
        own.free = around.free;
    }
}

}  // namespace x402
