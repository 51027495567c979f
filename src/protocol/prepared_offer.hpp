// An offer header that is the same for every request but for the URL in it,
// encoded when the configuration is read. Of three bytes base64 makes four
// symbols wherever they come from: what stands before the URL is encoded as far
// as its groups are whole, and what stands behind it in the three ways in which
// groups can begin there.
#ifndef X402_PROTOCOL_PREPARED_OFFER_HPP
#define X402_PROTOCOL_PREPARED_OFFER_HPP

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace x402 {

// Immutable.
class PreparedOffer {
public:
    // The JSON of the offer around its URL, the quotes of which are part of it;
    // `after` has at least two bytes.
    PreparedOffer(std::string_view before, std::string_view after);

    // Bytes of the whole, base64; `url` as by inside_json_string().
    std::size_t length(std::string_view url) const;
    // Writes them.
    void write(char *out, std::string_view url) const;

private:
    // What is encoded for each request: the URL and what its groups lack.
    struct Middle {
        std::size_t bytes;
        std::size_t taken;  // from behind the URL
    };
    Middle middle(std::string_view url) const;

    std::string before_;                // base64
    std::string open_;                  // bytes of the group that URL goes on
    std::string begin_;                 // of what is behind it, two bytes
    std::array<std::string, 3> after_;  // base64 from each of its first bytes
};

}  // namespace x402

#endif
