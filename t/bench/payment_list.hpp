// SPDX-License-Identifier: Apache-2.0
// A file of payments, one a line and all of one length, as sign_payments writes
// it, given out one after the other.
#ifndef X402_BENCH_PAYMENT_LIST_HPP
#define X402_BENCH_PAYMENT_LIST_HPP

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace x402_bench {

// The payments, mapped: nothing of them is copied before it is sent.
class PaymentList {
public:
    void open(const std::string &path, std::size_t skip)
    {
        int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
        struct stat facts {};
        if (file < 0 || fstat(file, &facts) != 0 || facts.st_size == 0) {
            std::perror(path.c_str());
            std::exit(2);
        }
        auto size = static_cast<std::size_t>(facts.st_size);
        void *memory = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file, 0);
        ::close(file);
        if (memory == MAP_FAILED) {
            std::perror(path.c_str());
            std::exit(2);
        }
        all_ = {static_cast<const char *>(memory), size};
        stride_ = all_.find('\n') + 1;
        at_ = std::min(skip * stride_, size);
    }
    bool wanted() const { return stride_ != 0; }
    // Empty when there is none left.
    std::string_view next()
    {
        if (at_ + stride_ > all_.size()) {
            return {};
        }
        std::string_view one = all_.substr(at_, stride_ - 1);
        at_ += stride_;
        return one;
    }

private:
    std::string_view all_;
    std::size_t stride_ = 0;
    std::size_t at_ = 0;
};

}  // namespace x402_bench

#endif
