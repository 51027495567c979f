#include "facilitator/redirect_rule.hpp"

namespace x402 {

Result<std::string> follow_redirect(const FacilitatorUrl &asked, int status,
                                    std::string_view location,
                                    bool has_credentials)
{
    if (status != 307 && status != 308) {
        return Problem{"only 307 and 308 keep a POST a POST"};
    }
    if (location.empty()) {
        return Problem{"it has no Location"};
    }

    std::string target(location);
    if (location.front() == '/') {
        // A reference relative to the scheme or to the host (RFC 3986, 4.2).
        FacilitatorUrl root = asked;
        root.path.clear();
        bool network_path = location.substr(0, 2) == "//";
        target =
            (network_path ? (asked.secure ? "https:" : "http:") : root.base())
            + target;
    }

    auto url = parse_facilitator_url(target);
    if (!url) {
        return Problem{"its Location cannot be used: " + url.problem().text};
    }
    if (asked.secure && !url->secure) {
        return Problem{"it leads from https to http"};
    }
    if (has_credentials && url->host != asked.host) {
        return Problem{
            "it leads to another host and credentials are configured"};
    }
    return target;
}

}  // namespace x402
