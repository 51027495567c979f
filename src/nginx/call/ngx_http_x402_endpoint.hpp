// SPDX-License-Identifier: Apache-2.0
// A facilitator as one worker sees it: its addresses, the transport and the
// credentials of each operation, where it redirects, and its health. The worker
// owns one for each FacilitatorConf; FacilitatorCall sends through it.
#ifndef NGX_HTTP_X402_ENDPOINT_HPP
#define NGX_HTTP_X402_ENDPOINT_HPP

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/sha256_digest.hpp"
#include "facilitator/auth_token.hpp"
#include "facilitator/facilitator_port.hpp"
#include "nginx/call/curl/ngx_http_x402_curl.hpp"
#include "nginx/call/ngx_http_x402_facilitator_conf.hpp"
#include "nginx/call/ngx_http_x402_http_client.hpp"
#include "nginx/call/ngx_http_x402_lookup.hpp"
#include "session/status_counters.hpp"

namespace x402 {

// `plan`: the page about one plan, CallTerms::plan. `event`: a message to a
// webhook, at its URL as it is written.
enum class Operation { verify, settle, supported, plan, event };

class FacilitatorCall;

class Endpoint {
public:
    Endpoint(const FacilitatorConf &conf, CurlEngines &engines);
    ~Endpoint();
    Endpoint(const Endpoint &) = delete;
    Endpoint &operator=(const Endpoint &) = delete;

    const FacilitatorConf &conf() const { return conf_; }

    FacilitatorHealth health;  // as this worker knows it

    // Where its calls are counted. Lifetime: borrows; nullptr: nowhere.
    void count_in(StatusCounters *counters, std::uint32_t row)
    {
        counters_ = counters;
        row_ = row;
    }
    StatusCounters *counters() const { return counters_; }
    std::uint32_t row() const { return row_; }

private:
    friend class FacilitatorCall;

    // A host with its addresses: the configured one, or the target of a
    // redirect.
    struct Host {
        std::string name;
        std::vector<std::string> literal;   // the name, when it is an address
        std::unique_ptr<AddressBook> book;  // nullptr: name is an address
        std::vector<std::unique_ptr<HttpOrigin>> origins;

        const std::vector<std::string> &addresses();
    };
    // Where an operation is sent at present.
    struct Route {
        std::string url;  // empty: not made yet
        bool post = true;
        bool redirected = false;
        ngx_msec_t until = 0;  // of a redirect
        FacilitatorUrl parsed;
        Host *host = nullptr;
        HttpOrigin *origin = nullptr;  // nullptr: curl does it
        std::string head;              // start_of_head()
    };

    Host &host_for(const std::string &name);
    HttpOrigin *origin_for(Host &host, const FacilitatorUrl &url);
    TlsContext *trust();
    // nullptr: the URL is unusable.
    Route *route_for(Operation operation, const std::string &plan);
    // False: the URL is unusable, and the route is as before.
    bool set_target(Route &route, const std::string &url);
    // nullopt: no token could be made.
    std::optional<std::vector<std::string>> headers_for(Operation operation,
                                                        const std::string &url);
    // For an hour; logs it.
    void keep_redirect(Operation operation, const std::string &url);
    // One line when it says something else than before.
    void log_extensions(const std::string &extension_responses);
    static void on_look_up_ended(void *data);

    const FacilitatorConf &conf_;
    CurlEngines &engines_;
    StatusCounters *counters_ = nullptr;
    std::uint32_t row_ = 0;
    std::unique_ptr<TlsContext> late_tls_;
    std::vector<std::unique_ptr<Host>> hosts_;
    Route routes_[5];
    std::unique_ptr<AuthTokens> tokens_;      // nullptr: no auth
    std::string extension_responses_;         // that were logged last
    std::vector<FacilitatorCall *> waiting_;  // for addresses
    std::vector<FacilitatorCall *> calls_;    // all that run
};

// What a result means for the health of its facilitator. One line when the
// breaker opens or closes.
void record_health(Endpoint &endpoint, Operation operation, CallHealth health,
                   const Digest &payer, ngx_log_t *log);

// The next of them whose breaker is not open, taken out of the list; nullptr:
// none.
Endpoint *next_to_settle(std::vector<Endpoint *> &others);

}  // namespace x402

#endif
