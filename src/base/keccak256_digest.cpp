// SPDX-License-Identifier: Apache-2.0
#include "base/keccak256_digest.hpp"

#include <cstddef>

namespace x402 {

namespace {

constexpr unsigned kRounds = 24;
constexpr std::size_t kRateBytes = 136;  // 1600 bits less twice 256

// The state is a 5 by 5 grid of lanes; lane (x, y) is at x + 5y.
using State = std::array<std::uint64_t, 25>;

constexpr std::uint64_t rotate_left(std::uint64_t lane, unsigned count)
{
    return count == 0 ? lane : (lane << count) | (lane >> (64 - count));
}

// FIPS 202 section 3.2.5: bit 2^j - 1 of a round constant is the next output
// of a shift register with the polynomial x^8 + x^6 + x^5 + x^4 + 1.
constexpr std::array<std::uint64_t, kRounds> make_round_constants()
{
    std::array<std::uint64_t, kRounds> constants{};
    unsigned lfsr = 1;
    for (unsigned round = 0; round < kRounds; ++round) {
        for (unsigned exponent = 0; exponent < 7; ++exponent) {
            if ((lfsr & 1) != 0) {
                constants[round] |= std::uint64_t{1} << ((1u << exponent) - 1);
            }
            lfsr <<= 1;
            if ((lfsr & 0x100) != 0) {
                lfsr ^= 0x171;
            }
        }
    }
    return constants;
}

constexpr std::array<std::uint64_t, kRounds> kRoundConstants =
    make_round_constants();

// Theta: every lane is combined with the parity of two neighboring columns.
void mix_columns(State &state)
{
    std::array<std::uint64_t, 5> parity{};
    for (unsigned x = 0; x < 5; ++x) {
        for (unsigned y = 0; y < 5; ++y) {
            parity[x] ^= state[x + 5 * y];
        }
    }
    for (unsigned x = 0; x < 5; ++x) {
        std::uint64_t mask =
            parity[(x + 4) % 5] ^ rotate_left(parity[(x + 1) % 5], 1);
        for (unsigned y = 0; y < 5; ++y) {
            state[x + 5 * y] ^= mask;
        }
    }
}

// Rho and pi in one walk: lanes move along a cycle of 24 places, the n-th move
// rotating by the n-th triangular number.
void move_lanes(State &state)
{
    unsigned x = 1;
    unsigned y = 0;
    std::uint64_t carried = state[x + 5 * y];
    for (unsigned step = 1; step <= 24; ++step) {
        unsigned next_y = (2 * x + 3 * y) % 5;
        x = y;
        y = next_y;
        std::uint64_t displaced = state[x + 5 * y];
        state[x + 5 * y] = rotate_left(carried, step * (step + 1) / 2 % 64);
        carried = displaced;
    }
}

// Chi: the only step that is not linear.
void mix_rows(State &state)
{
    for (unsigned y = 0; y < 5; ++y) {
        std::array<std::uint64_t, 5> row;
        for (unsigned x = 0; x < 5; ++x) {
            row[x] = state[x + 5 * y];
        }
        for (unsigned x = 0; x < 5; ++x) {
            state[x + 5 * y] = row[x] ^ (~row[(x + 1) % 5] & row[(x + 2) % 5]);
        }
    }
}

void permute(State &state)
{
    for (std::uint64_t round_constant : kRoundConstants) {
        mix_columns(state);
        move_lanes(state);
        mix_rows(state);
        state[0] ^= round_constant;
    }
}

// Lanes are little-endian on every machine.
void absorb_byte(State &state, std::size_t position, std::uint8_t byte)
{
    state[position / 8] ^= std::uint64_t{byte} << (position % 8 * 8);
}

}  // namespace

std::array<std::uint8_t, 32> keccak256(std::string_view bytes)
{
    State state{};
    std::size_t position = 0;
    for (char byte : bytes) {
        absorb_byte(state, position, static_cast<std::uint8_t>(byte));
        if (++position == kRateBytes) {
            permute(state);
            position = 0;
        }
    }
    absorb_byte(state, position, 0x01);
    absorb_byte(state, kRateBytes - 1, 0x80);
    permute(state);

    std::array<std::uint8_t, 32> digest;
    for (std::size_t index = 0; index < digest.size(); ++index) {
        digest[index] =
            static_cast<std::uint8_t>(state[index / 8] >> (index % 8 * 8));
    }
    return digest;
}

}  // namespace x402
