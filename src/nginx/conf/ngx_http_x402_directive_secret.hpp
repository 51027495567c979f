// A secret is read from its file once, when the configuration is, so that a
// reload reads it again. No message about it holds a byte of it.
#ifndef NGX_HTTP_X402_DIRECTIVE_SECRET_HPP
#define NGX_HTTP_X402_DIRECTIVE_SECRET_HPP

#include "nginx/call/ngx_http_x402_facilitator_conf.hpp"

namespace x402 {

// The key in a file, relative to nginx's configuration; warns when others than
// its owner may read it. nullptr: an error was printed, or no memory. Lifetime:
// the configuration cycle.
FacilitatorAuth *read_key_file(ngx_conf_t *cf, AuthKind kind, ngx_str_t path);

}  // namespace x402

#endif
