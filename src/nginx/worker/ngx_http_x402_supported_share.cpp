// SPDX-License-Identifier: Apache-2.0
#include "nginx/worker/ngx_http_x402_supported_share.hpp"

#include <algorithm>

#include "nginx/core/ngx_http_x402_log.hpp"

namespace x402 {

namespace {

constexpr ngx_msec_t kTick = 1000;
// What is still true is published again, before it expires in the store.
constexpr ngx_msec_t kPublishInterval = 60 * 1000;
// As the cache of the zone keeps.
constexpr std::size_t kLongestText = 16 * 1024;

}  // namespace

struct SupportedShare::Topic {
    SupportedShare *share = nullptr;
    const FacilitatorConf *conf = nullptr;
    Digest name{};
    RedisCall call;
    StoreRoute route;
    bool complained = false;
    std::string edition;
    Kinds heard;
    std::uint64_t publishing = 0;  // generation of the text; 0: none
    std::uint64_t published = 0;
    ngx_msec_t published_at = 0;
};

SupportedShare::SupportedShare(Worker &worker)
    : worker_(worker),
      tick_(
          AtQuit::cancel,
          [](void *share) { static_cast<SupportedShare *>(share)->tick(); },
          this)
{
    for (const auto &endpoint : worker.endpoints) {
        auto topic = std::make_unique<Topic>();
        topic->share = this;
        topic->conf = &endpoint->conf();
        topic->name = sha256("supported " + std::to_string(topic->conf->id));
        topics_.push_back(std::move(topic));
    }
    tick_.arm(kTick);
}

SupportedShare::~SupportedShare() = default;

const SupportedShare::Kinds &
SupportedShare::heard(const FacilitatorConf &conf) const
{
    return topics_[conf.index]->heard;
}

void SupportedShare::tick()
{
    if (ngx_exiting || ngx_quit || ngx_terminate) {
        return;  // what was heard last is used for the rest
    }
    tick_.arm(kTick);
    for (auto &topic : topics_) {
        if (topic->conf->wanted && !topic->call.waits()
            && worker_.store->nodes().ready(store_shard(topic->name))) {
            topic->route = StoreRoute();
            ask(*topic);
        }
    }
}

void SupportedShare::ask(Topic &topic)
{
    auto own = supported_kinds(worker_, *topic.conf);
    std::uint64_t generation = supported_generation(worker_, *topic.conf);
    bool due = generation != topic.published
               || ngx_current_msec - topic.published_at > kPublishInterval;
    std::string text = own && due ? own->text() : std::string();
    if (text.size() > kLongestText) {
        text.clear();
    }
    topic.publishing = text.empty() ? 0 : generation;
    ScriptBy by = topic.route.by;
    RedisSend how;
    how.room = store_call_bytes(by, StoreScript::supported, text.size(),
                                topic.edition.size());
    (void)worker_.store->nodes().send(
        topic.call, topic.route, store_shard(topic.name), how,
        [&](RespWriter &out) {
            write_supported(out, by, worker_.store->conf().prefix, topic.name,
                            text, topic.edition);
        },
        on_answer, &topic);
}

void SupportedShare::on_answer(void *data, RedisEnd end, const RespReply &reply)
{
    auto &topic = *static_cast<Topic *>(data);
    if (end == RedisEnd::answered) {
        guarded(ngx_cycle->log, 0, [&] {
            SupportedShare &share = *topic.share;
            if (share.worker_.store->nodes().goes_on(
                    topic.route, store_shard(topic.name), end, reply)) {
                share.ask(topic);
                return 0;
            }
            share.answered(topic, reply);
            return 0;
        });
    }
}

// Where there is room for it.
bool SupportedShare::lacks_own_text(const Topic &topic,
                                    const SharedTexts &shared)
{
    auto own = supported_kinds(worker_, *topic.conf);
    if (!own || shared.count >= kMaxSharedTexts) {
        return false;
    }
    auto end = shared.texts.begin() + shared.count;
    return std::find(shared.texts.begin(), end, own->text()) == end;
}

void SupportedShare::answered(Topic &topic, const RespReply &reply)
{
    SharedTexts shared = read_shared_texts(reply);
    if (shared.verdict != StoreVerdict::done) {
        return;
    }
    if (topic.publishing != 0) {
        topic.published = topic.publishing;
        topic.published_at = ngx_current_msec;
    }
    if (shared.edition == topic.edition) {
        return;
    }
    Kinds heard;
    bool foreign = false;
    for (std::size_t i = 0; i < shared.count; i++) {
        auto kinds = SupportedKinds::parse(shared.texts[i]);
        bool usable = kinds && shared.texts[i].size() <= kLongestText;
        foreign = foreign || !usable;
        if (usable) {
            heard.push_back(std::make_shared<const SupportedKinds>(
                std::move(kinds.value())));
        }
    }
    if (foreign && !topic.complained) {
        topic.complained = true;
        log_line(
            NGX_LOG_ERR, ngx_cycle->log,
            "the store has a text about facilitator \"" + topic.conf->url.base()
                + "\" that is not an answer of a facilitator; it is not used; "
                  "check whether another program uses the prefix of "
                  "x402_store");
    }
    if (lacks_own_text(topic, shared)) {
        topic.published = 0;  // an emptied store gets it again
    }
    topic.edition = std::string(shared.edition);
    topic.heard = std::move(heard);
    generation_++;
}

}  // namespace x402
