// SPDX-License-Identifier: Apache-2.0
#include "facilitator/extension_responses.hpp"

#include <gtest/gtest.h>

#include "base/base64_codec.hpp"

namespace x402 {
namespace {

std::string words_of(std::string_view json)
{
    return extension_response_words(base64_encode(json));
}

TEST(ExtensionResponses, AreWordsForALogLine)
{
    EXPECT_EQ(words_of(R"({"bazaar":{"status":"rejected","rejectedReason":)"
                       R"("no output schema","internal":"x"},)"
                       R"("other":{"code":7}})"),
              "bazaar status=rejected rejectedReason=no output schema; "
              "other code=7");
}

TEST(ExtensionResponses, HaveNothingThatBreaksALine)
{
    EXPECT_EQ(words_of(R"({"a\nb":{"status":"x\r\ny"}})").find('\n'),
              std::string::npos);
    EXPECT_LT(
        words_of("{\"a\":{\"reason\":\"" + std::string(5000, 'x') + "\"}}")
            .size(),
        400u);
}

TEST(ExtensionResponses, SayNothingIfTheyCannotBeRead)
{
    EXPECT_EQ(extension_response_words("%%%"), "");
    EXPECT_EQ(words_of("[1]"), "");
    EXPECT_EQ(words_of(R"({"bazaar":"rejected"})"), "");
    EXPECT_EQ(words_of(R"({"bazaar":{"status":{"a":1}}})"), "");
}

}  // namespace
}  // namespace x402
