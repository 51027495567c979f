// SPDX-License-Identifier: Apache-2.0
#include "facilitator/proxy_url.hpp"

#include <gtest/gtest.h>

namespace x402 {
namespace {

std::string read(const char *text)
{
    auto proxy = parse_proxy_url(text);
    return proxy ? proxy->text() : proxy.problem().text;
}

TEST(ProxyUrl, IsAHostAndAPort)
{
    EXPECT_EQ(read("http://proxy.example:3128"), "http://proxy.example:3128");
    EXPECT_EQ(read("http://Proxy"), "http://proxy:80");
    EXPECT_EQ(read("socks5://proxy"), "socks5://proxy:1080");
    EXPECT_EQ(read("socks5://proxy:80"), "socks5://proxy:80");
    EXPECT_EQ(read("socks5://[::1]"), "socks5://[::1]:1080");
    EXPECT_EQ(read("http://[::1]:8080"), "http://[::1]:8080");
}

TEST(ProxyUrl, KnowsAddresses)
{
    EXPECT_TRUE(parse_proxy_url("http://127.0.0.1:3128")->host_is_address);
    EXPECT_TRUE(parse_proxy_url("socks5://[::1]")->host_is_address);
    EXPECT_FALSE(parse_proxy_url("http://proxy:3128")->host_is_address);
}

TEST(ProxyUrl, IsNothingElse)
{
    for (const char *text :
         {"", "proxy", "proxy:3128", "ftp://proxy", "socks4://proxy",
          "HTTP//proxy", "https://proxy:3128", "http://", "http://:80",
          "http://proxy:0", "http://proxy:65536", "http://proxy/",
          "http://proxy/path", "http://proxy?a", "socks5://pr oxy",
          "socks5://[::1"}) {
        EXPECT_FALSE(parse_proxy_url(text)) << text;
    }
    EXPECT_NE(read("http://me:secret@proxy").find("write user= and password="),
              std::string::npos);
}

TEST(ProxyUrl, ReadsAPassword)
{
    EXPECT_EQ(read_proxy_password("secret\n").value(), "secret");
    EXPECT_EQ(read_proxy_password("two words\r\n").value(), "two words");
    EXPECT_EQ(read_proxy_password("secret").value(), "secret");
    for (std::string_view file :
         {"", "\n", "secret\nmore", "secret\n\n", "sec\tret"}) {
        auto password = read_proxy_password(file);
        ASSERT_FALSE(password) << file;
        EXPECT_EQ(password.problem().text.find("sec"), std::string::npos);
    }
    EXPECT_FALSE(read_proxy_password(std::string(256, 'a')));
}

}  // namespace
}  // namespace x402
