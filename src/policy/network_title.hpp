// SPDX-License-Identifier: Apache-2.0
// Names of networks for people.
#ifndef X402_POLICY_NETWORK_TITLE_HPP
#define X402_POLICY_NETWORK_TITLE_HPP

#include <string>
#include <string_view>

namespace x402 {

// "Base Sepolia" for eip155:84532; the id itself if no name is known.
std::string network_title(std::string_view caip2);

}  // namespace x402

#endif
