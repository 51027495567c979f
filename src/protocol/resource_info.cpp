// SPDX-License-Identifier: Apache-2.0
#include "protocol/resource_info.hpp"

namespace x402 {

std::string_view bounded_url(std::string_view url)
{
    if (url.size() <= kMostUrlBytes) {
        return url;
    }
    url = url.substr(0, url.find_first_of("?#"));
    if (url.size() <= kMostUrlBytes) {
        return url;
    }
    std::size_t end = kMostUrlBytes;
    // "%4" and "%" are not whole escapes.
    for (std::size_t back = 1; back <= 2; ++back) {
        if (url[end - back] == '%') {
            return url.substr(0, end - back);
        }
    }
    while (end > 0 && (static_cast<unsigned char>(url[end]) & 0xc0) == 0x80) {
        --end;
    }
    return url.substr(0, end);
}

}  // namespace x402
