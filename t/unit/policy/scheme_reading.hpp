// SPDX-License-Identifier: Apache-2.0
// A scheme's payload as tests write it, and what is read from it.
#ifndef X402_UNIT_SCHEME_READING_HPP
#define X402_UNIT_SCHEME_READING_HPP

#include <cstddef>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "policy/scheme_payload.hpp"
#include "vectors.hpp"

namespace x402 {

// `text` with the first `from` replaced, which has to be there.
inline std::string changed(std::string text, std::string_view from,
                           std::string_view to)
{
    std::size_t place = text.find(from);
    EXPECT_NE(place, std::string::npos) << from;
    return place == std::string::npos ? text
                                      : text.replace(place, from.size(), to);
}

inline Result<SchemePayload> read(const char *scheme, const char *network,
                                  const std::string &payload)
{
    JsonDocument document = parse_json(payload);
    return read_scheme_payload(scheme, network, "any", document.root());
}

// Empty for what cannot be read.
inline std::string key_of(const char *scheme, const char *network,
                          const std::string &payload)
{
    Result<SchemePayload> parsed = read(scheme, network, payload);
    if (!parsed) {
        EXPECT_EQ(parsed.problem().text, kInvalidPayload);
        return "";
    }
    return std::string(parsed->claim_key.begin(), parsed->claim_key.end());
}

}  // namespace x402

#endif
