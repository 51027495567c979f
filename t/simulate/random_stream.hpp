// SPDX-License-Identifier: Apache-2.0
// Random numbers that belong to one thing of the world (a payment, a fault): a
// world without that thing draws the same numbers for all others, so that a
// failing world can be shrunk.
#ifndef X402_SIMULATE_RANDOM_STREAM_HPP
#define X402_SIMULATE_RANDOM_STREAM_HPP

#include <cstdint>

namespace x402::simulate {

class RandomStream {
public:
    RandomStream() = default;
    // `kind` and `number` name the thing.
    RandomStream(std::uint64_t seed, std::uint64_t kind, std::uint64_t number)
        : state_(seed ^ (kind << 56) ^ (number * 0x9e3779b97f4a7c15u))
    {
        next();
        next();
    }

    std::uint64_t next()
    {
        std::uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        return z ^ (z >> 31);
    }

    // 0 .. bound - 1
    unsigned below(unsigned bound)
    {
        return static_cast<unsigned>((next() >> 33) % bound);
    }

    // What next() will say, without taking it.
    std::uint64_t peek() const { return RandomStream(*this).next(); }

    bool chance(unsigned percent) { return below(100) < percent; }

private:
    std::uint64_t state_ = 0;
};

}  // namespace x402::simulate

#endif
