// SPDX-License-Identifier: Apache-2.0
#include "protocol/payment_identifier.hpp"

#include "protocol/extension_echo.hpp"

namespace x402 {

bool is_payment_identifier(std::string_view text)
{
    constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz"
                                          "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                          "0123456789_-";
    return text.size() >= 16 && text.size() <= 128
           && text.find_first_not_of(kLetters) == std::string_view::npos;
}

PaymentIdentifier read_payment_identifier(JsonValue extensions)
{
    JsonValue id = extension_info(extensions[kPaymentIdentifier])["id"];
    if (!id.exists()) {
        return {};
    }
    if (!is_payment_identifier(id.string())) {
        return {PaymentIdentifier::Kind::invalid, {}};
    }
    return {PaymentIdentifier::Kind::named, id.string()};
}

bool requires_payment_identifier(JsonValue declaration)
{
    return declaration["info"]["required"].is_true();
}

}  // namespace x402
