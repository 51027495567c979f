// SPDX-License-Identifier: Apache-2.0
#include "nginx/books/ngx_http_x402_request_id.hpp"

#include <array>
#include <cstddef>

#include "base/token_signature.hpp"

namespace x402 {

namespace {

constexpr std::size_t kIdBytes = 16;

// As random as nginx's own: operators use the id where no client may guess it.
class RandomStock {
public:
    // nullptr: OpenSSL has none. Lifetime: until the next call.
    u_char *take()
    {
        // A process that was forked must not give out what its parent does.
        if (left_ == 0 || owner_ != ngx_pid) {
            if (!fill_random(bytes_.data(), bytes_.size())) {
                return nullptr;
            }
            left_ = bytes_.size();
            owner_ = ngx_pid;
        }
        left_ -= kIdBytes;
        return &bytes_[left_];
    }

private:
    std::array<u_char, 256 * kIdBytes> bytes_;
    std::size_t left_ = 0;
    ngx_pid_t owner_ = 0;
};

// nginx: a value that is there is not made again.
void make(ngx_http_request_t *r, ngx_http_variable_value_t &value)
{
    static RandomStock stock;
    constexpr std::size_t kDigits = 2 * kIdBytes;
    auto *text = static_cast<u_char *>(ngx_pnalloc(r->pool, kDigits));
    u_char *bytes = text ? stock.take() : nullptr;
    if (bytes == nullptr) {
        return;
    }
    ngx_hex_dump(text, bytes, kIdBytes);
    value.data = text;
    value.len = kDigits;
    value.valid = 1;
    value.no_cacheable = 0;
    value.not_found = 0;
}

}  // namespace

std::string_view request_id(ngx_http_request_t *r, ngx_uint_t index)
{
    ngx_http_variable_value_t &value = r->variables[index];
    // nginx: a variable is made in the request's pool, which is gone when the
    // request ends; what was made before stays readable.
    if (!value.valid && !value.not_found && r->pool) {
        make(r, value);
    }
    return value.valid ? std::string_view(
               reinterpret_cast<const char *>(value.data), value.len)
                       : std::string_view();
}

}  // namespace x402
