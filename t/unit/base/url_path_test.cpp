// SPDX-License-Identifier: Apache-2.0
#include "base/url_path.hpp"

#include <gtest/gtest.h>

namespace x402 {
namespace {

TEST(UrlPath, KeepsWhatAPathConsistsOf)
{
    for (std::string_view path :
         {"/", "/weather", "/a/b.c/~d_e-f", "/x:y@z!$&'()*+,;=", ""}) {
        EXPECT_EQ(url_path(path), path);
        EXPECT_EQ(decoded_path(path), path);
    }
}

TEST(UrlPath, EncodesEveryOtherByte)
{
    EXPECT_EQ(url_path("/a b"), "/a%20b");
    EXPECT_EQ(url_path("/q\"u<>\\^`|[]"), "/q%22u%3C%3E%5C%5E%60%7C%5B%5D");
    EXPECT_EQ(url_path("/h?x#y"), "/h%3Fx%23y");
    EXPECT_EQ(url_path("/p%20"), "/p%2520");
    EXPECT_EQ(url_path("/{id}"), "/%7Bid%7D");
    EXPECT_EQ(url_path("/\xc3\xb6\x7f\x01"), "/%C3%B6%7F%01");
}

TEST(UrlPath, IsReadAgainAsItWas)
{
    std::string every = "/";
    for (int byte = 0; byte < 256; byte++) {
        every += static_cast<char>(byte);
    }
    EXPECT_EQ(decoded_path(url_path(every)), every);
}

TEST(UrlPath, LeavesWhatIsNotEncoded)
{
    EXPECT_EQ(decoded_path("/%c3%B6"), "/\xc3\xb6");
    for (std::string_view path : {"/%", "/%4", "/%zz", "/%4g/x"}) {
        EXPECT_EQ(decoded_path(path), path);
    }
}

}  // namespace
}  // namespace x402
