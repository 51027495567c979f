// SPDX-License-Identifier: Apache-2.0
#include "protocol/prepared_text.hpp"

#include <algorithm>
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

std::size_t PreparedText::length(std::string_view url) const
{
    std::size_t length = url.size() * (parts_.size() - 1);
    for (const std::string &part : parts_) {
        length += part.size();
    }
    return length;
}

void PreparedText::write(char *out, std::string_view url) const
{
    out = std::copy(parts_.front().begin(), parts_.front().end(), out);
    for (std::size_t index = 1; index < parts_.size(); ++index) {
        out = std::copy(url.begin(), url.end(), out);
        out = std::copy(parts_[index].begin(), parts_[index].end(), out);
    }
}

std::string PreparedText::with(std::string_view url) const
{
    std::string text(length(url), '\0');
    write(text.data(), url);
    return text;
}

}  // namespace x402
