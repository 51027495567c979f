// SPDX-License-Identifier: Apache-2.0
#include "nginx/offer/ngx_http_x402_facilitator_group.hpp"

#include <algorithm>
#include <tuple>

#include "facilitator/facilitator_url.hpp"
#include "nginx/core/ngx_http_x402_directive.hpp"
#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/offer/ngx_http_x402_location_rules.hpp"
#include "nginx/offer/ngx_http_x402_nevermined.hpp"
#include "nginx/offer/ngx_http_x402_offer.hpp"

namespace x402 {

namespace {

constexpr unsigned kMaxFailures = 100;

bool is_name(std::string_view text)
{
    auto fits = [](char byte) {
        return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z')
               || (byte >= '0' && byte <= '9') || byte == '_' || byte == '-';
    };
    return !text.empty() && std::all_of(text.begin(), text.end(), fits);
}

FacilitatorGroups *groups_of(ngx_conf_t *cf)
{
    return main_conf(cf)->facilitator_groups;
}

bool read_number(std::string_view text, unsigned &number)
{
    if (text.empty() || text.size() > 3
        || text.find_first_not_of("0123456789") != std::string_view::npos) {
        return false;
    }
    number = static_cast<unsigned>(std::stoul(std::string(text)));
    return number <= kMaxFailures;
}

// One parameter after the URL. Returns what is wrong with it; empty: nothing.
std::string read_server_word(GroupServer &server, std::string_view word)
{
    constexpr std::string_view kFails = "max_fails=";
    constexpr std::string_view kTime = "fail_timeout=";
    std::string quoted = "\"" + std::string(word) + "\"";

    if (word == "backup") {
        server.backup = true;
        return {};
    }
    if (word.substr(0, kFails.size()) == kFails) {
        return read_number(word.substr(kFails.size()),
                           server.health.max_failures)
                   ? ""
                   : quoted + " must be a number from 0 to "
                         + std::to_string(kMaxFailures);
    }
    if (word.substr(0, kTime.size()) == kTime) {
        std::string text(word.substr(kTime.size()));
        ngx_str_t value = {text.size(),
                           reinterpret_cast<u_char *>(text.data())};
        ngx_int_t time = ngx_parse_time(&value, 0);
        if (time == NGX_ERROR || time == 0) {
            return quoted + " must be a time greater than 0";
        }
        server.health.window = static_cast<std::uint64_t>(time);
        return {};
    }
    return "unknown parameter " + quoted
           + "; write backup, max_fails= or fail_timeout=";
}

char *read_server(ngx_conf_t *cf, void *group_data)
{
    auto &group = *static_cast<FacilitatorGroup *>(group_data);
    const ngx_str_t *words = arguments(cf);
    if (view(words[0]) != "server" || cf->args->nelts < 2) {
        return conf_error(cf,
                          "x402_facilitator_group contains lines \"server url "
                          "[backup] [max_fails=number] [fail_timeout=time]\", "
                          "found \""
                              + copy(words[0]) + "\"");
    }
    auto url = parse_base_url(view(words[1]));
    if (!url) {
        return conf_error(cf, url.problem().text);
    }
    GroupServer server;
    server.url = url->base();
    for (const GroupServer &other : group.servers) {
        if (other.url == server.url) {
            return conf_error(cf, "facilitator \"" + server.url
                                      + "\" is in this group already");
        }
    }
    for (ngx_uint_t i = 2; i < cf->args->nelts; i++) {
        std::string why = read_server_word(server, view(words[i]));
        if (!why.empty()) {
            return conf_error(cf, why);
        }
    }
    group.servers.push_back(std::move(server));
    return NGX_CONF_OK;
}

// nginx: called for each line of the block.
char *on_group_line(ngx_conf_t *cf, ngx_command_t *, void *)
{
    return guarded(cf->log, static_cast<char *>(NGX_CONF_ERROR),
                   [&] { return read_server(cf, cf->handler_conf); });
}

char *read_group(ngx_conf_t *cf, void *main_data)
{
    auto *mcf = static_cast<MainConf *>(main_data);
    if (mcf->facilitator_groups == nullptr) {
        mcf->facilitator_groups = pool_new<FacilitatorGroups>(cf->pool);
        if (mcf->facilitator_groups == nullptr) {
            return static_cast<char *>(NGX_CONF_ERROR);
        }
    }
    FacilitatorGroup group;
    group.name = copy(arguments(cf)[1]);
    if (!is_name(group.name)) {
        return conf_error(cf,
                          "a group's name consists of letters, digits, \"_\" "
                          "and \"-\", found \""
                              + group.name + "\"");
    }
    for (const FacilitatorGroup &other : groups_of(cf)->groups) {
        if (other.name == group.name) {
            return conf_error(cf, "there is a facilitator group \"" + group.name
                                      + "\" already");
        }
    }
    ngx_conf_t saved = *cf;
    cf->handler = on_group_line;
    cf->handler_conf = reinterpret_cast<char *>(&group);
    char *result = ngx_conf_parse(cf, nullptr);
    *cf = saved;
    if (result != NGX_CONF_OK) {
        return result;
    }
    if (group.servers.empty()) {
        return conf_error(cf,
                          "facilitator group \"" + group.name
                              + "\" is empty; write \"server url;\" into it");
    }
    auto is_first = [](const GroupServer &server) { return !server.backup; };
    std::stable_partition(group.servers.begin(), group.servers.end(), is_first);
    groups_of(cf)->groups.push_back(std::move(group));
    return NGX_CONF_OK;
}

// nullptr: an error was printed.
const FacilitatorGroup *find_group(ngx_conf_t *cf, std::string_view name,
                                   const ConfOrigin &origin)
{
    if (FacilitatorGroups *known = groups_of(cf)) {
        for (const FacilitatorGroup &group : known->groups) {
            if (group.name == name) {
                return &group;
            }
        }
    }
    log_conf(cf, NGX_LOG_EMERG,
             "there is no facilitator group \"" + std::string(name)
                 + "\"; write x402_facilitator_group, or a URL with http:// or "
                   "https://",
             origin);
    return nullptr;
}

bool add_peer(ngx_conf_t *cf, FacilitatorTerms terms, const ConfOrigin &origin,
              FacilitatorPeers &peers)
{
    std::size_t known = main_conf(cf)->facilitators.size();
    FacilitatorConf *peer = find_or_add_facilitator(cf, std::move(terms));
    if (peer == nullptr) {
        return false;
    }
    // Once for each facilitator, where it is used first.
    std::string warning = warning_of_exposure(*peer);
    if (peer->index == known && !warning.empty()) {
        log_conf(cf, NGX_LOG_WARN, warning, origin);
    }
    peers.push_back(peer);
    return true;
}

// Shared with all locations that name the same.
const FacilitatorPeers *share(ngx_conf_t *cf, FacilitatorPeers peers)
{
    MainConf *mcf = main_conf(cf);
    if (mcf->facilitator_groups == nullptr) {
        mcf->facilitator_groups = pool_new<FacilitatorGroups>(cf->pool);
    }
    FacilitatorGroups *known = mcf->facilitator_groups;
    if (known == nullptr) {
        return nullptr;
    }
    for (const FacilitatorPeers *other : known->peers) {
        if (*other == peers) {
            return other;
        }
    }
    auto *made = pool_new<FacilitatorPeers>(cf->pool, std::move(peers));
    if (made != nullptr) {
        known->peers.push_back(made);
    }
    return made;
}

PeersAsked asked_by(ngx_conf_t *cf, const LocationConf &conf,
                    const ngx_str_t &name)
{
    auto *clcf = static_cast<ngx_http_core_loc_conf_t *>(
        ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module));
    return {name,
            conf.trusted_certificate,
            conf.ssl_verify,
            conf.facilitator_headers,
            conf.facilitator_auth,
            conf.facilitator_proxy,
            clcf->resolver};
}

// Those of one URL, or of a group. nullptr: as find_or_add_peers().
const FacilitatorPeers *make_peers(ngx_conf_t *cf, const LocationConf &conf,
                                   const ngx_str_t &name,
                                   const ConfOrigin &origin)
{
    FacilitatorPeers peers;
    if (!is_name(view(name))) {
        return add_peer(cf,
                        FacilitatorTerms::with_credentials(conf, copy(name)),
                        origin, peers)
                   ? share(cf, std::move(peers))
                   : nullptr;
    }
    const FacilitatorGroup *group = find_group(cf, view(name), origin);
    if (group == nullptr) {
        return nullptr;
    }
    for (const GroupServer &server : group->servers) {
        FacilitatorTerms terms =
            FacilitatorTerms::with_credentials(conf, server.url);
        terms.health = server.health;
        if (!add_peer(cf, std::move(terms), origin, peers)) {
            return nullptr;
        }
    }
    return share(cf, std::move(peers));
}

const FacilitatorConf *find_id(const FacilitatorPeers *peers, std::uint64_t id)
{
    if (peers == nullptr) {
        return nullptr;
    }
    for (const FacilitatorConf *peer : *peers) {
        if (peer->id == id) {
            return peer;
        }
    }
    return nullptr;
}

// An option that is offered in version 2 may also be offered in version 1: the
// facilitator does not have to list both.
void record_needs(const LocationOffer &offer, const FacilitatorPeers *common)
{
    bool in_version_2 =
        std::find(offer.dialects.begin(), offer.dialects.end(), &dialect_v2())
        != offer.dialects.end();
    for (const LocationTerm &term : offer.terms) {
        std::string scheme = term.terms.scheme_or_default();
        std::string network = caip2_network(term.terms.network).value_or("");
        auto old_name = in_version_2 ? std::nullopt : v1_network_name(network);
        for (FacilitatorConf *peer : term.peers ? *term.peers : *common) {
            peer->wanted = peer->wanted || !term.in_full;
            if (in_version_2) {
                peer->need(scheme, network);
            } else if (old_name) {
                peer->need(scheme, *old_name, 1);
            }
        }
    }
}

}  // namespace

std::string validate_facilitator(std::string_view text)
{
    if (is_name(text)) {
        return {};
    }
    auto url = parse_base_url(text);
    return url ? std::string() : url.problem().text;
}

bool PeersAsked::operator==(const PeersAsked &other) const
{
    auto parts = [](const PeersAsked &asked) {
        return std::make_tuple(
            view(asked.name), view(asked.trusted_certificate), asked.ssl_verify,
            asked.headers, asked.auth, asked.proxy, asked.resolver);
    };
    return parts(*this) == parts(other);
}

const FacilitatorPeers *find_or_add_peers(ngx_conf_t *cf,
                                          const LocationConf &conf,
                                          const ngx_str_t &name,
                                          const ConfOrigin &origin)
{
    PeersAsked asked = asked_by(cf, conf, name);
    FacilitatorGroups *known = groups_of(cf);
    if (known && known->last && known->last_asked == asked) {
        return known->last;
    }
    const FacilitatorPeers *found = make_peers(cf, conf, name, origin);
    if (found) {
        groups_of(cf)->last_asked = asked;
        groups_of(cf)->last = found;
    }
    return found;
}

const FacilitatorConf *peer_by_id(const LocationConf &conf, std::uint64_t id)
{
    if (const FacilitatorConf *common = find_id(conf.facilitator_peers, id)) {
        return common;
    }
    for (const LocationTerm &term : location_offer(conf).terms) {
        if (const FacilitatorConf *own = find_id(term.peers, id)) {
            return own;
        }
    }
    return nullptr;
}

bool set_peers(ngx_conf_t *cf, LocationConf &conf)
{
    if (asks_signature_alone(conf)) {
        return true;
    }
    const LocationOffer &offer = location_offer(conf);
    bool tokens = uses_bearer_tokens(conf);
    if (conf.facilitator_url.data == nullptr && !tokens) {
        // Every payment option has one of its own.
        record_needs(offer, nullptr);
        return true;
    }
    std::string error = tokens ? std::string() : validate_credentials(conf);
    if (!error.empty()) {
        log_conf(cf, NGX_LOG_EMERG, error, conf.origin);
        return false;
    }
    if (tokens) {
        conf.facilitator = add_backend(cf, conf);
        conf.facilitator_peers =
            conf.facilitator ? pool_new<FacilitatorPeers>(
                cf->pool, FacilitatorPeers{conf.facilitator})
                             : nullptr;
        return conf.facilitator_peers != nullptr;
    }
    const FacilitatorPeers *peers = find_or_add_peers(
        cf, conf, conf.facilitator_url, conf.facilitator_origin);
    if (peers == nullptr) {
        return false;
    }
    record_needs(offer, peers);
    conf.facilitator = peers->front();
    conf.facilitator_peers = peers;
    return true;
}

}  // namespace x402

using namespace x402;

char *ngx_http_x402_set_facilitator_group(ngx_conf_t *cf, ngx_command_t *,
                                          void *conf)
{
    return config_guarded(cf, read_group, conf);
}
