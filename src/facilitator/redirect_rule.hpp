// SPDX-License-Identifier: Apache-2.0
// Whether a redirect of a facilitator may be followed.
#ifndef X402_FACILITATOR_REDIRECT_RULE_HPP
#define X402_FACILITATOR_REDIRECT_RULE_HPP

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "facilitator/facilitator_url.hpp"

namespace x402 {

// A Location resolved against the URL that was called (RFC 3986, 5.2.2):
// "https://h/p" is unchanged, "//h/p", "/p" and "p" are completed. One with
// segments "." or ".." is unchanged, too, and cannot be used.
std::string resolve_location(std::string_view asked, std::string_view location);

// For a redirect that answered a POST below `asked`: the absolute URL to post
// to instead. Problem (for the log): a status other than 307 and 308, no or
// unreadable Location, from https to http, or to another host or port while
// credentials would be sent along (http on 80 to https on 443 is allowed).
Result<std::string> follow_redirect(const FacilitatorUrl &asked, int status,
                                    std::string_view location,
                                    bool has_credentials);

}  // namespace x402

#endif
