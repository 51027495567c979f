// SPDX-License-Identifier: Apache-2.0
// Whether a location is hidden from strangers, so that no manifest names it.
#ifndef NGX_HTTP_X402_HIDDEN_LOCATION_HPP
#define NGX_HTTP_X402_HIDDEN_LOCATION_HPP

#include <string_view>

#include "nginx/core/ngx_http_x402_boundary.hpp"

namespace x402 {

enum class Visibility {
    open,
    by_subrequest,  // auth_request decides; the operator says whether to list
    hidden,         // `internal`, a password, or most addresses are denied
};

// `loc_conf`: the configurations of a location, of all http modules, merged.
Visibility visibility_of(ngx_conf_t *cf, void **loc_conf);

// Whether a limit_except block of the location hides this method.
bool is_method_hidden(ngx_conf_t *cf, void **loc_conf, std::string_view method);

// Of the location that is merged: whether each client has to send a password
// (auth_basic without `satisfy any`).
bool demands_password(ngx_conf_t *cf);

// Whether another module of nginx checks who a client is: a password, or a
// subrequest. Precondition: these are merged.
bool checks_clients(ngx_conf_t *cf, void **loc_conf);

enum class Admitted { few, ipv6, most };

// Which addresses "satisfy any" lets in without a password or payment.
Admitted admitted_without_payment(ngx_conf_t *cf, void **loc_conf);

}  // namespace x402

#endif
