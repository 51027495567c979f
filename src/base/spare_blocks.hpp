// SPDX-License-Identifier: Apache-2.0
// Memory of objects that come and go with each payment and may outlive its
// request, so that the request's pool cannot have them. What one gives back the
// next one gets, and a server that is at work allocates nothing for them.
//
// For std::allocate_shared() and std::list, which allocate one object at a
// time. For one thread of a process: that of the event loop.
#ifndef X402_BASE_SPARE_BLOCKS_HPP
#define X402_BASE_SPARE_BLOCKS_HPP

#include <cstddef>
#include <new>

namespace x402 {

// Of one size.
class SpareBlocks {
public:
    // `most`: so many wait for their next use, others are freed. It is what the
    // process keeps for good after a burst.
    explicit SpareBlocks(std::size_t most) : most_(most) {}
    ~SpareBlocks()
    {
        while (first_ != nullptr) {
            ::operator delete(pop());
        }
    }
    SpareBlocks(const SpareBlocks &) = delete;
    SpareBlocks &operator=(const SpareBlocks &) = delete;

    // Throws std::bad_alloc. Precondition: `bytes` is the same each time, and
    // at least that of a pointer.
    void *take(std::size_t bytes)
    {
        return first_ != nullptr ? pop() : ::operator new(bytes);
    }

    void give_back(void *block) noexcept
    {
        if (count_ == most_) {
            ::operator delete(block);
            return;
        }
        first_ = new (block) Spare{first_};
        count_++;
    }

    std::size_t count() const { return count_; }

private:
    // In the block itself, while it waits.
    struct Spare {
        Spare *next;
    };

    void *pop()
    {
        Spare *block = first_;
        first_ = block->next;
        count_--;
        return block;
    }

    std::size_t most_;
    std::size_t count_ = 0;
    Spare *first_ = nullptr;
};

// With AddressSanitizer nothing is used again, so that it sees what is used
// after its end.
#if defined(__SANITIZE_ADDRESS__)
constexpr bool kUsesBlocksAgain = false;
#else
constexpr bool kUsesBlocksAgain = true;
#endif

// An allocator of the standard library; what is made by one is destroyed by any
// other of its type.
template <class T, std::size_t kMost> struct SpareAllocator {
    using value_type = T;
    template <class Other> struct rebind {
        using other = SpareAllocator<Other, kMost>;
    };

    SpareAllocator() = default;
    template <class Other>
    SpareAllocator(const SpareAllocator<Other, kMost> & /* of another type */)
    {
    }

    T *allocate(std::size_t count)
    {
        static_assert(sizeof(T) >= sizeof(void *)
                      && alignof(T) <= alignof(std::max_align_t));
        return static_cast<T *>(count == 1 ? blocks().take(sizeof(T))
                                           : ::operator new(count * sizeof(T)));
    }

    void deallocate(T *block, std::size_t count) noexcept
    {
        if (count == 1) {
            blocks().give_back(block);
        } else {
            ::operator delete(block);
        }
    }

    friend bool operator==(SpareAllocator, SpareAllocator) { return true; }
    friend bool operator!=(SpareAllocator, SpareAllocator) { return false; }

private:
    static SpareBlocks &blocks()
    {
        static SpareBlocks spare(kUsesBlocksAgain ? kMost : 0);
        return spare;
    }
};

}  // namespace x402

#endif
