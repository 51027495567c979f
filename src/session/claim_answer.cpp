// SPDX-License-Identifier: Apache-2.0
#include "session/claim_answer.hpp"

namespace x402 {

namespace {

// A request that waited for another request's settlement does not start its
// own, unless that one died with its worker.
bool may_ask_again(const ClaimView &claim, const ClaimPresenter &presenter)
{
    return presenter.same_purchase && !claim.in_use
           && (!presenter.waited || claim.abandoned);
}

}  // namespace

bool is_in_flight(const ClaimView &claim)
{
    switch (claim.state) {
    case ClaimState::verifying:
    case ClaimState::verified:
    case ClaimState::settling:
        return true;
    case ClaimState::unknown:
    case ClaimState::paid:
        return claim.in_use;
    default:
        return false;
    }
}

bool may_be_answered(const ClaimView &claim)
{
    return claim.state == ClaimState::settling
           || claim.state == ClaimState::unknown
           || claim.state == ClaimState::paid;
}

ClaimAnswer answer_of(const ClaimView &claim, const ClaimPresenter &presenter)
{
    switch (claim.state) {
    case ClaimState::free:
    case ClaimState::refused:
        return ClaimAnswer::none;
    case ClaimState::verifying:
    case ClaimState::verified:
        return ClaimAnswer::in_use;
    case ClaimState::settling:
        return presenter.same_purchase ? ClaimAnswer::in_use
                                       : ClaimAnswer::unknown;
    case ClaimState::unknown:
        return may_ask_again(claim, presenter) ? ClaimAnswer::ask_again
                                               : ClaimAnswer::unknown;
    case ClaimState::paid:
        if (presenter.same_purchase && claim.in_use) {
            return ClaimAnswer::in_use;
        }
        return presenter.same_purchase && presenter.without_body
                   ? ClaimAnswer::deliver
                   : ClaimAnswer::used;
    case ClaimState::delivered:
    case ClaimState::closed:
        break;
    }
    return ClaimAnswer::used;
}

}  // namespace x402
