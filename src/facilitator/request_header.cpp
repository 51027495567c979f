// SPDX-License-Identifier: Apache-2.0
#include "facilitator/request_header.hpp"

#include "base/header_syntax.hpp"

namespace x402 {

namespace {

// Headers that the module writes, that belong to the connection, or that select
// forms of an answer that the module cannot read.
constexpr std::string_view kOwnNames[] = {
    "accept",
    "accept-encoding",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "host",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "http2-settings",
};

}  // namespace

bool RequestHeader::goes_with(std::string_view operation) const
{
    return !value.empty() && (only.empty() || only == operation);
}

bool RequestHeader::is(std::string_view other_name) const
{
    return same_word(name, other_name);
}

bool RequestHeader::operator==(const RequestHeader &other) const
{
    return only == other.only && name == other.name && value == other.value;
}

std::string validate_header(const RequestHeader &header)
{
    if (header.name.find('$') != std::string::npos
        || header.value.find('$') != std::string::npos) {
        return "variables in a facilitator header are not supported; write a "
               "constant";
    }
    if (header.name.empty()) {
        return "the name of a facilitator header must not be empty";
    }
    if (!is_token(header.name)) {
        return "a facilitator header needs a name of letters, digits and "
               "\"-\", without \":\"";
    }
    for (std::string_view own : kOwnNames) {
        if (header.is(own)) {
            return "the header \"" + header.name
                   + "\" is written by the module itself and cannot be set";
        }
    }
    if (has_control(header.value)) {
        return "the value of the facilitator header \"" + header.name
               + "\" has a line break or another control character";
    }
    return {};
}

}  // namespace x402
