// Inheritance of the settings that are about manners, not about money: who is
// waved through, and how a refusal is worded. Called by merge.
#ifndef NGX_HTTP_X402_MANNERS_HPP
#define NGX_HTTP_X402_MANNERS_HPP

#include "nginx/core/ngx_http_x402_boundary.hpp"

namespace x402 {

// "Not written at this level"; cannot throw.
void unset_manners(ngx_http_x402_loc_conf_t &conf);

void merge_manners(ngx_http_x402_loc_conf_t &conf,
                   const ngx_http_x402_loc_conf_t &outer);

}  // namespace x402

#endif
