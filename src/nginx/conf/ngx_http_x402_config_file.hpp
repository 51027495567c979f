// SPDX-License-Identifier: Apache-2.0
// A file that a directive names, read with the configuration, so that a reload
// reads it again. No message about a secret contains a byte of it.
#ifndef NGX_HTTP_X402_CONFIG_FILE_HPP
#define NGX_HTTP_X402_CONFIG_FILE_HPP

#include "base/secret_memory.hpp"
#include "nginx/call/ngx_http_x402_facilitator_conf.hpp"

namespace x402 {

// The file at `path` (relative to the configuration's directory, made absolute
// here), `limit` bytes at most. `remedy`: said when it is missing. NGX_CONF_OK,
// or an error was printed that names the file.
char *read_config_file(ngx_conf_t *cf, ngx_str_t &path, std::size_t limit,
                       std::string &out, const char *remedy = nullptr);
// Of one that may hold a secret.
char *read_config_file(ngx_conf_t *cf, ngx_str_t &path, std::size_t limit,
                       SecretText &out);

// Prints what is wrong with the file; NGX_CONF_ERROR.
char *config_file_error(ngx_conf_t *cf, const ngx_str_t &path, ngx_err_t error,
                        const std::string &why);

// The same for a file that holds a key or a password: the one place where these
// are read. Warns if others than the owner may read it. A name that may be the
// secret itself is not repeated.
char *read_secret_file(ngx_conf_t *cf, ngx_str_t &path, std::size_t limit,
                       SecretText &out, const char *remedy = nullptr);
constexpr char kMakeRandom[] =
    "make one with \"openssl rand -hex 32\", mode 0600, or correct the path";

// The key in a file. nullptr: an error was printed, or no memory. Lifetime: the
// configuration cycle.
FacilitatorAuth *read_key_file(ngx_conf_t *cf, AuthKind kind, ngx_str_t path);

}  // namespace x402

#endif
