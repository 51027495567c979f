// SPDX-License-Identifier: Apache-2.0
#include "facilitator/redirect_rule.hpp"

#include <algorithm>

namespace x402 {

namespace {

// Why secrets must not be sent from one to the other; nullptr: they may.
// Another port of a host may belong to another service. From http to https the
// port of the same server changes, if both ports are the defaults.
const char *validate_sending_secrets(const FacilitatorUrl &from,
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

std::string resolve_location(std::string_view asked, std::string_view location)
{
    std::size_t mark = asked.find("://");
    bool absolute = location.find("://") < location.find('/');
    if (location.empty() || absolute || mark == std::string_view::npos
        || location.front() == '.'
        || location.find("/.") != std::string_view::npos) {
        return std::string(location);
    }
    std::size_t path = asked.find('/', mark + 3);
    std::size_t keep = asked.size();
    if (location.substr(0, 2) == "//") {
        keep = mark + 1;
    } else if (location.front() == '/') {
        keep = std::min(path, keep);
    } else if (path == std::string_view::npos) {
        return std::string(asked) + "/" + std::string(location);
    } else {
        keep = asked.rfind('/') + 1;
    }
    return std::string(asked.substr(0, keep)) + std::string(location);
}

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
    const char *error = has_credentials
                            ? validate_sending_secrets(asked, url.value())
                            : nullptr;
    if (error != nullptr) {
        return Problem{error};
    }
    return target;
}

}  // namespace x402
