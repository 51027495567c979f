// SPDX-License-Identifier: Apache-2.0
#include "facilitator/request_head.hpp"

#include <gtest/gtest.h>

#include "base/module_version.hpp"

namespace x402 {
namespace {

TEST(RequestHead, IsAPostOfJson)
{
    EXPECT_EQ(whole_head(start_of_head("http://127.0.0.1:4022/a/verify", true),
                         {"X-Key: a", "Authorization: Bearer b"}, true, 12),
              "POST /a/verify HTTP/1.1\r\n"
              "Host: 127.0.0.1:4022\r\n"
              "User-Agent: " NGX_HTTP_X402_USER_AGENT "\r\n"
              "Accept: application/json\r\n"
              "Content-Type: application/json\r\n"
              "X-Key: a\r\n"
              "Authorization: Bearer b\r\n"
              "Content-Length: 12\r\n"
              "\r\n");
}

TEST(RequestHead, IsAGetWithoutABody)
{
    EXPECT_EQ(whole_head(start_of_head("http://x402.org/supported", false), {},
                         false, 0),
              "GET /supported HTTP/1.1\r\n"
              "Host: x402.org\r\n"
              "User-Agent: " NGX_HTTP_X402_USER_AGENT "\r\n"
              "Accept: application/json\r\n"
              "\r\n");
}

TEST(RequestHead, NamesThePathAsItStands)
{
    auto line = [](const char *url) {
        std::string head = start_of_head(url, true);
        return head.substr(0, head.find("\r\nUser-Agent"));
    };
    EXPECT_EQ(line("http://a.org"), "POST / HTTP/1.1\r\nHost: a.org");
    EXPECT_EQ(line("http://a.org/v/"), "POST /v/ HTTP/1.1\r\nHost: a.org");
    EXPECT_EQ(line("http://A.org:80//v"), "POST //v HTTP/1.1\r\nHost: a.org");
    EXPECT_EQ(line("http://[::1]/v"), "POST /v HTTP/1.1\r\nHost: [::1]");
    EXPECT_EQ(line("http://[::1]:81"), "POST / HTTP/1.1\r\nHost: [::1]:81");
}

}  // namespace
}  // namespace x402
