#include "facilitator/redirect_rule.hpp"

namespace x402 {

namespace {

// Why secrets may not go from one to the other; nullptr when they may. Another
// port of a host may belong to somebody else. The step from http to https
// changes the port of the same server, when both are the scheme's own.
const char *objection_to_sending_secrets(const FacilitatorUrl &from,
                                         const FacilitatorUrl &to)
{
    if (to.host != from.host) {
        return "it leads to another host and credentials are configured";
    }
    bool upgrade =
        !from.secure && to.secure && from.port == 80 && to.port == 443;
    bool same = from.secure == to.secure && from.port == to.port;
    if (!same && !upgrade) {
        return "it leads to another port and credentials are configured";
    }
    return nullptr;
}

}  // namespace

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
    const char *objection =
        has_credentials ? objection_to_sending_secrets(asked, url.value())
                        : nullptr;
    if (objection != nullptr) {
        return Problem{objection};
    }
    return target;
}

}  // namespace x402
