// SPDX-License-Identifier: Apache-2.0
// A name that was probably meant, for messages about an unknown one.
#ifndef X402_BASE_NEAR_NAME_HPP
#define X402_BASE_NEAR_NAME_HPP

#include <string>
#include <string_view>

namespace x402 {

// Finds the known name that is the fewest edits away: letters added, left out,
// replaced or swapped, at most two of them and fewer than half of the word.
//
//     NearName near("bazar");
//     near.try_name("bazaar");
//     error += near.question();    // "; did you mean \"bazaar\"?"
class NearName {
public:
    // Lifetime: the word, and what is tried, outlive this.
    explicit NearName(std::string_view word) : word_(word) {}

    void try_name(std::string_view known);
    std::string_view name() const { return name_; }  // empty: none is near
    std::string question() const;                    // empty: none is near

private:
    std::string_view word_;
    std::string_view name_;
    std::size_t edits_ = 3;
};

}  // namespace x402

#endif
