// SPDX-License-Identifier: Apache-2.0
#include "base/spare_text.hpp"

#include <utility>
#include <vector>

namespace x402 {

namespace {

std::vector<std::string> &spare_texts()
{
    static std::vector<std::string> spare;
    return spare;
}

// What is in the string itself is not worth keeping.
bool has_memory(const std::string &text)
{
    return text.capacity() > std::string().capacity();
}

}  // namespace

std::string &SpareText::empty()
{
    std::vector<std::string> &spare = spare_texts();
    if (!has_memory(text_)) {
        if (spare.capacity() == 0) {
            spare.reserve(kMostSpare);  // giving back must not allocate
        }
        if (!spare.empty()) {
            text_ = std::move(spare.back());
            spare.pop_back();
        }
    }
    text_.clear();
    return text_;
}

void SpareText::give_back() noexcept
{
    std::vector<std::string> &spare = spare_texts();
    if (has_memory(text_) && text_.capacity() <= kLongestSpare
        && spare.size() < spare.capacity()) {
        spare.push_back(std::move(text_));
    }
}

}  // namespace x402
