// SPDX-License-Identifier: Apache-2.0
#include "nginx/conf/ngx_http_x402_client_values.hpp"

#include "base/text_prefix.hpp"

#include <algorithm>
#include <utility>

namespace x402 {

bool is_of_client(std::string_view name)
{
    constexpr std::string_view kNames[] = {
        "args",
        "query_string",
        "is_args",
        "content_type",
        "content_length",
        "proxy_add_x_forwarded_for",
        "request_body",
        "request_body_file",
        "invalid_referer",
        "ssl_server_name",
        "ssl_session_reused",
        "http2",
        "http3",
        // A client chooses among the ports and what TLS offers it.
        "https",
        "ssl_curve",
        "ssl_alpn_protocol",
        "uid_got",
        // Where the client sends no cookie.
        "uid_set",
        // Also of a link whose digest is wrong.
        "secure_link_expires",
        "ssl_early_data",
        "ssl_session_id",
        "ssl_ciphers",
        "ssl_curves",
        "msie",
        "ancient_browser",
        "modern_browser",
    };
    return starts_with(name, "arg_") || starts_with(name, "http_")
           || starts_with(name, "cookie_") || starts_with(name, "x402_body_")
           || std::find(std::begin(kNames), std::end(kNames), name)
                  != std::end(kNames);
}

std::vector<std::string> variables_in(std::string_view text)
{
    std::vector<std::string> names;
    for (std::size_t at = text.find('$'); at != std::string_view::npos;
         at = text.find('$', at)) {
        at += text.substr(at + 1, 1) == "{" ? 2 : 1;
        std::size_t end = text.find_first_not_of(
            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_",
            at);
        std::string name(text.substr(at, end - at));
        std::transform(name.begin(), name.end(), name.begin(), [](char c) {
            return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A'))
                                        : c;
        });
        names.push_back(std::move(name));
        at = std::min(end, text.size());
    }
    return names;
}

std::string client_variable(std::string_view text)
{
    for (const std::string &name : variables_in(text)) {
        if (is_of_client(name)) {
            return name;
        }
    }
    return {};
}

}  // namespace x402
