// SPDX-License-Identifier: Apache-2.0
#include "protocol/html_page.hpp"

#include <random>

#include <gtest/gtest.h>

namespace x402 {
namespace {

std::string html_of(std::string_view text)
{
    std::string out;
    append_html(out, text);
    return out;
}

TEST(HtmlText, IsEscapedForTextAndForQuotedAttributes)
{
    EXPECT_EQ(html_of("a<b>&\"'\n\t\x80"),
              "a&lt;b&gt;&amp;&quot;&#39;\n\t\x80");
    EXPECT_EQ(html_of({"\0\x01\x7f\r", 4}),
              "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
    EXPECT_EQ(html_of("&lt;"), "&amp;lt;");
    EXPECT_EQ(html_of(""), "");
}

// Whatever comes in, what goes out ends neither text nor attribute.
TEST(HtmlText, NeverEndsWhatItIsIn)
{
    std::minstd_rand random(402);
    constexpr std::string_view kLetters = "<>\"'&;ab/=#!-x \n";
    for (unsigned attempt = 0; attempt < 20000; ++attempt) {
        std::string text;
        for (unsigned length = random() % 24; length > 0; --length) {
            text += random() % 4 ? kLetters[random() % kLetters.size()]
                                 : static_cast<char>(random() % 256);
        }
        std::string out = html_of(text);
        ASSERT_EQ(out.find_first_of("<>\"'"), std::string::npos) << text;
        for (std::size_t at = out.find('&'); at != std::string::npos;
             at = out.find('&', at + 1)) {
            std::string rest = out.substr(at, 6);
            ASSERT_TRUE(rest.rfind("&lt;", 0) == 0 || rest.rfind("&gt;", 0) == 0
                        || rest.rfind("&amp;", 0) == 0 || rest == "&quot;"
                        || rest.rfind("&#39;", 0) == 0)
                << out;
        }
    }
}

std::string cut(std::string_view page)
{
    std::string out;
    for (const PagePart &part : parse_page(page)) {
        out += "[" + part.text + "|" + part.variable + "]";
    }
    return out;
}

TEST(HtmlPage, IsCutAtItsVariables)
{
    EXPECT_EQ(cut("a $b c${d_1}e"), "[a |b][ c|d_1][e|]");
    EXPECT_EQ(cut("$a$b"), "[|a][|b][|]");
    EXPECT_EQ(cut("$x402_price."), "[|x402_price][.|]");
    EXPECT_EQ(cut("${a}b"), "[|a][b|]");
    EXPECT_EQ(cut("$$a"), "[$|a][|]");
    EXPECT_EQ(cut(""), "[|]");
    EXPECT_EQ(cut("plain"), "[plain|]");
}

TEST(HtmlPage, LeavesOtherDollarsAlone)
{
    for (std::string_view page :
         {"$5", "$ a", "$", "a$", "$(x)", "${", "${}", "${5}", "${a", "${a b}",
          "$-", "${a$", "$."}) {
        std::string expected = "[" + std::string(page) + "|]";
        EXPECT_EQ(cut(page), expected);
    }
    EXPECT_EQ(cut("$5 or $1.50, ${x} not ${ x}"),
              "[$5 or $1.50, |x][ not ${ x}|]");
}

}  // namespace
}  // namespace x402
