// SPDX-License-Identifier: Apache-2.0
// A request header that the operator adds to facilitator calls.
#ifndef X402_FACILITATOR_REQUEST_HEADER_HPP
#define X402_FACILITATOR_REQUEST_HEADER_HPP

#include <string>
#include <string_view>
#include <vector>

namespace x402 {

struct RequestHeader {
    std::string only;  // "verify", "settle" or "supported"; empty: for all
    std::string name;
    std::string value;  // empty: not sent

    // Whether it is sent with this operation.
    bool goes_with(std::string_view operation) const;
    bool is(std::string_view other_name) const;  // ignoring case

    bool operator==(const RequestHeader &other) const;
};

using RequestHeaders = std::vector<RequestHeader>;

// Why the header must not be sent, a sentence; empty: it is valid. Errors are:
// an invalid name, a header that the module writes itself, a control character,
// a variable. The value may be a secret and is never part of the sentence.
std::string validate_header(const RequestHeader &header);

}  // namespace x402

#endif
