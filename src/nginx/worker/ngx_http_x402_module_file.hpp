// SPDX-License-Identifier: Apache-2.0
// Which build runs: the line in the log when nginx starts, and the warning when
// the file on disk has been replaced since. nginx loads a module's file once; a
// reload keeps the loaded code.
#ifndef NGX_HTTP_X402_MODULE_FILE_HPP
#define NGX_HTTP_X402_MODULE_FILE_HPP

#include "nginx/core/ngx_http_x402_boundary.hpp"

namespace x402 {

// Master, whenever a configuration was read. The first time: one line at notice
// with the versions of module, nginx, TLS and libcurl, and which of them calls
// facilitators. Also remembers the module's file, for later.
void log_version(ngx_log_t *log);

// Worker, when it starts. One line at warn if the file is no longer the one
// that was loaded.
void warn_of_older_code(ngx_log_t *log);

}  // namespace x402

#endif
