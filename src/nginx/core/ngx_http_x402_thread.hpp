// SPDX-License-Identifier: Apache-2.0
// A thread of a worker, for a call of the system that blocks: the look-up of a
// name, the flush of a file. docs/internals.md says why it is not a thread of
// nginx's pools.
#ifndef NGX_HTTP_X402_THREAD_HPP
#define NGX_HTTP_X402_THREAD_HPP

#include <functional>
#include <utility>

#include <unistd.h>

#include "nginx/core/ngx_http_x402_boundary.hpp"

namespace x402 {

// An open file that is closed by the destructor.
class Descriptor {
public:
    Descriptor() = default;
    // Lifetime: takes the file over. A negative number stands for none.
    explicit Descriptor(int number) : number_(number) {}
    ~Descriptor()
    {
        if (number_ >= 0) {
            close(number_);
        }
    }
    Descriptor(Descriptor &&other) noexcept
        : number_(std::exchange(other.number_, -1))
    {
    }
    Descriptor &operator=(Descriptor &&other) noexcept
    {
        std::swap(number_, other.number_);
        return *this;
    }
    int number() const { return number_; }
    bool is_open() const { return number_ >= 0; }

private:
    int number_ = -1;
};

// Runs `run` in a detached thread, with all signals blocked. false: the system
// has no thread or no memory, and `run` is not called. Lifetime: `run` owns all
// that it uses, because it may outlive the objects of its worker. It must not
// throw, and must not call nginx.
bool start_thread(std::function<void()> run) noexcept;

// Wakes the event loop of the worker from one of its threads.
class ThreadReport {
public:
    using Run = void (*)(void *owner);

    // `run` is called in the event loop, inside guarded(), after one report or
    // several of them. It may destroy this object.
    ThreadReport(Run run, void *owner) : run_(run), owner_(owner) {}
    ~ThreadReport() { close(); }
    ThreadReport(const ThreadReport &) = delete;
    ThreadReport &operator=(const ThreadReport &) = delete;

    // Returns the end for the thread; it is not open if nginx has no free
    // connection.
    Descriptor open();
    void close();

private:
    static void on_event(ngx_event_t *event);

    Run run_;
    void *owner_;
    ngx_connection_t *connection_ = nullptr;
};

// In the thread. What it wrote before is seen by the worker's `run`.
void send_report(const Descriptor &end);

}  // namespace x402

#endif
