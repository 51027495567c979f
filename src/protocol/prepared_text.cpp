// SPDX-License-Identifier: Apache-2.0
#include "protocol/prepared_text.hpp"

#include <cstddef>

namespace x402 {

namespace {

std::vector<std::string> split(std::string_view text, std::string_view url)
{
    std::vector<std::string> parts;
    std::size_t end;
    while ((end = text.find(url)) != std::string_view::npos) {
        parts.emplace_back(text.substr(0, end));
        text.remove_prefix(end + url.size());
    }
    parts.emplace_back(text);
    return parts;
}

}  // namespace

// What an operator wrote may contain one of the two URLs: then the parts
// differ.
std::optional<PreparedText> PreparedText::compared(std::string_view text,
                                                   std::string_view other)
{
    PreparedText prepared;
    prepared.parts_ = split(text, kUrl);
    if (prepared.parts_.size() < 2
        || prepared.parts_ != split(other, kOtherUrl)) {
        return std::nullopt;
    }
    return prepared;
}

std::string PreparedText::with(std::string_view url) const
{
    std::size_t length = url.size() * (parts_.size() - 1);
    for (const std::string &part : parts_) {
        length += part.size();
    }
    std::string text;
    text.reserve(length);
    text.append(parts_.front());
    for (std::size_t index = 1; index < parts_.size(); ++index) {
        text.append(url).append(parts_[index]);
    }
    return text;
}

}  // namespace x402
