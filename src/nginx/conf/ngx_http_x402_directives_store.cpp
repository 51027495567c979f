// SPDX-License-Identifier: Apache-2.0
// x402_store: the memory that several machines share.
#include "nginx/call/redis/ngx_http_x402_store_conf.hpp"
#include "nginx/conf/ngx_http_x402_config_checks.hpp"
#include "nginx/conf/ngx_http_x402_config_file.hpp"
#include "nginx/conf/ngx_http_x402_directive_words.hpp"
#include "nginx/core/ngx_http_x402_directive.hpp"
#include "nginx/core/ngx_http_x402_log.hpp"
#include "store/store_claim.hpp"

namespace x402 {

namespace {

constexpr std::size_t kLongestPassword = 4096;
constexpr std::int64_t kLeastLease = 3000;
constexpr std::int64_t kMostLease = 600 * 1000;
constexpr ngx_msec_t kMostTimeout = 60 * 1000;
constexpr ngx_int_t kMostReplicas = 16;

bool is_prefix(std::string_view prefix)
{
    return !prefix.empty() && prefix.size() <= kMaxStorePrefix
           && prefix.find_first_not_of(
                  "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                  "0123456789._-:")
                  == std::string_view::npos;
}

// A time of `least` to `most`, ms.
bool read_time(std::string_view text, std::int64_t least, std::int64_t most,
               std::int64_t &time)
{
    ngx_str_t word = to_ngx_str(text);
    ngx_int_t read = ngx_parse_time(&word, 0);
    time = read;
    return read != NGX_ERROR && time >= least && time <= most;
}

WordRead reported(ngx_conf_t *cf, const std::string &error)
{
    conf_error(cf, error);
    return WordRead::reported;
}

WordRead read_password(ngx_conf_t *cf, std::string_view path,
                       SecretText &password)
{
    ngx_str_t file = to_ngx_str(path);
    if (path.empty()) {
        return WordRead::bad;
    }
    if (read_secret_file(cf, file, kLongestPassword, password) != NGX_CONF_OK) {
        return WordRead::reported;
    }
    std::string_view text = password.view();
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) {
        text.remove_suffix(1);
    }
    password.resize(text.size());
    if (text.empty() || text.find('\n') != std::string_view::npos) {
        config_file_error(cf, file, 0,
                          "has to be one line, the password of the store");
        return WordRead::reported;
    }
    return WordRead::good;
}

WordRead read_certificate(ngx_conf_t *cf, std::string_view value,
                          StoreConf &store)
{
    if (value.empty()) {
        return WordRead::bad;
    }
    ngx_str_t file = pool_copy(cf->pool, value);
    if (file.data == nullptr
        || ngx_conf_full_name(cf->cycle, &file, 1) != NGX_OK) {
        return WordRead::reported;
    }
    store.trusted_certificate = copy(file);
    return WordRead::good;
}

WordRead read_cluster(ngx_conf_t *cf, std::string_view rest, StoreConf &store)
{
    if (store.url.topology == StoreTopology::sentinel) {
        return reported(cf, "a cluster has no sentinels; write "
                            "redis://host:port cluster, with a node of it");
    }
    store.url.topology = StoreTopology::cluster;
    return read_if(rest.empty());
}

WordRead read_replicas(ngx_conf_t *cf, std::string_view value, StoreConf &store)
{
    ngx_int_t count =
        ngx_atoi(reinterpret_cast<u_char *>(const_cast<char *>(value.data())),
                 value.size());
    if (count < 1 || count > kMostReplicas) {
        return reported(cf, "replicas is the number of replicas that must "
                            "acknowledge a payment, 1 to 16; write "
                            "replicas=1, or nothing if the store has none");
    }
    store.replicas = static_cast<unsigned>(count);
    return WordRead::good;
}

WordRead read_timeout(ngx_conf_t *cf, std::string_view value, StoreConf &store)
{
    std::int64_t time;
    if (!read_time(value, 1, kMostTimeout, time)) {
        return reported(cf, "timeout is the longest wait for an answer of the "
                            "store; write timeout=200ms");
    }
    store.timeout = static_cast<ngx_msec_t>(time);
    return WordRead::good;
}

WordRead read_lease(ngx_conf_t *cf, std::string_view value, StoreConf &store)
{
    return read_time(value, kLeastLease, kMostLease, store.lease)
               ? WordRead::good
               : reported(cf, "lease is how long a machine may be unreachable "
                              "before others take over its payments, 3s to "
                              "10m; write lease=90s");
}

WordRead read_prefix(ngx_conf_t *cf, std::string_view value, StoreConf &store)
{
    if (!is_prefix(value)) {
        return reported(cf, "prefix begins the names of all keys, with "
                            "letters, digits and \"._-:\", at most 64; write "
                            "prefix=x402");
    }
    store.prefix = std::string(value);
    return WordRead::good;
}

bool read_parameters(ngx_conf_t *cf, StoreConf &store)
{
    using Read = WordRead (*)(ngx_conf_t *, std::string_view, StoreConf &);
    auto with = [&](Read read) {
        return [&, read](std::string_view value) {
            return read(cf, value, store);
        };
    };
    auto secret = [&](StoreLogin &login) {
        return [&](std::string_view value) {
            return read_password(cf, value, login.password);
        };
    };
    std::string_view sentinel_user;
    bool read = read_words(
        cf, 2,
        {{"cluster", with(read_cluster)},
         {"replicas=", with(read_replicas)},
         {"timeout=", with(read_timeout)},
         {"lease=", with(read_lease)},
         {"prefix=", with(read_prefix)},
         {"password=", secret(store.login)},
         {"sentinel_user=", kept_in(sentinel_user)},
         {"sentinel_password=", secret(store.sentinel_login)},
         {"ssl_trusted_certificate=", with(read_certificate)}},
        "cluster, replicas=number, timeout=time, lease=time, prefix=name, "
        "password=file, sentinel_user=name, sentinel_password=file or "
        "ssl_trusted_certificate=file");
    store.sentinel_login.user = std::string(sentinel_user);
    return read;
}

// What fits together, once all words are read. Empty: everything does.
std::string problem_of(const StoreConf &store)
{
    const StoreUrl &url = store.url;
    bool cluster = url.topology == StoreTopology::cluster;
    const StoreLogin &sentinels = store.sentinel_login;
    if (!url.user.empty() && store.login.password.empty()) {
        return "a user of the store needs a password; write password=file";
    }
    if (url.topology == StoreTopology::single && url.places.size() > 1) {
        return "several hosts are nodes of a cluster, or sentinels; add "
               "\"cluster\", or write sentinel://host:26379,.../name";
    }
    if (cluster && url.database != 0) {
        return "a cluster has database 0 alone; leave the number out";
    }
    if (url.topology != StoreTopology::sentinel
        && !(sentinels.user.empty() && sentinels.password.empty())) {
        return "sentinel_user and sentinel_password are for sentinels; write "
               "sentinel://host:26379/name, or password=file for the store "
               "itself";
    }
    if (!sentinels.user.empty() && sentinels.password.empty()) {
        return "a user of the sentinels needs a password; write "
               "sentinel_password=file";
    }
    return {};
}

char *prepare_tls(ngx_conf_t *cf, StoreConf &store)
{
    if (!store.url.secure) {
        return store.trusted_certificate.empty()
                   ? NGX_CONF_OK
                   : conf_error(cf, "ssl_trusted_certificate is for a store "
                                    "with TLS; write rediss:// or "
                                    "sentinels://");
    }
    if (!kHasTls) {
        return conf_error(cf, "this nginx has no TLS for the store; build it "
                              "with --with-http_ssl_module");
    }
    store.tls = pool_new<TlsContext>(cf->pool);
    if (store.tls == nullptr
        || !store.tls->prepare(store.trusted_certificate, cf->log, false)) {
        return conf_error(cf, "no certificates can be read from \""
                                  + store.trusted_certificate
                                  + "\"; write ssl_trusted_certificate=file "
                                    "with the path of a PEM file");
    }
    return NGX_CONF_OK;
}

char *set_store(ngx_conf_t *cf, void *)
{
    MainConf *mcf = main_conf(cf);
    if (mcf->store_written) {
        return const_cast<char *>("is duplicate");
    }
    mcf->store_written = true;
    const ngx_str_t *words = arguments(cf);
    std::string_view address = view(words[1]);
    if (address == "off") {
        return cf->args->nelts == 2
                   ? NGX_CONF_OK
                   : conf_error(cf, "\"x402_store off\" has no parameters");
    }
    std::string error = validate_variable("x402_store", address);
    if (!error.empty()) {
        return conf_error(cf, error);
    }
    auto url = parse_store_url(address);
    if (!url) {
        return conf_error(cf, url.problem().text);
    }
    auto *store = pool_new<StoreConf>(cf->pool);
    if (store == nullptr) {
        return static_cast<char *>(NGX_CONF_ERROR);
    }
    store->url = std::move(url.value());
    record_origin(cf, store->origin);
    if (!read_parameters(cf, *store)) {
        return static_cast<char *>(NGX_CONF_ERROR);
    }
    store->login.user = store->url.user;
    error = problem_of(*store);
    if (!error.empty()) {
        return conf_error(cf, error);
    }
    for (const StorePlace &place : store->url.places) {
        store->addresses.emplace_back();
        if (place.host_is_address) {
            store->addresses.back().push_back(place.host);
        }
    }
    mcf->store = store;
    return prepare_tls(cf, *store);
}

}  // namespace

// Money: a store that may lose what it acknowledged is enough where a chain
// keeps a payment from being used twice, and only there.
bool check_store(ngx_conf_t *cf, MainConf &mcf)
{
    StoreConf *store = mcf.store;
    if (store == nullptr) {
        return true;
    }
    auto *clcf = static_cast<ngx_http_core_loc_conf_t *>(
        ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module));
    if (clcf->resolver && clcf->resolver->connections.nelts) {
        store->resolver = clcf->resolver;
    }
    if (mcf.only_guard_of == nullptr) {
        return true;
    }
    log_conf(cf, NGX_LOG_EMERG,
             std::string("with ") + mcf.only_guard_of
                 + " nothing but the record of a payment prevents its second "
                   "use, and the store of x402_store may lose records that it "
                   "has acknowledged; sell this from a single machine, without "
                   "x402_store, or use \"x402_settle after\" on another "
                   "network",
             mcf.only_guard_at);
    return false;
}

}  // namespace x402

using namespace x402;

char *ngx_http_x402_set_store(ngx_conf_t *cf, ngx_command_t *, void *conf)
{
    return config_guarded(cf, set_store, conf);
}
