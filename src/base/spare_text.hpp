// SPDX-License-Identifier: Apache-2.0
// A text that comes and goes with each payment and may outlive its request (the
// record of a claim, its settle request): its memory is that of a former one.
//
// For one thread of a process: that of the event loop. Not for secrets: what a
// text was stays in memory until the next one.
#ifndef X402_BASE_SPARE_TEXT_HPP
#define X402_BASE_SPARE_TEXT_HPP

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace x402 {

class SpareText {
public:
    // So many wait for their next use, and none that is longer: 2 MB at most.
    static constexpr std::size_t kMostSpare = 512;
    static constexpr std::size_t kLongestSpare = 4096;

    SpareText() = default;
    ~SpareText() { give_back(); }
    SpareText(const SpareText &other) { *this = other; }
    SpareText &operator=(const SpareText &other)
    {
        return this == &other ? *this : *this = std::string_view(other);
    }
    SpareText(SpareText &&other) noexcept = default;
    SpareText &operator=(SpareText &&other) noexcept
    {
        text_.swap(other.text_);
        return *this;
    }
    SpareText &operator=(std::string &&text) noexcept
    {
        give_back();
        text_ = std::move(text);
        return *this;
    }
    SpareText &operator=(std::string_view text)
    {
        if (text.empty()) {
            clear();
        } else {
            empty().assign(text);
        }
        return *this;
    }

    // To be written into: nothing is in it, and it has the room of a former
    // one.
    std::string &empty();

    operator std::string_view() const { return text_; }
    std::size_t size() const { return text_.size(); }
    void clear() { text_.clear(); }

private:
    void give_back() noexcept;

    std::string text_;
};

}  // namespace x402

#endif
