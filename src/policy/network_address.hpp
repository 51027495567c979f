// Who is paid and in what, as each family of networks writes it.
#ifndef X402_POLICY_NETWORK_ADDRESS_HPP
#define X402_POLICY_NETWORK_ADDRESS_HPP

#include <string>
#include <string_view>

namespace x402 {

// The part of a CAIP-2 id before its colon.
std::string_view network_family(std::string_view caip2);

// What is wrong with an address or an asset of that network, and what to write:
// a phrase to stand behind the quoted text; empty: nothing is. Addresses and
// assets of families that are not known only have to be printable.
std::string address_fault(std::string_view caip2, std::string_view address);
std::string asset_fault(std::string_view caip2, std::string_view asset);

// True for addresses that nobody has the key of: what is sent there is lost.
// Precondition: address_fault() found nothing.
bool is_nobodys_address(std::string_view caip2, std::string_view address);

}  // namespace x402

#endif
