// SPDX-License-Identifier: Apache-2.0
// The path of a URL and the path that nginx matches, which is decoded. For
// documents that name the locations of a server.
#ifndef X402_BASE_URL_PATH_HPP
#define X402_BASE_URL_PATH_HPP

#include <string>
#include <string_view>

namespace x402 {

// RFC 3986, 3.3: everything that is not a character of a path is written as
// %XX, also '%', '?', '#', and braces, which would open a parameter in OpenAPI.
std::string url_path(std::string_view decoded);

// The reverse. A '%' without two hex digits after it stays.
std::string decoded_path(std::string_view path);

}  // namespace x402

#endif
