// SPDX-License-Identifier: Apache-2.0
// Payments that no chain protects from being used twice: only the zone does,
// and without a journal it forgets them when nginx ends.
#ifndef NGX_HTTP_X402_JOURNAL_CHECK_HPP
#define NGX_HTTP_X402_JOURNAL_CHECK_HPP

#include "nginx/core/ngx_http_x402_boundary.hpp"

namespace x402 {

// At merge, for each location that is sold. False: it sells with "x402_settle
// off" where even the zone cannot protect, or with an x402_verify that leaves
// nothing to stand behind a payment, and an error was printed.
bool record_only_guard(ngx_conf_t *cf, MainConf &mcf, const LocationConf &conf);

// At the end of the configuration: warns if there is no journal.
void advise_journal(ngx_conf_t *cf, const MainConf &mcf);

}  // namespace x402

#endif
