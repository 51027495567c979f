// SPDX-License-Identifier: Apache-2.0
#include "protocol/dialect.hpp"

#include "base/base64_codec.hpp"
#include "base/near_name.hpp"
#include "protocol/facilitator_messages.hpp"

namespace x402 {

namespace {

// A new dialect is one more line here, and its file.
const Dialect *const *all_dialects(std::size_t &count)
{
    static const Dialect *const kDialects[] = {
        &dialect_v2(), &dialect_v1(), &dialect_fast(), &dialect_nevermined(),
        &dialect_mpp()};
    count = sizeof(kDialects) / sizeof(kDialects[0]);
    return kDialects;
}

}  // namespace

std::string_view Dialect::network_name(const PaymentRequirements &option) const
{
    return version() == 1 ? option.v1_network : option.network;
}

std::string Dialect::facilitator_request(const PaymentPayload &payload,
                                         const PaymentOffer::Option &option,
                                         const ResourceInfo &resource) const
{
    return facilitator_request_json(version(), payload, option, resource);
}

std::string Dialect::receipt_value(const std::string &json, std::int64_t) const
{
    return base64_encode(receipt(json));
}

const Dialect *find_dialect(std::string_view name)
{
    std::size_t count = 0;
    const Dialect *const *dialects = all_dialects(count);
    for (std::size_t i = 0; i < count; i++) {
        if (dialects[i]->name() == name) {
            return dialects[i];
        }
    }
    return nullptr;
}

std::string dialect_names()
{
    std::size_t count = 0;
    const Dialect *const *dialects = all_dialects(count);
    std::string names;
    for (std::size_t i = 0; i < count; i++) {
        names.append(names.empty() ? "" : ", ");
        names.append(dialects[i]->name());
    }
    return names;
}

std::string near_dialect_question(std::string_view name)
{
    NearName near(name);
    std::size_t count = 0;
    const Dialect *const *dialects = all_dialects(count);
    for (std::size_t i = 0; i < count; i++) {
        near.try_name(dialects[i]->name());
    }
    return near.question();
}

}  // namespace x402
