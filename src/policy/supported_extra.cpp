// SPDX-License-Identifier: Apache-2.0
#include "policy/supported_extra.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/json_text.hpp"
#include "policy/evm_address.hpp"
#include "policy/network_address.hpp"

namespace x402 {

namespace {

enum class Form { address, boolean, text };

struct Member {
    std::string_view scheme;
    std::string_view family;
    std::string_view name;
    Form form;
};

constexpr Member kMembers[] = {
    {"exact", "solana", "feePayer", Form::address},
    {"exact", "algorand", "feePayer", Form::address},
    {"exact", "aptos", "feePayer", Form::address},
    {"exact", "hedera", "feePayer", Form::address},
    {"exact", "starknet", "feePayer", Form::address},
    {"exact", "stellar", "areFeesSponsored", Form::boolean},
    {"exact", "cardano", "areFeesSponsored", Form::boolean},
    {"exact", "sui", "gasStation", Form::text},
    {"upto", "eip155", "facilitatorAddress", Form::address},
};

const Member *find_member(const PaymentRequirements &requirements)
{
    std::string_view family = network_family(requirements.network);
    for (const Member &member : kMembers) {
        if (member.family == family && member.scheme == requirements.scheme) {
            return &member;
        }
    }
    return nullptr;
}

bool has_form(const Member &member, std::string_view network, JsonValue parsed)
{
    switch (member.form) {
    case Form::boolean:
        return parsed.is_boolean();
    case Form::text:
        return !parsed.string().empty();
    case Form::address:
        break;
    }
    // A facilitator's address may be sent without checksum letters.
    return member.family == "eip155"
               ? parse_evm_address(parsed.string()).has_value()
               : address_fault(network, parsed.string()).empty();
}

// The operator's members, followed by the facilitator's.
std::string joined(JsonValue own, const Member &member, JsonValue parsed)
{
    std::string text;
    own.write(text);
    text.pop_back();
    append_json_key(text, member.name);
    if (member.family == "eip155") {
        append_json_string(
            text, evm_checksum_text(*parse_evm_address(parsed.string())));
    } else {
        parsed.write(text);
    }
    text.push_back('}');
    return text;
}

PaymentRequirements with_extra(const PaymentRequirements &requirements,
                               JsonDocument extra)
{
    PaymentRequirements made;
    made.scheme = requirements.scheme;
    made.network = requirements.network;
    made.amount = requirements.amount;
    made.asset = requirements.asset;
    made.pay_to = requirements.pay_to;
    made.max_timeout_seconds = requirements.max_timeout_seconds;
    made.extra = std::move(extra);
    made.decimals = requirements.decimals;
    made.v1_network = requirements.v1_network;
    return made;
}

}  // namespace

bool takes_supported_extra(const PaymentRequirements &requirements)
{
    const Member *member = find_member(requirements);
    return member != nullptr
           && !requirements.extra.root()[member->name].exists();
}

Result<PaymentRequirements>
with_supported_extra(const PaymentRequirements &requirements,
                     JsonValue kind_extra)
{
    const Member *member = find_member(requirements);
    JsonValue own = requirements.extra.root();
    std::string text;
    own.write(text);
    if (member != nullptr && !own[member->name].exists()) {
        JsonValue parsed = kind_extra[member->name];
        bool absent = !parsed.exists() || parsed.is_null();
        if (absent ? requirements.needs_supported
                   : !has_form(*member, requirements.network, parsed)) {
            return Problem{std::string(member->name)
                           + (absent ? " is missing in" : " is not valid in")
                           + " the kind that the facilitator supports for "
                             "scheme "
                           + requirements.scheme + " on "
                           + requirements.network};
        }
        text = absent ? text : joined(own, *member, parsed);
    }
    Result<JsonDocument> extra = JsonDocument::parse(text);
    if (!extra) {
        return extra.problem();
    }
    return with_extra(requirements, std::move(extra.value()));
}

}  // namespace x402
