// SPDX-License-Identifier: Apache-2.0
// A returning client: it has paid before, and comes back with a pass
// (x402_pass) or a signature (x402_sign_in).
#ifndef NGX_HTTP_X402_RETURNING_CLIENT_HPP
#define NGX_HTTP_X402_RETURNING_CLIENT_HPP

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "nginx/core/ngx_http_x402_boundary.hpp"
#include "nginx/request/ngx_http_x402_ctx.hpp"
#include "session/access_pass.hpp"

namespace x402 {

enum class ReturningKind {
    buyer,      // this very request paid, and got a pass
    pass,       // let in by a pass
    signed_in,  // let in by a signature, for what was bought before
};

struct ReturningClient {
    ReturningKind kind = ReturningKind::pass;
    // As $x402_payer has it; may be empty. Lifetime: the request's pool.
    std::string_view payer;
    ClaimBinding bought;                // what was paid for
    std::int64_t expires = 0;           // unix seconds
    std::optional<std::uint32_t> left;  // of a counted pass
};

// In the request's pool; nullptr: no memory.
ReturningClient *make_returning(const RequestCtx &ctx, std::string_view payer);

// Money: content leaves, money has moved for it, and a transaction proves that.
// What is not delivered is owed; what is unproven has none.
bool is_proven_sale(const RequestCtx &ctx);

// What was paid for with this payment. Precondition: is_proven_sale().
const ClaimBinding &sold_binding(const Payment &payment);

// When it was paid, unix seconds: a repeated delivery sells nothing.
// Precondition: is_proven_sale().
std::int64_t settled_at(const RequestCtx &ctx);

// Its payer in one spelling, as $x402_payer has it.
std::string proven_payer(const RequestCtx &ctx);

// What a client shows that has paid before: a pass (X402-Pass, or a cookie) and
// a signature of its wallet (SIGN-IN-WITH-X). Each works for anyone
// that has it, so it is taken out of the request before any backend sees it,
// also where it gives no access.

constexpr std::string_view kPassCookie = "x402_pass_";

// Values as they came; of a cookie the whole line.
struct ClientSecrets {
    std::vector<ngx_str_t> passes;
    std::vector<ngx_str_t> cookies;
    std::vector<ngx_str_t> sign_ins;
};

// In preaccess of a main request, in every location of a configuration that
// issues passes or lets payers sign in. They stay in the request where
// `forwarded`. False: no memory.
bool take_client_secrets(ngx_http_request_t *r, bool forwarded);

// What this request showed, whatever location it has come to; nullptr: nothing.
const ClientSecrets *client_secrets(ngx_http_request_t *r);

// What machines that share a store know together of a client that comes back
// (x402_store): how many requests its pass is good for, whether its nonce was
// used, what it has bought. The access phase waits for each answer and then
// runs again; this is what it knows by then.

// One question, which payment/free_access asks.
struct StoreQuestion {
    StoreOrder order;
    StoreCall call;
    bool asked = false;
    bool answered = false;  // or will not be: `kind` says which
    StoreReply::Kind kind = StoreReply::Kind::undone;
    StoreVerdict verdict = StoreVerdict::broken;
    std::int64_t left = 0;
    decltype(StoreAnswer::bought) bought;
    std::size_t bought_count = 0;

    bool is(StoreVerdict wanted) const
    {
        return kind == StoreReply::Kind::answered && verdict == wanted;
    }
    void keep(const StoreReply &reply);
};

// A use of a counted pass. Money: what the store took, or may have taken, for a
// request that got no content is given back.
struct StoreUse;

struct ReturningState {
    explicit ReturningState(const LocationConf *of) : conf(of) {}

    const LocationConf *conf;
    std::size_t passes_seen = 0;  // of those that the client shows
    bool pass_in_doubt = false;   // one of these, which the store may not know
    std::shared_ptr<StoreQuestion> question;
    StoreUse *use = nullptr;  // that is asked for
    std::string payer;        // whose signature is good
    Digest nonce{};           // of that signature
};

// nullptr: machines share nothing.
SharedStore *store_of(const RequestCtx &ctx);
// Of this location; a new one after a redirect.
ReturningState &returning_state(RequestCtx &ctx, const LocationConf &conf);
// An order that is not about a claim: `key` and its shard, and a token of its
// own.
StoreOrder order_without_claim(const SharedStore &store, StoreScript script,
                               const Digest &key, std::int64_t expires);

// Requests of a pass in the store.
enum class PassCount {
    taken,
    unknown,
    used_up,
    asks_store,
    store_away,
    failed
};
// `asks_store`: the phase runs again with the answer.
PassCount count_in_store(RequestCtx &ctx, const LocationConf &conf,
                         const AccessPass &pass, std::uint32_t requests,
                         std::uint32_t &left);
// Without the client waiting.
void issue_in_store(SharedStore &store, const AccessPass &pass,
                    std::uint32_t requests);

// Whether this request of a counted pass ends without content.
bool got_nothing(const ngx_http_request_t *r);

}  // namespace x402

#endif
