// SPDX-License-Identifier: Apache-2.0
#include "base/canonical_json.hpp"

#include <gtest/gtest.h>

#include "vectors.hpp"

namespace x402 {
namespace {

std::string canonical(std::string_view text, Spelling spelling)
{
    JsonDocument document = parse_json(text);
    return canonical_json(document.root(), spelling);
}

TEST(CanonicalJson, IsOneTextForAllSpellings)
{
    for (
        const char *text :
        {R"({"b":[1,2.50,null,true],"a":{"d":"\u0041/","c":-5}})",
         R"( { "a" : { "c" : -5.0 , "d" : "A\/" }, "b":[1e0,25e-1,null,true]})"}) {
        EXPECT_EQ(canonical(text, Spelling::exact),
                  R"({"a":{"c":-5,"d":"A/"},"b":[1,2.5,null,true]})");
    }
    EXPECT_NE(canonical(R"(["5"])", Spelling::exact),
              canonical("[5]", Spelling::exact));
    EXPECT_NE(canonical("[1,2]", Spelling::exact),
              canonical("[2,1]", Spelling::exact));
}

TEST(CanonicalJson, LooseTakesNumbersInQuotesAndLetterCase)
{
    EXPECT_EQ(canonical(R"(["5",5,"0xAb","05",{"X":"Y"}])", Spelling::loose),
              R"([5,5,"0xab","05",{"X":"y"}])");
}

}  // namespace
}  // namespace x402
