#include "protocol/prepared_offer.hpp"

#include "base/base64_codec.hpp"
#include "base/json_text.hpp"

namespace x402 {

PreparedOffer::PreparedOffer(std::string_view before, std::string_view after)
    : open_(before.substr(before.size() / 3 * 3)), begin_(after.substr(0, 2))
{
    append_base64(before_, before.substr(0, before.size() / 3 * 3));
    for (std::size_t taken = 0; taken < after_.size(); ++taken) {
        append_base64(after_[taken], after.substr(taken));
    }
}

std::string PreparedOffer::value(std::string_view url) const
{
    std::string middle;
    middle.reserve(url.size() + 8);
    middle.append(open_);
    append_json_string(middle, url);
    std::size_t taken = (3 - middle.size() % 3) % 3;
    middle.append(begin_, 0, taken);

    std::string value;
    value.reserve(before_.size() + middle.size() / 3 * 4
                  + after_[taken].size());
    value.append(before_);
    append_base64(value, middle);
    value.append(after_[taken]);
    return value;
}

}  // namespace x402
