// SPDX-License-Identifier: Apache-2.0
#include "protocol/preflight_headers.hpp"

#include <vector>

#include "base/header_syntax.hpp"

namespace x402 {

namespace {

// The wrappers of fetch and axios send the last one, the name of a response
// header, with every payment.
constexpr std::string_view kKnown[] = {
    "PAYMENT-SIGNATURE", "X-PAYMENT",    "SIGN-IN-WITH-X",
    "X402-Pass",         "Content-Type", "Access-Control-Expose-Headers",
};
constexpr std::size_t kMaxAskedBytes = 1024;

void add_name(std::vector<std::string_view> &names, std::string_view name)
{
    for (std::string_view known : names) {
        if (same_word(known, name)) {
            return;
        }
    }
    names.push_back(name);
}

}  // namespace

std::string allowed_header_names(std::string_view asked)
{
    std::vector<std::string_view> names(std::begin(kKnown), std::end(kKnown));
    std::vector<std::string_view> with_asked = names;
    bool well_formed = !asked.empty() && asked.size() <= kMaxAskedBytes;
    while (well_formed && !asked.empty()) {
        std::size_t comma = asked.find(',');
        std::string_view name = trimmed(asked.substr(0, comma));
        well_formed = is_token(name);
        add_name(with_asked, name);
        asked.remove_prefix(comma == std::string_view::npos ? asked.size()
                                                            : comma + 1);
    }

    std::string text;
    for (std::string_view name : well_formed ? with_asked : names) {
        text += (text.empty() ? "" : ", ") + std::string(name);
    }
    return text;
}

}  // namespace x402
