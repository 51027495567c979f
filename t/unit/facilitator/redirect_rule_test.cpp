// SPDX-License-Identifier: Apache-2.0
#include "facilitator/redirect_rule.hpp"

#include <gtest/gtest.h>

namespace x402 {
namespace {

struct Row {
    const char *asked;
    int status;
    const char *location;
    bool has_credentials;
    const char *outcome;  // where to; else the front of why not
};

Result<std::string> follow(const Row &row)
{
    Result<FacilitatorUrl> asked = parse_facilitator_url(row.asked);
    if (!asked) {
        return asked.problem();
    }
    return follow_redirect(asked.value(), row.status, row.location,
                           row.has_credentials);
}

TEST(RedirectRule, CompletesALocation)
{
    constexpr const char *kRows[][3] = {
        {"http://a.org/v/verify", "https://b.org/c", "https://b.org/c"},
        {"http://a.org/v/verify", "//b.org/c", "http://b.org/c"},
        {"https://a.org/v/verify", "//b.org/c", "https://b.org/c"},
        {"http://a.org:81/v/verify", "/c", "http://a.org:81/c"},
        {"http://a.org", "/c", "http://a.org/c"},
        {"http://a.org/v/verify", "c", "http://a.org/v/c"},
        {"http://a.org/v/", "c/d", "http://a.org/v/c/d"},
        {"http://a.org", "c", "http://a.org/c"},
        {"http://a.org/v", "", ""},
        {"http://a.org/v/verify", "../c", "../c"},
        {"http://a.org/v/verify", "c/./d", "c/./d"},
        {"http://a.org/v/verify", "/c?u=http://b", "http://a.org/c?u=http://b"},
    };
    for (auto &[asked, location, target] : kRows) {
        EXPECT_EQ(resolve_location(asked, location), target) << location;
    }
}

TEST(RedirectRule, FollowsWhatKeepsAPostAndItsSecrets)
{
    constexpr Row kRows[] = {
        {"https://x402.org/facilitator", 307,
         "https://www.x402.org/facilitator/verify", false,
         "https://www.x402.org/facilitator/verify"},
        {"https://x402.org/facilitator", 308, "https://x402.org/v2/verify",
         true, "https://x402.org/v2/verify"},
        {"https://x402.org", 308, "https://X402.ORG/v2/verify", true,
         "https://X402.ORG/v2/verify"},
        {"https://x402.org/facilitator", 307, "/v2/settle", true,
         "https://x402.org/v2/settle"},
        {"http://127.0.0.1:4022/a", 308, "/b", false,
         "http://127.0.0.1:4022/b"},
        {"https://[::1]:8443/a", 308, "/b", true, "https://[::1]:8443/b"},
        {"https://x402.org", 307, "//www.x402.org/verify", false,
         "https://www.x402.org/verify"},
        {"http://x402.org", 307, "//x402.org:8080/verify", false,
         "http://x402.org:8080/verify"},
        {"https://x402.org", 307, "https://x402.org:443/v", true,
         "https://x402.org:443/v"},
        {"https://x402.org:8443", 307, "https://x402.org:8443/v", true,
         "https://x402.org:8443/v"},
        {"http://x402.org:8080", 307, "https://x402.org/v", false,
         "https://x402.org/v"},
        {"http://x402.org", 308, "https://x402.org/verify", true,
         "https://x402.org/verify"},
        {"http://x402.org", 308, "http://y.org/verify", false,
         "http://y.org/verify"},
    };
    for (const Row &row : kRows) {
        Result<std::string> target = follow(row);
        ASSERT_TRUE(target) << row.location << ": " << target.problem().text;
        EXPECT_EQ(target.value(), row.outcome);
    }
}

TEST(RedirectRule, RefusesAndSaysWhy)
{
    constexpr Row kRows[] = {
        {"https://x402.org", 301, "https://x402.org/v", false, "only 307"},
        {"https://x402.org", 302, "https://x402.org/v", false, "only 307"},
        {"https://x402.org", 303, "https://x402.org/v", false, "only 307"},
        {"https://x402.org", 300, "https://x402.org/v", false, "only 307"},
        {"https://x402.org", 304, "https://x402.org/v", false, "only 307"},
        {"https://x402.org", 200, "https://x402.org/v", false, "only 307"},
        {"https://x402.org", 307, "", false, "it has no Location"},
        {"https://x402.org", 307, "verify2", false, "its Location cannot"},
        {"https://x402.org", 307, "?x", false, "its Location cannot"},
        {"https://x402.org", 307, "/v?x=1", false, "its Location cannot"},
        {"https://x402.org", 307, "/v#x", false, "its Location cannot"},
        {"https://x402.org", 307, "/v\r\nX: y", false, "its Location cannot"},
        {"https://x402.org", 307, "/\\y.org", false, "its Location cannot"},
        {"https://x402.org", 307, "https:y.org", false, "its Location cannot"},
        {"https://x402.org", 307, "///y.org", false, "its Location cannot"},
        {"https://x402.org", 307, "ftp://x402.org/", false,
         "its Location cannot"},
        {"https://x402.org", 307, "https://u:p@x402.org/", false,
         "its Location cannot"},
        {"https://x402.org", 307, "https://x402.org@y.org/", true,
         "its Location cannot"},
        {"https://x402.org", 307, "http://x402.org/v", false,
         "it leads from https to http"},
        {"https://x402.org", 307, "HTTP://x402.org/v", false,
         "it leads from https to http"},
        {"https://x402.org", 307, "https://y.org/v", true,
         "it leads to another host"},
        {"https://x402.org", 307, "//y.org/v", true,
         "it leads to another host"},
        {"https://x402.org", 307, "https://x402.org.y.org/v", true,
         "it leads to another host"},
        {"http://x402.org", 308, "http://y.org/v", true,
         "it leads to another host"},
        {"http://x402.org", 308, "https://y.org/v", true,
         "it leads to another host"},
        {"http://x402.org", 307, "//x402.org:8080/verify", true,
         "it leads to another port"},
        {"https://x402.org", 307, "https://x402.org:8443/v", true,
         "it leads to another port"},
        {"https://x402.org:8443", 307, "https://x402.org/v", true,
         "it leads to another port"},
        {"http://x402.org:8080", 308, "https://x402.org/v", true,
         "it leads to another port"},
        {"http://x402.org", 308, "https://x402.org:8443/v", true,
         "it leads to another port"},
        {"http://[::1]:8080", 308, "https://[::1]:8080/v", true,
         "it leads to another port"},
    };
    for (const Row &row : kRows) {
        Result<std::string> target = follow(row);
        ASSERT_FALSE(target) << row.status << " " << row.location;
        EXPECT_EQ(target.problem().text.find(row.outcome), 0u)
            << row.location << ": " << target.problem().text;
    }
}

// A redirect must not lead to a place that an operator could not have written.
TEST(RedirectRule, LeadsToUrlsOnly)
{
    Result<FacilitatorUrl> asked = parse_facilitator_url("https://x402.org/f");
    ASSERT_TRUE(asked);
    for (int byte = 1; byte < 256; ++byte) {
        std::string location = "/a" + std::string(1, static_cast<char>(byte));
        Result<std::string> target =
            follow_redirect(asked.value(), 307, location, true);
        if (target) {
            EXPECT_GT(byte, 0x20);
            EXPECT_LT(byte, 0x7f);
            EXPECT_EQ(target.value(), "https://x402.org" + location);
        }
    }
}

}  // namespace
}  // namespace x402
