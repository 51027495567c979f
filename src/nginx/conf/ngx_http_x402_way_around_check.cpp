// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <set>

#include "base/text_prefix.hpp"
#include "nginx/conf/ngx_http_x402_config_checks.hpp"
#include "nginx/core/ngx_http_x402_log.hpp"

namespace x402 {

namespace {

void warn_at(ngx_conf_t *cf, const LocationConf &conf,
             const std::string &sentence)
{
    log_conf(cf, NGX_LOG_WARN, sentence, conf.origin);
}

bool is_regex([[maybe_unused]] const ngx_http_core_loc_conf_t &location)
{
#if (NGX_PCRE)
    return location.regex != nullptr;
#else
    return false;
#endif
}

bool matches([[maybe_unused]] ngx_regex_t *regex,
             [[maybe_unused]] const ngx_str_t &text)
{
#if (NGX_PCRE)
    return ngx_regex_exec(regex, const_cast<ngx_str_t *>(&text), nullptr, 0)
           >= 0;
#else
    return false;
#endif
}

// A location with a regular expression.
bool takes([[maybe_unused]] const ngx_http_core_loc_conf_t &location,
           [[maybe_unused]] const ngx_str_t &path)
{
#if (NGX_PCRE)
    return matches(location.regex->regex, path);
#else
    return false;
#endif
}

// A prefix whose requests nginx may give to a regular expression, or to a
// "rewrite" of the server. What has the price of "/" has exceptions.
bool can_be_passed(const ngx_http_core_loc_conf_t &location)
{
    return !is_regex(location) && !location.named && !location.noname
           && view(location.name) != "/" && location.name.len != 0;
}

// Whether a request below the prefix can match. Only what begins at the
// beginning, without repetitions, can be told: it does, or it is about less
// than all of the prefix, which is meant.
bool may_match_below([[maybe_unused]] const ngx_http_core_loc_conf_t &regex,
                     const ngx_http_core_loc_conf_t &prefix)
{
#if (NGX_PCRE)
    std::string_view pattern = view(regex.name);
    bool exact = starts_with(pattern, "^")
                 && pattern.find_first_of("*+{") == std::string_view::npos;
    if (exact) {
        return matches(regex.regex->regex, prefix.name);
    }
    if (!starts_with(pattern, "^")) {
        return true;
    }
    std::string_view name = view(prefix.name);
    std::string_view text = pattern.substr(1);
    text = text.substr(0, text.find_first_of("\\.[(|?*+{$"));
    std::size_t common = std::min(text.size(), name.size());
    return text.substr(0, common) == name.substr(0, common);
#else
    return false;
#endif
}

// It serves files, from a folder that is known.
bool serves_files(const ngx_http_core_loc_conf_t &location)
{
    return location.handler == nullptr && location.root_lengths == nullptr
           && !is_regex(location) && !location.named && !location.noname
           && location.root.len != 0;
}

// The files of a prefix lie below this name; empty: it serves none.
std::string file_of(const ngx_http_core_loc_conf_t &location)
{
    if (!serves_files(location)) {
        return {};
    }
    std::string file = copy(location.root);
    return location.alias ? file : file + copy(location.name);
}

// How clients name that file here; empty: not at all.
std::string uri_of(const ngx_http_core_loc_conf_t &location,
                   const std::string &file)
{
    std::string_view root = view(location.root);
    std::string_view name = view(location.name);
    if (!serves_files(location)) {
        return {};
    }
    if (!starts_with(file, root)) {
        // Out of `location /a { alias /b/c/; }`, "/a../d" is "/b/d".
        std::size_t above = root.find_last_of('/', root.size() - 2);
        bool leads_out = location.alias && root.size() > 2 && name.size() > 1
                         && root.back() == '/' && name.back() != '/'
                         && starts_with(file, root.substr(0, above + 1));
        return leads_out ? copy(location.name) + ".." + file.substr(above) : "";
    }
    std::string rest = file.substr(root.size());
    if (location.alias) {
        return copy(location.name) + rest;
    }
    return starts_with(rest, "/") ? rest : std::string();
}

// Whether both can serve the same: files of one folder, or something that was
// made by one kind of upstream. `stored`: where such things become files.
bool may_serve_the_same(const ngx_http_core_loc_conf_t &paid,
                        const std::string &stored,
                        const ngx_http_core_loc_conf_t &rival)
{
    if (paid.handler == nullptr) {
        return paid.alias == 0 && rival.alias == 0
               && view(paid.root) == view(rival.root);
    }
    bool serves_stored = rival.handler == nullptr && rival.alias == 0
                         && starts_with(stored, copy(rival.root) + "/");
    return paid.handler == rival.handler || serves_stored;
}

// An error page that is free below the price of a server, of a status that a
// client can bring about where it has not paid. Those of what was not found are
// about another URI. nginx: with "=" it is an ordinary request again, which is
// asked for money unless it answers that.
bool is_free_page(const ngx_http_err_page_t &page)
{
    bool error = page.overwrite == -1 || page.overwrite >= NGX_HTTP_BAD_REQUEST;
    bool unpaid = page.status < NGX_HTTP_INTERNAL_SERVER_ERROR
                      ? page.status != NGX_HTTP_NOT_FOUND && page.status != 410
                      : page.status == NGX_HTTP_SERVICE_UNAVAILABLE;
    return page.status == 402 || (error && unpaid);
}

bool is_script(std::string_view uri)
{
    constexpr std::string_view kTail = ".php";
    std::string_view path = uri.substr(0, uri.find('?'));
    return path.size() > kTail.size()
           && path.substr(path.size() - kTail.size()) == kTail;
}

}  // namespace

// Of the locations beside it that nginx prefers, one that is free and not said
// to be: nginx looks for regular expressions after it has found a prefix.
const ErrorPageCheck::Location *
ErrorPageCheck::rival_of(const Location &paid) const
{
    if (paid.core->noregex || paid.core->exact_match
        || paid.outer->has_price()) {
        return nullptr;
    }
    for (std::size_t i : servers_.at(paid.server).regexes) {
        const Location &rival = locations_[i];
        if (rival.outer == paid.outer && !rival.conf->has_price()
            && rival.conf->enabled_directive == NGX_CONF_UNSET && !rival.refuses
            && rival.rewrites.always_returns == 0
            && may_match_below(*rival.core, *paid.core)
            && may_serve_the_same(*paid.core, paid.stored, *rival.core)) {
            return &rival;
        }
    }
    return nullptr;
}

// The server that it is in, if that never comes to it.
const ErrorPageCheck::Location *
ErrorPageCheck::rewriter_of(const Location &paid) const
{
    const Server &known = servers_.at(paid.server);
    auto around = known.by_conf.find(paid.outer);
    if (around == known.by_conf.end() || paid.outer->has_price()) {
        return nullptr;
    }
    const Location &server = locations_[around->second];
    for (const WrittenRewrite &rewrite : server.rewrites.rewrites) {
        const Location *target = target_of(paid.server, rewrite.target);
        bool sold = target && target->conf->has_price();
        // A target that begins with a variable can be anything.
        if (!rewrite.target.empty() && matches(rewrite.regex, paid.core->name)
            && !sold && !starts_with(rewrite.target, view(paid.core->name))) {
            return &server;
        }
    }
    return server.rewrites.always_returns >= 200
                   && server.rewrites.always_returns < 300
               ? &server
               : nullptr;
}

// The level of the server itself, which serves what no location does.
const ErrorPageCheck::Location *
ErrorPageCheck::server_of(const Location &place) const
{
    std::size_t level = servers_.at(place.server).level;
    return level == kNone ? nullptr : &locations_[level];
}

// Those that give away the files of a folder.
std::vector<const ErrorPageCheck::Location *>
ErrorPageCheck::free_places() const
{
    std::vector<const Location *> places;
    for (const Location &place : locations_) {
        const Location *server = server_of(place);
        if (server && serves_files(*place.core) && !place.conf->has_price()
            && place.conf->enabled_directive == NGX_CONF_UNSET && !place.refuses
            && place.rewrites.always_returns == 0
            && server->rewrites.always_returns == 0) {
            places.push_back(&place);
        }
    }
    return places;
}

// A URI where the files that are sold are free, in any server; empty: none is
// seen. Regular expressions are left out.
std::string
ErrorPageCheck::free_copy_of(const std::string &sold,
                             const std::vector<const Location *> &places) const
{
    if (sold.empty()) {
        return {};
    }
    for (const Location *place : places) {
        std::string uri = uri_of(*place->core, sold);
        if (uri.empty()) {
            continue;
        }
        const Location *found = target_of(place->server, uri);
        if ((found ? found : server_of(*place)) == place) {
            return uri;
        }
    }
    return {};
}

void ErrorPageCheck::warn_of_ways_around(ngx_conf_t *cf) const
{
    std::unordered_map<std::string, std::string> copies;  // by what is sold
    const std::vector<const Location *> places = free_places();
    for (const Location &paid : locations_) {
        if (!paid.conf->enabled || !paid.conf->price_in_location
            || !can_be_passed(*paid.core)) {
            continue;
        }
        std::string name = copy(paid.core->name);
        if (const Location *rival = rival_of(paid)) {
            std::string pattern = copy(rival->core->name);
            warn_at(
                cf, *paid.conf,
                "requests below \"" + name + "\" that match \"" + pattern
                    + "\" are free: nginx gives them to that location, which "
                      "has no price; write \"location ^~ "
                    + name
                    + "\", a price there, or \"x402 off\" if it is "
                      "meant");
        }
        const std::string sold = paid.stored + file_of(*paid.core);
        auto [known, added] = copies.try_emplace(sold);
        if (added) {
            known->second = free_copy_of(sold, places);
        }
        if (const std::string &copy_at = known->second; !copy_at.empty()) {
            warn_at(cf, *paid.conf,
                    "the files of \"" + name + "\" are free at \"" + copy_at
                        + "\", of this server or another one that has the same "
                          "folder; keep what is sold in a folder of its own");
        }
        if (const Location *server = rewriter_of(paid)) {
            bool returns = server->rewrites.always_returns != 0;
            warn_at(cf, *paid.conf,
                    std::string(returns ? "\"return\"" : "\"rewrite\"")
                        + " of the server answers requests for \"" + name
                        + "\" before anything is paid; write it in a location");
        }
    }
}

// As target_of(), but scripts are found by regular expressions.
const ErrorPageCheck::Location *
ErrorPageCheck::server_of_page(const ngx_http_core_srv_conf_t *server,
                               std::string_view uri) const
{
    const Location *found = target_of(server, uri);
    bool decided = found
                   && (found->core->named || found->core->exact_match
                       || found->core->noregex);
    auto known = servers_.find(server);
    if (decided || !is_script(uri) || known == servers_.end()) {
        return found;
    }
    std::string path(uri.substr(0, uri.find('?')));
    for (std::size_t i : known->second.regexes) {
        if (takes(*locations_[i].core, to_ngx_str(path))) {
            return &locations_[i];
        }
    }
    return found;
}

// A program there sees the URI of the client, and not that of the page.
void ErrorPageCheck::warn_of_sold_pages(ngx_conf_t *cf) const
{
    std::set<std::pair<const void *, const void *>> seen;
    for (const Location &location : locations_) {
        const ngx_array_t *pages = location.core->error_pages;
        if (pages == nullptr || !location.conf->has_price()
            || !seen.emplace(location.server, pages).second) {
            continue;
        }
        auto *page = static_cast<const ngx_http_err_page_t *>(pages->elts);
        for (ngx_uint_t i = 0; i < pages->nelts; i++) {
            std::string_view uri = view(page[i].value.value);
            const Location *target =
                page[i].value.lengths || !is_free_page(page[i])
                    ? nullptr
                    : server_of_page(location.server, uri);
            if (target && target->conf->enabled
                && !target->conf->price_in_location
                && target->core->handler != nullptr
                && target->rewrites.rewrites.empty()
                && (target->core->named || is_script(uri))) {
                warn_at(cf, *target->conf,
                        "error_page " + std::to_string(page[i].status)
                            + " leads to \"" + std::string(uri)
                            + "\", which has the price of its server: error "
                              "pages are free, and it gets the URI that was "
                              "asked for, so that it can give away what is "
                              "sold; write \"x402 off\" there if it makes "
                              "nothing else than pages, or lead elsewhere");
            }
        }
    }
}

void check_rewrite(ngx_conf_t *cf, const LocationConf &conf,
                   const RewriteUse &use)
{
    warn_of_hidden_page(cf, conf, use);
    if (!use.early_variable.empty()) {
        warn_at(
            cf, conf,
            "\"set\" and \"if\" run before the payment is known, where $"
                + use.early_variable
                + " is still empty; use it in a map, in a header or in a log");
    }
    if (!conf.has_price() || !conf.price_in_location) {
        return;
    }
    if (use.returns_content) {
        warn_at(
            cf, conf,
            "content of \"return\" cannot be sold: it is made before the "
            "payment is asked for, and is answered 402; serve it from a file "
            "or an upstream");
    }
    if (use.always_returns >= NGX_HTTP_BAD_REQUEST) {
        warn_at(
            cf, conf,
            "\"return\" answers before the payment is asked for, so that "
            "nothing is sold here, and what error_page shows is free; write "
            "the price where the content is made");
    }
    if (std::any_of(
            use.rewrites.begin(), use.rewrites.end(),
            [](const WrittenRewrite &rewrite) { return rewrite.last; })) {
        warn_at(
            cf, conf,
            "\"rewrite\" leads out of this paid location before anything is "
            "paid, and the price of the other location counts; write \"break\" "
            "after it, or a price there");
    }
}

}  // namespace x402
