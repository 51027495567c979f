// SPDX-License-Identifier: Apache-2.0
// A queue of small values in one piece of memory, which it goes round: first
// come, first gone. It grows to the most that ever waited, and allocates
// nothing from then on.
#ifndef X402_BASE_RING_QUEUE_HPP
#define X402_BASE_RING_QUEUE_HPP

#include <cstddef>
#include <memory>
#include <type_traits>
#include <utility>

namespace x402 {

template <class T> class RingQueue {
    static_assert(std::is_trivially_copyable_v<T>);

public:
    bool empty() const { return size_ == 0; }
    std::size_t size() const { return size_; }

    // Precondition: there are so many.
    T &operator[](std::size_t number)
    {
        return places_[(first_ + number) & (room_ - 1)];
    }
    const T &operator[](std::size_t number) const
    {
        return places_[(first_ + number) & (room_ - 1)];
    }
    T &front() { return places_[first_]; }

    // Throws std::bad_alloc, and is as it was.
    void push_back(T value)
    {
        if (size_ == room_) {
            grow();
        }
        size_++;
        (*this)[size_ - 1] = value;
    }
    void pop_front()
    {
        first_ = (first_ + 1) & (room_ - 1);
        size_--;
    }
    void clear()
    {
        first_ = 0;
        size_ = 0;
    }

private:
    static constexpr std::size_t kLeast = 16;

    void grow()
    {
        std::size_t room = room_ == 0 ? kLeast : 2 * room_;
        std::unique_ptr<T[]> places(new T[room]);
        for (std::size_t i = 0; i < size_; i++) {
            places[i] = (*this)[i];
        }
        places_ = std::move(places);
        room_ = room;  // a power of two
        first_ = 0;
    }

    std::unique_ptr<T[]> places_;
    std::size_t room_ = 0;
    std::size_t first_ = 0;
    std::size_t size_ = 0;
};

}  // namespace x402

#endif
