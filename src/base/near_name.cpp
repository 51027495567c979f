// SPDX-License-Identifier: Apache-2.0
#include "base/near_name.hpp"

#include <algorithm>
#include <vector>

namespace x402 {

namespace {

constexpr std::size_t kLongestWord = 64;

// Optimal string alignment: a swap of neighbours is one edit.
std::size_t edits_between(std::string_view one, std::string_view other)
{
    using Row = std::vector<std::size_t>;
    Row before(other.size() + 1);
    Row last(other.size() + 1);
    Row row(other.size() + 1);
    for (std::size_t j = 0; j <= other.size(); j++) {
        last[j] = j;
    }
    for (std::size_t i = 1; i <= one.size(); i++) {
        row[0] = i;
        for (std::size_t j = 1; j <= other.size(); j++) {
            std::size_t differs = one[i - 1] == other[j - 1] ? 0 : 1;
            row[j] =
                std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + differs});
            if (i > 1 && j > 1 && one[i - 1] == other[j - 2]
                && one[i - 2] == other[j - 1]) {
                row[j] = std::min(row[j], before[j - 2] + 1);
            }
        }
        before.swap(last);
        last.swap(row);
    }
    return last[other.size()];
}

}  // namespace

void NearName::try_name(std::string_view known)
{
    if (known.empty() || known == word_ || known.size() > kLongestWord
        || word_.size() > kLongestWord) {
        return;
    }
    std::size_t edits = edits_between(word_, known);
    if (edits < edits_ && edits * 2 < word_.size()) {
        edits_ = edits;
        name_ = known;
    }
}

std::string NearName::question() const
{
    return name_.empty() ? std::string()
                         : "; did you mean \"" + std::string(name_) + "\"?";
}

}  // namespace x402
