// SPDX-License-Identifier: Apache-2.0
#include "facilitator/facilitator_url.hpp"

#include <gtest/gtest.h>

namespace x402 {
namespace {

TEST(FacilitatorUrl, IsReadIntoItsParts)
{
    struct Row {
        const char *text;
        bool secure;
        const char *host;
        unsigned port;
        const char *path;
        const char *base;
    };
    constexpr Row kRows[] = {
        {"https://x402.org/facilitator", true, "x402.org", 443, "/facilitator",
         "https://x402.org/facilitator"},
        {"https://x402.org", true, "x402.org", 443, "", "https://x402.org"},
        {"https://x402.org/", true, "x402.org", 443, "", "https://x402.org"},
        {"https://x402.org/a/b//", true, "x402.org", 443, "/a/b",
         "https://x402.org/a/b"},
        {"HTTPS://X402.ORG/Facilitator", true, "x402.org", 443, "/Facilitator",
         "https://x402.org/Facilitator"},
        {"http://127.0.0.1:4022", false, "127.0.0.1", 4022, "",
         "http://127.0.0.1:4022"},
        {"http://h:80/", false, "h", 80, "", "http://h"},
        {"http://h:443/", false, "h", 443, "", "http://h:443"},
        {"https://h:443", true, "h", 443, "", "https://h"},
        {"https://h:00443", true, "h", 443, "", "https://h"},
        {"https://h:65535/v2", true, "h", 65535, "/v2", "https://h:65535/v2"},
        {"https://[::1]:8443/x", true, "::1", 8443, "/x",
         "https://[::1]:8443/x"},
        {"https://[2001:DB8::1]", true, "2001:db8::1", 443, "",
         "https://[2001:db8::1]"},
        {"http://[::ffff:127.0.0.1]/", false, "::ffff:127.0.0.1", 80, "",
         "http://[::ffff:127.0.0.1]"},
        {"http://my_host-1.local/~a/%20;b=1,c", false, "my_host-1.local", 80,
         "/~a/%20;b=1,c", "http://my_host-1.local/~a/%20;b=1,c"},
    };
    for (const Row &row : kRows) {
        SCOPED_TRACE(row.text);
        Result<FacilitatorUrl> url = parse_facilitator_url(row.text);
        ASSERT_TRUE(url) << url.problem().text;
        EXPECT_EQ(url->secure, row.secure);
        EXPECT_EQ(url->host, row.host);
        EXPECT_EQ(url->port, row.port);
        EXPECT_EQ(url->path, row.path);
        EXPECT_EQ(url->base(), row.base);
        EXPECT_EQ(url->endpoint("verify"), std::string(row.base) + "/verify");
    }
}

struct Wrong {
    const char *text;
    const char *why;
};
constexpr Wrong kWrong[] = {
    {"", "must start with"},
    {"x402.org", "must start with"},
    {"//x402.org", "must start with"},
    {"://x402.org", "must start with"},
    {"ftp://x402.org", "must start with"},
    {"httpss://x402.org", "must start with"},
    {"https:/x402.org", "must start with"},
    {"https:x402.org", "must start with"},
    {"https://", "has no host"},
    {"https:///verify", "has no host"},
    {"https://:443", "has no host"},
    {"https://user@x402.org", "must not contain a user name"},
    {"https://user:secret@x402.org/", "must not contain a user name"},
    {"https://x402.org?key=1", "must not have a query"},
    {"https://x402.org/a?key=1", "must not have a query"},
    {"https://x402.org/#a", "must not have a query"},
    {"https://x402.org:", "has no port between"},
    {"https://x402.org:0", "has no port between"},
    {"https://x402.org:65536", "has no port between"},
    {"https://x402.org:000443", "has no port between"},
    {"https://x402.org:-1", "has no port between"},
    {"https://x402.org:44a", "has no port between"},
    {"https://x402.org:1:2", "has no port between"},
    {"https://::1/", "has no host"},
    {"https://x402,org", "has a host name with"},
    {"https://x402%2eorg", "has a host name with"},
    {"https://*.org", "has a host name with"},
    {"https://[::1", "has an IPv6 address without"},
    {"https://[]", "has an IPv6 address without"},
    {"https://[::1]x", "has text after"},
    {"https://[::1]443", "has text after"},
    {"https://[::1]:", "has no port between"},
    {"https://[::1%eth0]", "has no IPv6 address between"},
    {"https://[v1.x]", "has no IPv6 address between"},
    {"https://[face]", "has no IPv6 address between"},
    {"https://[1.2.3.4]", "has no IPv6 address between"},
    {" https://x402.org", "has a character that no URL has"},
    {"https://x402.org ", "has a character that no URL has"},
    {"https://x402.org/a b", "has a character that no URL has"},
    {"https://x402.org/\r\nHost: y", "has a character that no URL has"},
    {"https://x402.org/\"", "has a character that no URL has"},
    {"https://x402.org\\@y", "has a character that no URL has"},
    {"https://x402.org/{a}", "has a character that no URL has"},
    {"https://\xc3\xbc.org", "has a character that no URL has"},
    {"https://x402.org/\x7f", "has a character that no URL has"},
};

TEST(FacilitatorUrl, SaysWhatIsWrong)
{
    for (const Wrong &row : kWrong) {
        Result<FacilitatorUrl> url = parse_facilitator_url(row.text);
        ASSERT_FALSE(url) << row.text;
        EXPECT_EQ(url.problem().text.find("facilitator \""
                                          + std::string(row.text) + "\" "
                                          + row.why),
                  0u)
            << url.problem().text;
    }
    EXPECT_FALSE(parse_facilitator_url(std::string_view("https://h\0", 10)));
}

TEST(FacilitatorUrl, TellsAddressesFromNames)
{
    struct Row {
        const char *text;
        bool address;
    };
    constexpr Row kRows[] = {
        {"http://127.0.0.1", true},  {"http://[::1]", true},
        {"http://localhost", false}, {"http://1.2.3.4.example", false},
        {"http://a1", false},        {"http://[2001:db8::beef]", true},
    };
    for (const Row &row : kRows) {
        Result<FacilitatorUrl> url = parse_facilitator_url(row.text);
        ASSERT_TRUE(url) << row.text;
        EXPECT_EQ(url->host_is_address(), row.address) << row.text;
    }
}

TEST(FacilitatorUrl, KnowsThisMachine)
{
    struct Row {
        const char *text;
        bool loopback;
    };
    constexpr Row kRows[] = {
        {"http://127.0.0.1:4021", true},
        {"http://127.1.2.3", true},
        {"http://[::1]/a", true},
        {"http://LocalHost:80", true},
        {"http://10.0.0.1", false},
        {"http://127.evil.example", false},
        {"http://[2001:db8::1]", false},
        {"http://x402.org", false},
        {"http://localhost.evil.example", false},
    };
    for (const Row &row : kRows) {
        Result<FacilitatorUrl> url = parse_facilitator_url(row.text);
        ASSERT_TRUE(url) << row.text;
        EXPECT_EQ(url->host_is_loopback(), row.loopback) << row.text;
    }
}

TEST(FacilitatorUrl, OfItsBaseIsItself)
{
    for (const char *text :
         {"https://x402.org/facilitator/", "http://[::1]:8080//a//",
          "http://H:443", "https://h:80/x"}) {
        Result<FacilitatorUrl> url = parse_facilitator_url(text);
        ASSERT_TRUE(url) << text;
        Result<FacilitatorUrl> again = parse_facilitator_url(url->base());
        ASSERT_TRUE(again) << url->base();
        EXPECT_EQ(again->secure, url->secure);
        EXPECT_EQ(again->host, url->host);
        EXPECT_EQ(again->port, url->port);
        EXPECT_EQ(again->path, url->path);
    }
}

TEST(FacilitatorUrl, KnowsWhatThePublicCannotReach)
{
    for (const char *host :
         {"localhost", "127.0.0.1", "10.0.0.1", "172.16.0.1", "172.31.255.1",
          "192.168.0.1", "169.254.1.1", "100.64.0.1", "[::1]", "[fd00::1]",
          "[fe80::1]", "facilitator", "pay.local", "a.b.internal", "x.test"}) {
        auto url = parse_facilitator_url(std::string("http://") + host);
        ASSERT_TRUE(url) << host;
        EXPECT_TRUE(url->host_is_private()) << host;
    }
    for (const char *host :
         {"8.8.8.8", "172.15.0.1", "172.32.0.1", "192.169.0.1", "100.128.0.1",
          "[2001:db8::1]", "x402.org", "local.example.com", "internal.io"}) {
        auto url = parse_facilitator_url(std::string("http://") + host);
        ASSERT_TRUE(url) << host;
        EXPECT_FALSE(url->host_is_private()) << host;
    }
}

TEST(FacilitatorUrl, OfAnOperatorHasNoOperation)
{
    for (const char *text : {"https://a/verify", "https://a/x402/settle/",
                             "http://a:1/supported"}) {
        EXPECT_TRUE(parse_facilitator_url(text)) << text;
        auto url = parse_base_url(text);
        ASSERT_FALSE(url) << text;
        EXPECT_NE(url.problem().text.find("must not end in"), std::string::npos)
            << url.problem().text;
    }
    for (const char *text : {"https://a", "https://a/verify/x402",
                             "https://a/reverify", "https://verify"}) {
        EXPECT_TRUE(parse_base_url(text)) << text;
    }
    EXPECT_FALSE(parse_base_url("ftp://a"));
}

}  // namespace
}  // namespace x402
