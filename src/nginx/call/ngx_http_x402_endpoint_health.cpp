#include "nginx/call/ngx_http_x402_endpoint_health.hpp"

#include <cstring>

#include "nginx/core/ngx_http_x402_log.hpp"

namespace x402 {

namespace {

std::uint64_t number_of(const Digest &payer)
{
    std::uint64_t number;
    std::memcpy(&number, payer.data(), sizeof(number));
    return number;
}

}  // namespace

void record_health(Endpoint &endpoint, Operation operation, CallHealth health,
                   const Digest &payer, ngx_log_t *log)
{
    HealthChange change =
        endpoint.health.note(operation == Operation::settle, health,
                             number_of(payer), ngx_current_msec);
    if (change == HealthChange::none) {
        return;
    }
    if (StatusCounters *counters = endpoint.counters()) {
        counters->set_breaker(endpoint.row(), change == HealthChange::opened);
    }
    std::string name = "facilitator \"" + endpoint.conf().url.base() + "\" ";
    if (change == HealthChange::opened) {
        log_line(NGX_LOG_WARN, log,
                 name + "fails "
                     + (operation == Operation::settle ? "settle" : "verify")
                     + " again and again; until it recovers payments settle "
                       "before content, or at another facilitator of the "
                       "group");
    } else if (change == HealthChange::closed) {
        log_line(NGX_LOG_NOTICE, log, name + "recovered");
    }
}

Endpoint *next_to_settle(std::vector<Endpoint *> &others)
{
    while (!others.empty()) {
        Endpoint *next = others.front();
        others.erase(others.begin());
        if (next->health.advice(ngx_current_msec).course != Course::closed) {
            return next;
        }
    }
    return nullptr;
}

}  // namespace x402
