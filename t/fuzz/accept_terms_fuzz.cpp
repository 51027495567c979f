// SPDX-License-Identifier: Apache-2.0
// The words of an x402_accept: network, receiver, price, asset and extra, one a
// line.
#include <algorithm>
#include <string>

#include "base/decimal_amount.hpp"
#include "fuzz_check.hpp"
#include "policy/accept_terms.hpp"
#include "policy/network_address.hpp"
#include "policy/network_table.hpp"

using namespace x402;

namespace {

std::string take_line(std::string_view &text)
{
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    return std::string(line);
}

void check_network(const std::string &name)
{
    auto id = caip2_network(name);
    std::string canonical = canonical_network(name);
    must(canonical_network(canonical) == canonical, "canonical is canonical");
    must(!id || canonical_network(*id) == canonical, "an id is its network's");
    must(!id || caip2_network(*id) == *id, "an id goes out as it is");
    auto v1 = v1_network_name(name);
    must(!v1 || canonical_network(*v1) == canonical,
         "a name of version 1 means the same network");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data,
                                      std::size_t size)
{
    std::string_view text = text_of(data, size);
    AcceptTerms terms;
    terms.upfront = take_byte(text) % 2 == 1;
    terms.network = take_line(text);
    terms.pay_to = take_line(text);
    terms.price = take_line(text);
    terms.asset = take_line(text);
    terms.decimals = take_line(text);
    terms.scheme = take_line(text);
    terms.extra = std::string(text);
    check_network(terms.network);

    auto constant = check_constant_part(terms);
    auto built = build_requirements(terms);
    if (!built) {
        must(!built.problem().text.empty(), "a refusal says why");
        return 0;
    }
    must(!constant, "what can be built has no fault in a part");
    must(is_atomic_amount(built->amount), "an amount is one");
    must(built->network == *caip2_network(terms.network), "the network is");
    must(built->pay_to == terms.pay_to
             && address_fault(built->network, built->pay_to).empty()
             && !is_unowned_address(built->network, built->pay_to),
         "the receiver is as written, and somebody");
    must(asset_fault(built->network, built->asset).empty(),
         "the asset has the network's form");
    must(JsonDocument::parse(built->json()).ok(), "an offer is JSON");
    return 0;
}
