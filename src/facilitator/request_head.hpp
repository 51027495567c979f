// SPDX-License-Identifier: Apache-2.0
// The head of an HTTP/1.1 request to a facilitator.
#ifndef X402_FACILITATOR_REQUEST_HEAD_HPP
#define X402_FACILITATOR_REQUEST_HEAD_HPP

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace x402 {

// Request line and own headers, the same for every request to `url`, which
// parse_facilitator_url() has accepted. `post`: POST of JSON, otherwise GET.
std::string start_of_head(std::string_view url, bool post);

// `start` is start_of_head(); `headers` are whole lines without line ends,
// checked by validate_header(); `length` is that of the body, which only a
// POST has.
std::string whole_head(std::string_view start,
                       const std::vector<std::string> &headers, bool post,
                       std::size_t length);

}  // namespace x402

#endif
