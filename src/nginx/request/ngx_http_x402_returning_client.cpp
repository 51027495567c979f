// SPDX-License-Identifier: Apache-2.0
#include "nginx/request/ngx_http_x402_returning_client.hpp"

#include <algorithm>
#include <type_traits>

#include "base/hex_codec.hpp"
#include "base/json_document.hpp"
#include "base/text_excerpt.hpp"
#include "nginx/core/ngx_http_x402_header_list.hpp"
#include "policy/evm_address.hpp"
#include "protocol/payment_header_names.hpp"

namespace x402 {

namespace {

// Money: a machine sells a pass, and the store may hear of it later than
// another machine is shown it. For these seconds after the sale, and after this
// machine reached a store that was away, it is not said to be unknown, which
// would ask its client to pay again.
constexpr std::int64_t kIssueTakes = 10;

bool has_transaction(const RequestCtx &ctx)
{
    auto receipt = JsonDocument::parse(ctx.receipt);
    return receipt && !receipt->root()["transaction"].string().empty();
}

constexpr std::string_view kSecretNames[] = {kPassHeaderLower,
                                             kSignInHeaderLower};
constexpr std::string_view kCookieNames[] = {"cookie"};

bool has_pass(std::string_view line)
{
    return line.find(kPassCookie) != std::string_view::npos;
}

std::string_view take_pair(std::string_view &line)
{
    std::string_view pair = line.substr(0, line.find(';'));
    line.remove_prefix(std::min(line.size(), pair.size() + 1));
    pair.remove_prefix(std::min(pair.size(), pair.find_first_not_of(" \t")));
    return pair;
}

std::string without_passes(std::string_view line)
{
    std::string kept;
    while (!line.empty()) {
        std::string_view pair = take_pair(line);
        if (pair.substr(0, kPassCookie.size()) == kPassCookie || pair.empty()) {
            continue;
        }
        kept += kept.empty() ? "" : "; ";
        kept += pair;
    }
    return kept;
}

bool is_empty(const ngx_table_elt_t &header)
{
    return header.value.len == 0;
}

// nginx: `headers_in` points to the elements, and $http_cookie reads them
// there; so the values change in place. An empty line does not go on.
bool hide_cookies(ngx_http_request_t *r)
{
    bool good = true;
    bool emptied = false;
    each_header(r->headers_in.headers, [&](ngx_table_elt_t &header) {
        if (!header_is(header.key, kCookieNames[0])
            || !has_pass(view(header.value))) {
            return;
        }
        std::string kept = without_passes(view(header.value));
        ngx_str_t value = pool_copy(r->pool, kept);
        good = good && value.data != nullptr;
        emptied = emptied || value.len == 0;
        header.value = value;
    });
    return good
           && (!emptied
               || unlink_headers(r->pool, r->headers_in.headers, kCookieNames,
                                 is_empty));
}

void free_secrets(void *data)
{
    guarded(ngx_cycle->log, 0, [&] {
        static_cast<ClientSecrets *>(data)->~ClientSecrets();
        return 0;
    });
}

ClientSecrets *find_secrets(ngx_http_request_t *r)
{
    for (ngx_pool_cleanup_t *cln = r->main->pool->cleanup; cln;
         cln = cln->next) {
        if (cln->handler == free_secrets) {
            return static_cast<ClientSecrets *>(cln->data);
        }
    }
    return nullptr;
}

ClientSecrets *make_secrets(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t *cln =
        ngx_pool_cleanup_add(r->pool, sizeof(ClientSecrets));
    if (cln == nullptr) {
        return nullptr;
    }
    auto *secrets = new (cln->data) ClientSecrets();
    cln->handler = free_secrets;
    return secrets;
}

bool shows_something(ngx_http_request_t *r)
{
    bool shows = has_header(r->headers_in.headers, kSecretNames);
    each_header(r->headers_in.headers, [&](const ngx_table_elt_t &header) {
        shows = shows
                || (header_is(header.key, kCookieNames[0])
                    && has_pass(view(header.value)));
    });
    return shows;
}

Digest key_of(const PassId &id)
{
    Digest key{};
    std::copy(id.begin(), id.end(), key.begin());
    return key;
}

}  // namespace

// Without a cleanup: it is made for each request that shows a pass.
ReturningClient *make_returning(const RequestCtx &ctx, std::string_view payer)
{
    static_assert(std::is_trivially_destructible_v<ReturningClient>);
    ngx_pool_t *pool = ctx.r->pool;
    void *memory = ngx_palloc(pool, sizeof(ReturningClient));
    ngx_str_t text = memory ? pool_copy(pool, payer) : ngx_str_t();
    if (text.data == nullptr) {
        return nullptr;
    }
    auto *client = new (memory) ReturningClient();
    client->payer = view(text);
    return client;
}

bool is_proven_sale(const RequestCtx &ctx)
{
    return ctx.payment && ctx.payment->facts.key != Digest{}
           && !ctx.never_settled && !ctx.receipt.empty()
           && (ctx.state() == PaymentState::delivering
               || ctx.state() == PaymentState::delivered)
           && has_transaction(ctx);
}

const ClaimBinding &sold_binding(const Payment &payment)
{
    return payment.resumed ? payment.bought_binding : payment.facts.binding;
}

std::int64_t settled_at(const RequestCtx &ctx)
{
    const Payment &payment = *ctx.payment;
    if (!payment.resumed || payment.settled_at == 0) {
        return ngx_time();
    }
    return payment.settled_at;
}

std::string proven_payer(const RequestCtx &ctx)
{
    const Payment &payment = *ctx.payment;
    auto named = parse_evm_address(payment.payer);
    if (!named) {
        named = parse_evm_address(payment.scheme.payer);
    }
    return named ? "0x" + hex_encode(named->data(), named->size())
                 : header_excerpt(payment.payer);
}

bool take_client_secrets(ngx_http_request_t *r, bool forwarded)
{
    if (!shows_something(r)) {
        return true;
    }
    // After an internal redirect they are known, and may still be there.
    if (find_secrets(r) == nullptr) {
        ClientSecrets *secrets = make_secrets(r);
        if (secrets == nullptr) {
            return false;
        }
        each_header(r->headers_in.headers, [&](const ngx_table_elt_t &header) {
            if (header_is(header.key, kPassHeaderLower)) {
                secrets->passes.push_back(header.value);
            } else if (header_is(header.key, kSignInHeaderLower)) {
                secrets->sign_ins.push_back(header.value);
            } else if (header_is(header.key, kCookieNames[0])
                       && has_pass(view(header.value))) {
                secrets->cookies.push_back(header.value);
            }
        });
    }
    return forwarded
           || (unlink_headers(r->pool, r->headers_in.headers, kSecretNames)
               && hide_cookies(r));
}

const ClientSecrets *client_secrets(ngx_http_request_t *r)
{
    return find_secrets(r);
}

struct StoreUse {
    StoreUse(ngx_http_request_t *request, SharedStore &its_store,
             StoreOrder its_order)
        : r(request), store(its_store), order(std::move(its_order))
    {
    }
    ~StoreUse()
    {
        if (taken == Taken::no || (taken == Taken::yes && !got_nothing(r))) {
            return;
        }
        guarded(ngx_cycle->log, 0, [&] {
            order.use = PassCall::give_back;
            store.write_behind(std::move(order));
            return 0;
        });
    }
    StoreUse(const StoreUse &) = delete;
    StoreUse &operator=(const StoreUse &) = delete;

    enum class Taken { no, perhaps, yes };

    ngx_http_request_t *r;
    SharedStore &store;
    StoreOrder order;
    Taken taken = Taken::perhaps;
};

void StoreQuestion::keep(const StoreReply &reply)
{
    answered = true;
    kind = reply.kind;
    verdict = reply.answer.verdict;
    left = reply.answer.left;
    bought = reply.answer.bought;
    bought_count = reply.answer.bought_count;
}

SharedStore *store_of(const RequestCtx &ctx)
{
    Worker *worker = worker_of(main_conf(ctx.r));
    return worker ? worker->store.get() : nullptr;
}

ReturningState &returning_state(RequestCtx &ctx, const LocationConf &conf)
{
    if (!ctx.returning_state || ctx.returning_state->conf != &conf) {
        ctx.returning_state = std::make_shared<ReturningState>(&conf);
    }
    return *ctx.returning_state;
}

StoreOrder order_without_claim(const SharedStore &store, StoreScript script,
                               const Digest &key, std::int64_t expires)
{
    StoreOrder order;
    order.script = script;
    order.claim.prefix = store.conf().prefix;
    order.claim.shard = store_shard(key);
    order.claim.key = key;
    order.claim.token = new_store_token();
    order.facts.expires = expires;
    order.lease = store.lease();
    return order;
}

PassCount count_in_store(RequestCtx &ctx, const LocationConf &conf,
                         const AccessPass &pass, std::uint32_t requests,
                         std::uint32_t &left)
{
    SharedStore &store = *store_of(ctx);
    ReturningState &state = returning_state(ctx, conf);
    if (!state.use) {
        StoreOrder order = order_without_claim(store, StoreScript::pass,
                                               key_of(pass.id), pass.expires());
        order.requests = requests;
        auto question = std::make_shared<StoreQuestion>();
        question->order = order;
        state.use =
            pool_new<StoreUse>(ctx.r->pool, ctx.r, store, std::move(order));
        state.question = std::move(question);
        if (!state.use) {
            return PassCount::failed;
        }
        return PassCount::asks_store;
    }
    const StoreQuestion &question = *state.question;
    if (!question.answered) {
        return PassCount::asks_store;
    }
    StoreUse &use = *std::exchange(state.use, nullptr);
    if (question.kind != StoreReply::Kind::answered) {
        use.taken = question.kind == StoreReply::Kind::undone
                        ? StoreUse::Taken::no
                        : StoreUse::Taken::perhaps;
        return PassCount::store_away;
    }
    if (!question.is(StoreVerdict::done)) {
        use.taken = StoreUse::Taken::no;
        if (question.left >= 0) {
            return PassCount::used_up;
        }
        bool too_early = ngx_time() - pass.issued < kIssueTakes
                         || store.came_back_within(kIssueTakes * 1000);
        return too_early ? PassCount::store_away : PassCount::unknown;
    }
    use.taken = StoreUse::Taken::yes;
    left = static_cast<std::uint32_t>(question.left);
    return PassCount::taken;
}

void issue_in_store(SharedStore &store, const AccessPass &pass,
                    std::uint32_t requests)
{
    StoreOrder order = order_without_claim(store, StoreScript::pass,
                                           key_of(pass.id), pass.expires());
    order.use = PassCall::issue;
    order.requests = requests;
    store.write_behind(std::move(order));
}

bool got_nothing(const ngx_http_request_t *r)
{
    ngx_uint_t status = r->headers_out.status;
    // A client that hangs up has made the upstream work.
    bool hung_up = status == 0 || status == NGX_HTTP_CLIENT_CLOSED_REQUEST;
    bool worked = r->upstream != nullptr && r->upstream->request_sent;
    bool without_content =
        status == NGX_HTTP_NOT_MODIFIED || status >= NGX_HTTP_BAD_REQUEST;
    // nginx: content was made, and the client's own Range has none of it.
    bool beside_it = status == NGX_HTTP_RANGE_NOT_SATISFIABLE;
    return hung_up || beside_it ? !worked : without_content;
}

}  // namespace x402
