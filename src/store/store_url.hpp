// SPDX-License-Identifier: Apache-2.0
// The address of a store as an operator writes it (x402_store).
#ifndef X402_STORE_STORE_URL_HPP
#define X402_STORE_STORE_URL_HPP

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace x402 {

struct StoreUrl {
    bool secure = false;  // rediss://
    std::string user;     // empty: the default user
    std::string host;     // a name, or an address without brackets
    bool host_is_address = false;
    unsigned port = 6379;
    unsigned database = 0;

    // For the log: without the user.
    std::string base() const;
};

// redis://[user@]host[:port][/database], or rediss://. The problem says what to
// write instead.
Result<StoreUrl> parse_store_url(std::string_view text);

}  // namespace x402

#endif
