// SPDX-License-Identifier: Apache-2.0
// nginx's timer and posted event under one roof.
#include "nginx/core/ngx_http_x402_timer.hpp"

namespace x402 {

Timer::Timer(AtQuit at_quit, Run run, void *owner) : run_(run), owner_(owner)
{
    nobody_.fd = static_cast<ngx_socket_t>(-1);
    nobody_.data = this;
    event_.data = &nobody_;
    event_.handler = on_event;
    event_.cancelable = at_quit == AtQuit::cancel ? 1 : 0;
}

Timer::~Timer()
{
    disarm();
    if (event_.posted) {
        ngx_delete_posted_event(&event_);
    }
}

void Timer::arm(ngx_msec_t milliseconds)
{
    disarm();
    // Made while a configuration is read, it would have the log of the cycle
    // before, which ends with that.
    event_.log = ngx_cycle->log;
    ngx_add_timer(&event_, milliseconds);
}

void Timer::disarm()
{
    if (event_.timer_set) {
        ngx_del_timer(&event_);
    }
}

void Timer::post()
{
    event_.log = ngx_cycle->log;
    ngx_post_event(&event_, &ngx_posted_events);
}

void Timer::on_event(ngx_event_t *event)
{
    auto *timer = static_cast<Timer *>(
        static_cast<ngx_connection_t *>(event->data)->data);
    guarded(ngx_cycle->log, 0, [&] {
        timer->run_(timer->owner_);
        return 0;
    });
}

}  // namespace x402
