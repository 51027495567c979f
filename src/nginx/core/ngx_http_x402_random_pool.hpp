// SPDX-License-Identifier: Apache-2.0
// Random bytes in pieces of 16, of which a worker needs one or two for each
// request: drawing 256 of them at once costs little more than drawing one. As
// random as nginx's own. Not for keys: pieces that are not given out yet stay
// in memory.
#ifndef NGX_HTTP_X402_RANDOM_POOL_HPP
#define NGX_HTTP_X402_RANDOM_POOL_HPP

#include <array>

#include "base/token_signature.hpp"
#include "nginx/core/ngx_http_x402_boundary.hpp"

namespace x402 {

class RandomPool {
public:
    static constexpr std::size_t kPiece = 16;

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
        left_ -= kPiece;
        return &bytes_[left_];
    }

private:
    std::array<u_char, 256 * kPiece> bytes_;
    std::size_t left_ = 0;
    ngx_pid_t owner_ = 0;
};

}  // namespace x402

#endif
