#include "facilitator/request_header.hpp"

namespace x402 {

namespace {

// Written by the module or by libcurl, or about the connection, or about forms
// of an answer that nobody here can read.
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

char lower(char byte)
{
    return byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte - 'A' + 'a')
                                      : byte;
}

bool equal_in_any_case(std::string_view one, std::string_view other)
{
    if (one.size() != other.size()) {
        return false;
    }
    for (std::size_t i = 0; i < one.size(); i++) {
        if (lower(one[i]) != lower(other[i])) {
            return false;
        }
    }
    return true;
}

// RFC 9110, 5.6.2: token.
bool is_name_byte(char byte)
{
    char small = lower(byte);
    return (small >= 'a' && small <= 'z') || (byte >= '0' && byte <= '9')
           || (byte != '\0'
               && std::string_view("!#$%&'*+-.^_`|~").find(byte)
                      != std::string_view::npos);
}

bool is_control(char byte)
{
    unsigned char code = static_cast<unsigned char>(byte);
    return (code < 0x20 && byte != '\t') || code == 0x7f;
}

}  // namespace

bool RequestHeader::goes_with(std::string_view operation) const
{
    return !value.empty() && (only.empty() || only == operation);
}

bool RequestHeader::is(std::string_view other_name) const
{
    return equal_in_any_case(name, other_name);
}

bool RequestHeader::operator==(const RequestHeader &other) const
{
    return only == other.only && name == other.name && value == other.value;
}

std::string objection_to_header(const RequestHeader &header)
{
    if (header.name.find('$') != std::string::npos
        || header.value.find('$') != std::string::npos) {
        return "variables in a facilitator header are not served; write a "
               "constant";
    }
    if (header.name.empty()) {
        return "the name of a facilitator header must not be empty";
    }
    for (char byte : header.name) {
        if (!is_name_byte(byte)) {
            return "a facilitator header needs a name of letters, digits and "
                   "\"-\", without \":\"";
        }
    }
    for (std::string_view own : kOwnNames) {
        if (header.is(own)) {
            return "the header \"" + header.name
                   + "\" is written by the module itself and cannot be set";
        }
    }
    for (char byte : header.value) {
        if (is_control(byte)) {
            return "the value of the facilitator header \"" + header.name
                   + "\" has a line break or another control character";
        }
    }
    return {};
}

}  // namespace x402
