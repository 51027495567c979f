// SPDX-License-Identifier: Apache-2.0
// Settlement-Overrides as an upstream sends it, and as the amount in it.
#include <string>

#include "base/decimal_amount.hpp"
#include "base/json_text.hpp"
#include "fuzz_check.hpp"
#include "policy/settlement_override.hpp"

using namespace x402;

namespace {

void check_value(std::string_view value, const PaymentRequirements &offered)
{
    auto amount = settlement_amount(value, 1, offered);
    if (!amount) {
        must(!amount.problem().text.empty(), "a refusal says why");
        return;
    }
    must(is_atomic_amount(amount.value())
             && compare_atomic_amounts(amount.value(), offered.amount) <= 0,
         "never more than the maximum");
    std::string again = "{\"amount\":\"" + amount.value() + "\"}";
    auto reread = settlement_amount(again, 1, offered);
    must(reread.ok() && reread.value() == amount.value(),
         "atomic units mean themselves");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data,
                                      std::size_t size)
{
    std::string_view text = text_of(data, size);
    PaymentRequirements offered;
    unsigned choice = take_byte(text);
    offered.decimals = choice % 20;
    offered.amount = choice < 128 ? "100000" : "123456789012345678901234567890";
    check_value(text, offered);
    std::string value = "{\"amount\":";
    append_json_string(value, text);
    check_value(value + "}", offered);
    return 0;
}
