// May a redirect of a facilitator be followed?
#ifndef X402_FACILITATOR_REDIRECT_RULE_HPP
#define X402_FACILITATOR_REDIRECT_RULE_HPP

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "facilitator/facilitator_url.hpp"

namespace x402 {

// What a Location says, as seen from the URL that was asked (RFC 3986, 5.2.2):
// "https://h/p" stays, "//h/p", "/p" and "p" are completed. One with segments
// "." or ".." stays too, and cannot be used.
std::string resolve_location(std::string_view asked, std::string_view location);

// For a redirect that answered a POST below `asked`: the absolute URL to post
// to instead. Problem (for the log): a status other than 307 and 308, no or
// unreadable Location, from https to http, or to another host or
// port while credentials would go along (http on 80 to https on 443 is none).
Result<std::string> follow_redirect(const FacilitatorUrl &asked, int status,
                                    std::string_view location,
                                    bool has_credentials);

}  // namespace x402

#endif
