// SPDX-License-Identifier: Apache-2.0
// A text that is the same for every request except for the URL in it, which may
// be there several times.
#ifndef X402_PROTOCOL_PREPARED_TEXT_HPP
#define X402_PROTOCOL_PREPARED_TEXT_HPP

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace x402 {

// Immutable.
class PreparedText {
public:
    // The text that `make(url)` returns, for any URL. nullopt: it depends on
    // the URL in another way, or the URL is not in it.
    template <class Make> static std::optional<PreparedText> around(Make make)
    {
        return compared(make(kUrl), make(kOtherUrl));
    }

    // `url` as `make` would have written it.
    std::string with(std::string_view url) const;
    // The same into the caller's room, which is of that length.
    std::size_t length(std::string_view url) const;
    void write(char *out, std::string_view url) const;

private:
    // No escaping changes them.
    static constexpr std::string_view kUrl = "prepared:url";
    static constexpr std::string_view kOtherUrl = "another:prepared:one";

    static std::optional<PreparedText> compared(std::string_view text,
                                                std::string_view other);

    std::vector<std::string> parts_;  // a URL stands between each two of them
};

}  // namespace x402

#endif
