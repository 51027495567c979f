// SPDX-License-Identifier: Apache-2.0
// Where a settlement waits for the disk: x402_zone sync=on.
#include "nginx/worker/ngx_http_x402_settlement.hpp"

namespace x402 {

// False: there is nothing to wait for.
bool Settlement::waits_for_disk(void (*then)(Settlement &, bool good))
{
    if (worker_.sync == nullptr || !terms_.claim) {
        return false;
    }
    then_ = then;
    disk_.begin(*worker_.sync, on_disk, this);
    return true;
}

void Settlement::on_disk(void *data, bool good)
{
    auto *settlement = static_cast<Settlement *>(data);
    settlement->then_(*settlement, good);
}

// SETTLING is on the disk, or cannot be brought there.
void Settlement::send_recorded(bool good)
{
    bool sent = good && guarded(ngx_cycle->log, false, [&] {
                    send();
                    return true;
                });
    if (!sent) {
        out_of_memory_ = good;
        finish_later();
        return;
    }
    if (state_ == PaymentState::recording
        || state_ == PaymentState::recording_first) {
        tell_of(step(state_, PaymentEvent::recorded));
    }
}

// The request takes a step, and the settlement goes on.
void Settlement::tell_of(const PaymentStep &step)
{
    state_ = step.next;
    if (done_) {
        done_(data_, step, result_);
    }
}

// Money: PAID is on the disk before content. If the disk does not take it the
// money has moved all the same, and content is not kept back.
bool Settlement::secures(const PaymentStep &paid)
{
    bool of_request = state_ == PaymentState::settling
                      || state_ == PaymentState::settling_first;
    if (!of_request || paid.claim != ClaimChange::paid) {
        return false;
    }
    auto then = [](Settlement &settlement, bool) {
        settlement.end(step(settlement.state_, PaymentEvent::recorded));
    };
    if (!waits_for_disk(then)) {
        return false;
    }
    tell_of(on_disk_first(result_.event, paid));
    return true;
}

}  // namespace x402
