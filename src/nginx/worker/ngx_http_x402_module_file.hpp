// What code runs: the line that says so when nginx starts, and the one that
// says that the file on disk is another by now. nginx loads a module's file
// once; a reload goes on with what it has.
#ifndef NGX_HTTP_X402_MODULE_FILE_HPP
#define NGX_HTTP_X402_MODULE_FILE_HPP

#include "nginx/core/ngx_http_x402_boundary.hpp"

namespace x402 {

// Master, whenever a configuration was read. The first time: one line at notice
// with the versions of module, nginx, TLS and libcurl, and which of them talks
// to facilitators; and a look at the module's file, for later.
void tell_version(ngx_log_t *log);

// Worker, when it starts. One line at warn where the file is no longer the one
// that was loaded.
void warn_of_older_code(ngx_log_t *log);

}  // namespace x402

#endif
