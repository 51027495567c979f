// SPDX-License-Identifier: Apache-2.0
#include "policy/claim_key.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/digest_memo.hpp"
#include "policy/evm_address.hpp"
#include "policy/network_table.hpp"

namespace x402 {

namespace {

// Parts of fixed lengths after a word.
class FixedParts {
public:
    explicit FixedParts(std::string_view word)
    {
        append(word.data(), word.size());
    }
    void append(const char *bytes, std::size_t count)
    {
        std::copy_n(bytes, count, bytes_.data() + size_);
        size_ += count;
    }
    Digest digest() const { return sha256({bytes_.data(), size_}); }

private:
    // A word, the id of a chain, two addresses and a nonce.
    std::array<char, 8 + 8 + 20 + 20 + 32> bytes_;
    std::size_t size_ = 0;
};

// Capacity for most keys, so that they are not reallocated as they grow.
std::string begin_parts()
{
    std::string parts;
    parts.reserve(160);
    return parts;
}

template <class Parts> void append_number(Parts &out, std::uint64_t number)
{
    std::array<char, sizeof(number)> bytes;
    for (std::size_t index = bytes.size(); index-- > 0; number >>= 8) {
        bytes[index] = static_cast<char>(number & 0xff);
    }
    out.append(bytes.data(), bytes.size());
}

template <class Parts, std::size_t N>
void append_bytes(Parts &out, const std::array<std::uint8_t, N> &bytes)
{
    out.append(reinterpret_cast<const char *>(bytes.data()), N);
}

// The length in front separates each text from its neighbors.
void append_text(std::string &out, std::string_view text)
{
    append_number(out, text.size());
    out.append(text);
}

// An EVM address in any spelling is its 20 bytes.
void append_address(std::string &out, std::string_view text)
{
    if (auto address = parse_evm_address(text)) {
        append_number(out, address->size());
        append_bytes(out, *address);
    } else {
        append_text(out, text);
    }
}

// Most networks come in their canonical spelling.
std::optional<std::uint64_t> chain_id_of(std::string_view network)
{
    std::optional<std::uint64_t> chain_id = eip155_chain_id(network);
    return chain_id ? chain_id : eip155_chain_id(canonical_network(network));
}

}  // namespace

std::optional<Digest>
eip3009_claim_key(std::string_view network, std::string_view asset,
                  const Eip3009Authorization &authorization)
{
    std::optional<std::uint64_t> chain_id = chain_id_of(network);
    std::optional<EvmAddress> token = parse_evm_address(asset);
    if (!chain_id || !token) {
        return std::nullopt;
    }

    // Money: all parts have a fixed length, and the word in front separates
    // keys of other payment forms.
    FixedParts parts("eip3009");
    append_number(parts, *chain_id);
    append_bytes(parts, *token);
    append_bytes(parts, authorization.from);
    append_bytes(parts, authorization.nonce);
    return parts.digest();
}

std::optional<Digest>
permit2_claim_key(std::string_view network,
                  const Permit2Authorization &authorization)
{
    std::optional<std::uint64_t> chain_id = chain_id_of(network);
    if (!chain_id) {
        return std::nullopt;
    }
    FixedParts parts("permit2");
    append_number(parts, *chain_id);
    append_bytes(parts, authorization.from);
    append_bytes(parts, authorization.nonce);
    return parts.digest();
}

Digest network_claim_key(std::string_view form, std::string_view network,
                         std::string_view identity)
{
    std::string parts = begin_parts();
    append_text(parts, form);
    append_text(parts, canonical_network(network));
    append_text(parts, identity);
    return sha256(parts);
}

Digest terms_digest(const PaymentRequirements &requirements)
{
    std::string parts = begin_parts();
    append_text(parts, requirements.scheme);
    append_text(parts, canonical_network(requirements.network));
    append_address(parts, requirements.asset);
    append_address(parts, requirements.pay_to);
    return sha256(parts);
}

Digest resource_digest(const ResourceParts &resource)
{
    std::string parts = begin_parts();
    append_text(parts, resource.server);
    append_number(parts, resource.port);
    append_text(parts, resource.method);
    append_text(parts, resource.host);
    append_text(parts, resource.request_uri);
    append_text(parts, resource.body);
    return remembered_sha256(parts);
}

}  // namespace x402
