// SPDX-License-Identifier: Apache-2.0
// What directives of other modules say about a location, where it decides what
// is free. Called by the checks of a configuration, after those modules have
// merged theirs; a module that this nginx lacks says nothing.
#ifndef NGX_HTTP_X402_FOREIGN_SETTINGS_HPP
#define NGX_HTTP_X402_FOREIGN_SETTINGS_HPP

#include <string>
#include <string_view>

#include "nginx/core/ngx_http_x402_boundary.hpp"

namespace x402 {

// The directive that gives the upstream a method that the client has not
// written; empty: none.
std::string_view method_setter(ngx_conf_t *cf, void **loc_conf);

// The file or folder that the answers of the upstream to the name of a prefix
// become; empty: they become none, or where is not known.
std::string stored_file(ngx_conf_t *cf, void **loc_conf);

// Whether the server takes certificates that a client has signed itself.
bool accepts_any_certificate(ngx_conf_t *cf, void **srv_conf);

// Whether the server answers requests with a Host header that a client made up:
// it is the default one at an address, or has names with a pattern. While the
// configuration is read.
bool takes_any_host(ngx_conf_t *cf, const ngx_http_core_srv_conf_t &server);

// Variables with the words of a certificate of the client.
bool is_of_certificate(std::string_view name);

}  // namespace x402

#endif
