// SPDX-License-Identifier: Apache-2.0
#include "nginx/core/ngx_http_x402_thread.hpp"

#include <csignal>
#include <thread>

#include <fcntl.h>

namespace x402 {

bool start_thread(std::function<void()> run) noexcept
{
    // nginx expects its signals in the thread that runs the event loop.
    sigset_t all;
    sigset_t former;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &former);
    bool started = false;
    try {
        std::thread(std::move(run)).detach();
        started = true;
    } catch (const std::exception &) {
        // The caller goes on without it.
    }
    pthread_sigmask(SIG_SETMASK, &former, nullptr);
    return started;
}

Descriptor ThreadReport::open()
{
    int ends[2];
    if (pipe2(ends, O_NONBLOCK | O_CLOEXEC) != 0) {
        return Descriptor();
    }
    Descriptor end(ends[1]);
    connection_ = ngx_get_connection(ends[0], ngx_cycle->log);
    if (connection_ == nullptr) {
        ::close(ends[0]);
        return Descriptor();
    }
    ngx_connection_t *c = connection_;
    c->data = this;
    c->read->handler = on_event;
    c->read->log = c->write->log = c->log = ngx_cycle->log;
    if (ngx_add_event(c->read, NGX_READ_EVENT, NGX_LEVEL_EVENT) != NGX_OK) {
        close();
        return Descriptor();
    }
    return end;
}

void ThreadReport::close()
{
    if (connection_) {
        ngx_close_connection(connection_);
        connection_ = nullptr;
    }
}

void ThreadReport::on_event(ngx_event_t *event)
{
    auto *c = static_cast<ngx_connection_t *>(event->data);
    if (c->close && !event->ready) {
        return;  // worker_shutdown_timeout pokes every connection
    }
    char bytes[64];
    ssize_t last;
    bool reported = false;
    while ((last = read(c->fd, bytes, sizeof(bytes))) > 0) {
        reported = true;
    }
    // 0: the thread is gone with its end.
    if (reported || last == 0) {
        auto *report = static_cast<ThreadReport *>(c->data);
        guarded(ngx_cycle->log, 0, [&] {
            report->run_(report->owner_);
            return 0;
        });
    }
}

void send_report(const Descriptor &end)
{
    if (write(end.number(), "", 1) != 1) {
        // Full: a report is on its way. Broken: the worker ends.
    }
}

}  // namespace x402
