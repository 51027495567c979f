// SPDX-License-Identifier: Apache-2.0
// The first byte chooses status and credentials; then the facilitator's URL
// and, behind a line feed, a Location it answers with.
#include "facilitator/facilitator_url.hpp"

#include <string>

#include "facilitator/redirect_rule.hpp"
#include "fuzz_check.hpp"

using namespace x402;

namespace {

constexpr int kStatuses[] = {307, 308, 301, 302, 303, 200, 304, 300};

bool same(const FacilitatorUrl &left, const FacilitatorUrl &right)
{
    return left.secure == right.secure && left.host == right.host
           && left.port == right.port && left.path == right.path;
}

void check_url(const FacilitatorUrl &url)
{
    must(!url.host.empty() && url.port > 0, "a URL has a host and a port");
    must(url.host.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-._:")
             == std::string::npos,
         "a host is plain and in lower case");
    must(url.path.empty() || (url.path[0] == '/' && url.path.back() != '/'),
         "a path starts with a slash and ends without");
    for (char byte : url.base()) {
        must(byte > ' ' && byte < 0x7f, "a URL is printable");
    }
    must(url.base().find_first_of("?#\\\"") == std::string::npos,
         "a URL holds no query and no quote");
    auto again = parse_facilitator_url(url.base());
    must(again.ok() && same(again.value(), url), "parse(base(u)) == u");
    auto endpoint = parse_facilitator_url(url.endpoint("settle"));
    must(endpoint.ok() && endpoint->path == url.path + "/settle"
             && endpoint->host == url.host,
         "an endpoint is below its base");
}

void check_redirect(const FacilitatorUrl &asked, int status,
                    std::string_view location, bool has_credentials)
{
    auto target = follow_redirect(asked, status, location, has_credentials);
    if (!target) {
        must(!target.problem().text.empty(), "a refusal says why");
        return;
    }
    must(status == 307 || status == 308, "a POST stays a POST");
    auto url = parse_facilitator_url(target.value());
    must(url.ok(), "a redirect leads to a URL");
    check_url(url.value());
    must(url->secure || !asked.secure, "never from https to http");
    must(!has_credentials || url->host == asked.host,
         "credentials stay with their host");
    must(location[0] != '/' || location.substr(0, 2) == "//"
             || (url->host == asked.host && url->port == asked.port),
         "a path leads to the same server");
    if (has_credentials) {
        must(follow_redirect(asked, status, location, false).ok(),
             "without credentials no less is allowed");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data,
                                      std::size_t size)
{
    std::string_view rest = text_of(data, size);
    unsigned choice = take_byte(rest);
    std::size_t line = rest.find('\n');
    auto asked = parse_facilitator_url(rest.substr(0, line));
    if (!asked) {
        must(!asked.problem().text.empty(), "a refusal says why");
        return 0;
    }
    check_url(asked.value());
    if (line != std::string_view::npos) {
        check_redirect(asked.value(), kStatuses[choice % 8],
                       rest.substr(line + 1), (choice & 8) != 0);
    }
    return 0;
}
