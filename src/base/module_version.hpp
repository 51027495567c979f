// SPDX-License-Identifier: Apache-2.0
// The version of the module, defined only here. It is in the notice line at
// start, in $x402_module_version, in the User-Agent of calls to facilitators,
// and in the names of packages. How to change it: docs/releasing.md.
#ifndef X402_MODULE_VERSION_HPP
#define X402_MODULE_VERSION_HPP

#define NGX_HTTP_X402_VERSION "0.1.0"

// What a facilitator reads in User-Agent, and `strings` finds in the file.
#define NGX_HTTP_X402_USER_AGENT "ngx_http_x402_module/" NGX_HTTP_X402_VERSION

#endif
