// SPDX-License-Identifier: Apache-2.0
#include "market.hpp"

#include <algorithm>

#include "policy/claim_key.hpp"

namespace x402::simulate {

namespace {

std::string address(char first, std::uint32_t number)
{
    constexpr char kHex[] = "0123456789abcdef";
    std::string text = "0x" + std::string(40, first);
    for (unsigned i = 0; i < 8; i++) {
        text[41 - i] = kHex[(number >> (4 * i)) & 15];
    }
    return text;
}

Terms terms_in(const Wish &wish, std::size_t epoch)
{
    Terms terms;
    terms.receiver = wish.tier == 2 ? kServers : wish.server;
    terms.asset = (wish.server == 2) != (wish.tier == 3) ? 1 : 0;
    terms.mode = wish.path == kPathBefore ? SettleMode::before
                 : wish.path == kPathOff  ? SettleMode::off
                                          : SettleMode::after;
    terms.upto = wish.path == kPathUpto;
    terms.amount = wish.path == 1 ? 20 : 10;
    terms.amount *= wish.server == 1 ? 50 : 1;
    terms.amount *= wish.tier == 1 ? 100 : 1;
    terms.amount += epoch % 3;
    if (terms.upto) {
        terms.amount = kMostUse;
    }
    return terms;
}

// Whose terms are alike is known once.
const Digest &terms_of(const Terms &terms)
{
    static std::vector<Digest> known = [] {
        std::vector<Digest> made;
        for (unsigned i = 0; i < (kServers + 1) * 4; i++) {
            Terms each;
            each.receiver = static_cast<std::uint8_t>(i / 4);
            each.asset = i & 1;
            each.upto = i & 2;
            made.push_back(terms_digest(PriceList::requirements(each)));
        }
        return made;
    }();
    return known[terms.receiver * 4u + (terms.upto ? 2 : 0) + terms.asset];
}

}  // namespace

std::string payer_text(std::uint32_t payer)
{
    return address('1', payer);
}

const std::string &receiver_text(std::uint8_t receiver)
{
    static const std::string kTexts[] = {address('a', 1), address('a', 2),
                                         address('a', 3), address('a', 4)};
    return kTexts[receiver];
}

const std::string &asset_text(std::uint8_t asset)
{
    static const std::string kTexts[] = {address('b', 1), address('b', 2)};
    return kTexts[asset];
}

AmountBytes amount_bytes(std::uint64_t amount)
{
    AmountBytes bytes{};
    for (unsigned i = 0; i < 8; i++) {
        bytes[31 - i] = static_cast<std::uint8_t>(amount >> (8 * i));
    }
    return bytes;
}

Offers PriceList::offers(const Wish &wish, std::int64_t now,
                         std::size_t epoch) const
{
    Offers offers;
    offers.terms[offers.count++] = terms_in(wish, epoch);
    // The price of a tier comes from a variable: it is what it is now.
    bool constant = wish.tier == 0 && !offers.terms[0].upto;
    if (constant && epoch > 0 && now < reloads_[epoch - 1] + kGrace) {
        offers.terms[offers.count++] = terms_in(wish, epoch - 1);
    }
    return offers;
}

std::uint64_t PriceList::cost(const Wish &wish, unsigned execution)
{
    switch (wish.body) {
    case 1:
        return 1;
    case 2:
        return kMostUse;
    default:
        // Content that is made again may cost more.
        return execution == 2 ? 60 : 40;
    }
}

std::uint64_t PriceList::worth(const Wish &wish, std::int64_t now,
                               std::size_t epoch) const
{
    Offers all = offers(wish, now, epoch);
    std::uint64_t least = all.terms[0].amount;
    for (unsigned i = 1; i < all.count; i++) {
        least = std::min(least, all.terms[i].amount);
    }
    return least;
}

ClaimBinding PriceList::binding(const Digest &resource, const Terms &terms)
{
    ClaimBinding binding;
    binding.resource = resource;
    binding.terms = terms_of(terms);
    binding.asked = binding.paid = amount_bytes(terms.amount);
    return binding;
}

const PaymentRequirements &PriceList::requirements(const Terms &terms)
{
    static PaymentRequirements made;
    made.scheme = terms.upto ? "upto" : "exact";
    made.network = kNetwork;
    made.amount = std::to_string(terms.amount);
    made.asset = asset_text(terms.asset);
    made.pay_to = receiver_text(terms.receiver);
    made.max_timeout_seconds = static_cast<std::uint32_t>(kTimeout);
    return made;
}

bool Chain::settle(const Authorization &made, std::uint32_t payment,
                   std::uint64_t amount, std::int64_t now)
{
    Movement &movement = movements_[made.purse];
    bool fits = made.terms.upto ? amount <= made.terms.amount
                                : amount == made.terms.amount;
    if (movement.used || made.forged || !fits || now >= made.valid_before) {
        return false;
    }
    movement.used = movement.settled = true;
    movement.amount = amount;
    movement.at = now;
    movement.payment = payment;
    movement.terms = made.terms;
    movement.settlements++;
    return true;
}

}  // namespace x402::simulate
