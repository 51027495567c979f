// SPDX-License-Identifier: Apache-2.0
#include "base/secret_memory.hpp"

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <string>
#include <utility>

#include <gtest/gtest.h>

namespace x402 {
namespace {

// Whether core dumps leave out the memory at this address.
bool is_hidden(const void *at)
{
    auto address = reinterpret_cast<std::uintptr_t>(at);
    std::ifstream maps("/proc/self/smaps");
    bool here = false;
    for (std::string line; std::getline(maps, line);) {
        unsigned long from = 0;
        unsigned long to = 0;
        if (std::sscanf(line.c_str(), "%lx-%lx ", &from, &to) == 2) {
            here = from <= address && address < to;
        } else if (here && line.rfind("VmFlags:", 0) == 0) {
            return line.find(" dd") != std::string::npos;
        }
    }
    return false;
}

TEST(SecretMemory, WipesTexts)
{
    std::string text = "a secret that is longer than a short string";
    const char *bytes = text.data();
    std::size_t length = text.size();
    wipe(text);
    EXPECT_EQ(text, "");
    ASSERT_GE(text.capacity(), length);
    // The memory is still the string's: nothing but zeros, once it is shown.
    text.resize(length);
    EXPECT_EQ(std::string(bytes, length), std::string(length, '\0'));
    std::string empty;
    wipe(empty);
    EXPECT_EQ(empty, "");
}

TEST(SecretMemory, IsLeftOutOfDumps)
{
    const std::string elsewhere(100, 'a');
    EXPECT_FALSE(is_hidden(elsewhere.data()));
    for (std::size_t size : {1u, 9u, 4095u, 4096u, 70000u}) {
        SecretText secret(std::string(size, 's'));
        EXPECT_TRUE(is_hidden(secret.data())) << size;
        EXPECT_TRUE(is_hidden(secret.data() + size - 1)) << size;
        EXPECT_EQ(secret.view(), std::string(size, 's'));
        EXPECT_EQ(secret.data()[size], '\0') << size;
    }
}

TEST(SecretMemory, GrowsAndShrinks)
{
    SecretText secret;
    EXPECT_TRUE(secret.empty());
    EXPECT_EQ(secret.view(), "");
    secret.append("");
    secret.append("one");
    secret.append("two");
    EXPECT_EQ(secret.view(), "onetwo");
    secret.append(std::string(9000, 'x'));
    EXPECT_EQ(secret.view(), "onetwo" + std::string(9000, 'x'));
    EXPECT_TRUE(is_hidden(secret.data()));
    secret.resize(3);
    EXPECT_EQ(secret.view(), "one");
    EXPECT_EQ(std::string(secret.data() + 3, 9003), std::string(9003, '\0'))
        << "what was cut off is not there any more";
    secret.resize(5);
    EXPECT_EQ(secret.view(), std::string("one\0\0", 5));
    secret.clear();
    EXPECT_TRUE(secret.empty());
    secret.resize(0);
    secret.append("again");
    EXPECT_EQ(secret.view(), "again");
}

TEST(SecretMemory, MovesWithoutACopy)
{
    SecretText one("a secret");
    const char *bytes = one.data();
    SecretText other(std::move(one));
    EXPECT_EQ(other.data(), bytes);
    SecretText third("another");
    third = std::move(other);
    EXPECT_EQ(third.data(), bytes);
    EXPECT_EQ(third.view(), "a secret");
}

}  // namespace
}  // namespace x402
