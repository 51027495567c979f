// SPDX-License-Identifier: Apache-2.0
// A timer that belongs to no request: the worker's background work, deadlines
// of calls. What it runs is inside guarded(), and must itself know what is left
// to do if memory is refused.
#ifndef NGX_HTTP_X402_TIMER_HPP
#define NGX_HTTP_X402_TIMER_HPP

#include "nginx/core/ngx_http_x402_boundary.hpp"

namespace x402 {

// Whether a worker that was asked to quit stays until the timer has run.
enum class AtQuit { cancel, wait };

class Timer {
public:
    using Run = void (*)(void *owner);

    // `run` may destroy the timer. Lifetime: part of its owner.
    Timer(AtQuit at_quit, Run run, void *owner);
    ~Timer();
    Timer(const Timer &) = delete;
    Timer &operator=(const Timer &) = delete;

    bool armed() const { return event_.timer_set; }
    // From now, instead of what was armed. nginx: 0 would wait for some other
    // event, see post().
    void arm(ngx_msec_t milliseconds);
    void disarm();
    // Runs in this turn of the event loop, and never inside the caller.
    void post();

private:
    static void on_event(ngx_event_t *event);

    Run run_;
    void *owner_;
    ngx_event_t event_{};
    ngx_connection_t nobody_{};  // nginx logs the fd of a timer's connection
};

}  // namespace x402

#endif
