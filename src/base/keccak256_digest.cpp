// SPDX-License-Identifier: Apache-2.0
#include "base/keccak256_digest.hpp"

#include <cstddef>
#include <utility>

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

// The walk of rho and pi: lanes move along a cycle of 24 places, the n-th move
// rotating by the n-th triangular number. source[i] is the place that lane i
// comes from, turn[i] by how much it is rotated.
struct Moves {
    std::array<unsigned, 25> source{};
    std::array<unsigned, 25> turn{};
};

constexpr Moves make_moves()
{
    Moves moves;
    unsigned x = 1;
    unsigned y = 0;
    for (unsigned step = 1; step <= 24; ++step) {
        unsigned from = x + 5 * y;
        unsigned next_y = (2 * x + 3 * y) % 5;
        x = y;
        y = next_y;
        moves.source[x + 5 * y] = from;
        moves.turn[x + 5 * y] = step * (step + 1) / 2 % 64;
    }
    return moves;
}

constexpr Moves kMoves = make_moves();

template <unsigned x> std::uint64_t column_parity(const State &state)
{
    return state[x] ^ state[x + 5] ^ state[x + 10] ^ state[x + 15]
           ^ state[x + 20];
}

// Theta, rho and pi of one lane. The index is known to the compiler: a round
// is straight code.
template <unsigned i>
std::uint64_t moved_lane(const State &state,
                         const std::array<std::uint64_t, 5> &mask)
{
    constexpr unsigned from = kMoves.source[i];
    return rotate_left(state[from] ^ mask[from % 5], kMoves.turn[i]);
}

template <std::size_t... i>
State moved_lanes(const State &state, const std::array<std::uint64_t, 5> &mask,
                  std::index_sequence<i...>)
{
    return {moved_lane<i>(state, mask)...};
}

// Chi, the only step that is not linear, from `moved` into the state.
template <std::size_t... i>
void mix_rows(State &state, const State &moved, std::index_sequence<i...>)
{
    ((state[i] =
          moved[i]
          ^ (~moved[i / 5 * 5 + (i + 1) % 5] & moved[i / 5 * 5 + (i + 2) % 5])),
     ...);
}

// `mask`: what theta combines every lane of a column with, the parity of two
// neighboring columns.
void do_round(State &state, std::uint64_t round_constant)
{
    std::array<std::uint64_t, 5> parity{
        column_parity<0>(state), column_parity<1>(state),
        column_parity<2>(state), column_parity<3>(state),
        column_parity<4>(state)};
    std::array<std::uint64_t, 5> mask;
    for (unsigned x = 0; x < 5; ++x) {
        mask[x] = parity[(x + 4) % 5] ^ rotate_left(parity[(x + 1) % 5], 1);
    }
    constexpr auto all = std::make_index_sequence<25>();
    mix_rows(state, moved_lanes(state, mask, all), all);
    state[0] ^= round_constant;
}

void permute(State &state)
{
    for (std::uint64_t round_constant : kRoundConstants) {
        do_round(state, round_constant);
    }
}

// Lanes are little-endian on every machine; compilers make one load of this.
std::uint64_t lane_at(const char *bytes)
{
    auto byte = [bytes](unsigned i) {
        return std::uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
    };
    return byte(0) | byte(1) | byte(2) | byte(3) | byte(4) | byte(5) | byte(6)
           | byte(7);
}

void absorb_block(State &state, const char *bytes)
{
    for (std::size_t lane = 0; lane < kRateBytes / 8; ++lane) {
        state[lane] ^= lane_at(bytes + 8 * lane);
    }
    permute(state);
}

void absorb_byte(State &state, std::size_t position, std::uint8_t byte)
{
    state[position / 8] ^= std::uint64_t{byte} << (position % 8 * 8);
}

}  // namespace

std::array<std::uint8_t, 32> keccak256(std::string_view bytes)
{
    State state{};
    for (; bytes.size() >= kRateBytes; bytes.remove_prefix(kRateBytes)) {
        absorb_block(state, bytes.data());
    }
    std::size_t position = 0;
    for (; bytes.size() - position >= 8; position += 8) {
        state[position / 8] ^= lane_at(bytes.data() + position);
    }
    for (; position < bytes.size(); ++position) {
        absorb_byte(state, position,
                    static_cast<std::uint8_t>(bytes[position]));
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
