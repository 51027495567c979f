#include "session/address_share.hpp"

#include <gtest/gtest.h>

namespace x402 {
namespace {

Digest address(unsigned number)
{
    Digest digest{};
    digest[0] = static_cast<std::uint8_t>(number);
    digest[1] = static_cast<std::uint8_t>(number >> 8);
    return digest;
}

TEST(AddressShare, IsAQuarterOfThePlaces)
{
    AddressShare share;
    for (int count = 0; count < 256; ++count) {
        EXPECT_TRUE(share.enter(address(1), 1024));
    }
    EXPECT_FALSE(share.enter(address(1), 1024));
    EXPECT_TRUE(share.enter(address(2), 1024)) << "another address";
    EXPECT_FALSE(share.enter(address(1), 1024));
    EXPECT_TRUE(share.enter(address(1), 1028)) << "more places";
}

TEST(AddressShare, IsAtLeastOnePlace)
{
    AddressShare share;
    for (std::size_t places : {0, 1, 3, 4, 7}) {
        EXPECT_TRUE(share.enter(address(1), places)) << places;
        EXPECT_FALSE(share.enter(address(1), places)) << places;
        share.leave(address(1));
    }
}

TEST(AddressShare, IsGivenBack)
{
    AddressShare share;
    EXPECT_TRUE(share.enter(address(1), 8));
    EXPECT_TRUE(share.enter(address(1), 8));
    EXPECT_FALSE(share.enter(address(1), 8));
    share.leave(address(1));
    EXPECT_TRUE(share.enter(address(1), 8));
}

TEST(AddressShare, RemembersNobodyWhoHoldsNothing)
{
    AddressShare share;
    for (unsigned number = 0; number < 1000; ++number) {
        EXPECT_TRUE(share.enter(address(number), 16));
    }
    EXPECT_EQ(share.addresses(), 1000u);
    for (unsigned number = 0; number < 1000; ++number) {
        share.leave(address(number));
    }
    EXPECT_EQ(share.addresses(), 0u);
    share.leave(address(1));  // never entered: nothing
    EXPECT_TRUE(share.enter(address(1), 4));
}

}  // namespace
}  // namespace x402
