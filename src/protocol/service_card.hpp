// SPDX-License-Identifier: Apache-2.0
// What catalogues show of a service (x402_service): the members serviceName,
// tags and iconUrl of ResourceInfo (x402 v2), and what a manifest says of the
// server and of one location. Built when the configuration is read.
#ifndef X402_PROTOCOL_SERVICE_CARD_HPP
#define X402_PROTOCOL_SERVICE_CARD_HPP

#include <string>
#include <string_view>
#include <vector>

namespace x402 {

struct ServiceCard {
    // Inherited word by word.
    std::string name;               // 1 to 32 characters of printable ASCII
    std::vector<std::string> tags;  // at most 5, each like a name
    std::string icon;               // an http or https URL
    std::string contact;            // e-mail address, or an http or https URL
    std::string guidance;           // for agents, in words
    std::string help;               // URL: how to pay here
    std::string proof;              // of the ownership of the origin

    // Of one location.
    std::string path;                  // as in OpenAPI: /weather/{city}
    std::vector<std::string> methods;  // upper case
    std::string lowest;                // price in dollars, decimal
    std::string highest;
    enum class Listing { by_rule, shown, hidden } listing = Listing::by_rule;

    // Reads one `key=value`. Empty, or a sentence for the operator.
    std::string read(std::string_view word);
    // Takes what is not written from the level around it.
    void inherit(const ServiceCard &outer);
    // Whether a word is written that only a location may have.
    bool is_of_location() const;
    // The three members of ResourceInfo as JSON, each with a comma in front;
    // empty: none is written.
    std::string resource_members() const;
};

}  // namespace x402

#endif
