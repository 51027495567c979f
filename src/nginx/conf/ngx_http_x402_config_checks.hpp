// SPDX-License-Identifier: Apache-2.0
// Checks of a configuration beyond one directive: each group below is a source
// of this folder. They are made when the configuration is read, because at run
// time a mistake shows as content that is given away, or as clients that cannot
// pay.
#ifndef NGX_HTTP_X402_CONFIG_CHECKS_HPP
#define NGX_HTTP_X402_CONFIG_CHECKS_HPP

#include <string_view>
#include <unordered_map>
#include <vector>

#include "nginx/conf/ngx_http_x402_hidden_location.hpp"
#include "nginx/conf/ngx_http_x402_rewrite_phase.hpp"
#include "nginx/core/ngx_http_x402_boundary.hpp"

namespace x402 {

// location_check: probable mistakes in a paid location.

// From merge, for a paid location with its offer and its facilitators; prints
// warnings. `new_offer`: the offer was not inherited, so that its mistakes were
// not reported before. False: an error was printed.
bool check_location(ngx_conf_t *cf, const LocationConf &conf, bool new_offer);

// An x402_charge of the location itself. False: an error was printed.
bool check_charge(ngx_conf_t *cf, const LocationConf &conf,
                  const LocationConf &outer);

// unused_check: settings that would silently have no effect, or fail with a
// message of nginx that names no line.

// From merge, for a location with a price.
void mark_settings_used(const LocationConf &conf);

// When all of the configuration was read: warns, and gives zones their size.
void report_unused_settings(ngx_conf_t *cf, const MainConf &mcf);

// From merge: a price of the level of a page of the module, which is free.
void warn_of_page_price(ngx_conf_t *cf, const LocationConf &conf,
                        bool price_written);

// From merge: a page of the module that no request sees, or that hides what
// else the location has.
void warn_of_hidden_page(ngx_conf_t *cf, const LocationConf &conf,
                         const RewriteUse &rewrites);

// An error_page that leads into a location with a price of its own is never
// shown there. Merge adds every location; lives as long as the main conf.
class ErrorPageCheck {
public:
    // The location being merged: cf->ctx is its context.
    void note(ngx_conf_t *cf, const LocationConf &conf,
              const LocationConf &outer, const RewriteUse &rewrites);
    // After all of them were merged.
    void warn(ngx_conf_t *cf) const;
    // Servers that sell, but not what no location takes.
    void warn_of_refused_paths(ngx_conf_t *cf) const;
    // way_around_check: requests for a paid location that nginx gives to
    // another one, which has no price.
    void warn_of_ways_around(ngx_conf_t *cf) const;
    // The same source: error pages, which are free, that make what is sold.
    void warn_of_sold_pages(ngx_conf_t *cf) const;
    // admission_check: what lets every client in where it should pay.
    void warn_of_admission(ngx_conf_t *cf) const;

private:
    struct Location {
        const ngx_http_core_srv_conf_t *server;
        const ngx_http_core_loc_conf_t *core;
        const LocationConf *conf;
        const LocationConf *outer;
        RewriteUse rewrites;
        bool refuses;  // without a price: it answers no stranger with content
        bool checks;   // who a client is: by a password, or by a subrequest
        bool takes_any_certificate;  // also what a client has signed itself
        Admitted admitted;           // without a payment
        // Gives the upstream another method than the client's; empty: none.
        std::string_view method_setter;
        std::string stored;  // the file that an answer becomes; empty: none
    };

    const Location *target_of(const ngx_http_core_srv_conf_t *server,
                              std::string_view uri) const;
    const Location *server_of_page(const ngx_http_core_srv_conf_t *server,
                                   std::string_view uri) const;
    bool is_reached(const Location &place) const;
    const Location *rival_of(const Location &paid) const;
    const Location *rewriter_of(const Location &paid) const;
    // What is known of the locations of a server, by their index: the names as
    // nginx looks for them, the first of each, because there may be thousands.
    struct Server {
        std::unordered_map<std::string_view, std::size_t> exact;  // or named
        std::unordered_map<std::string_view, std::size_t> prefixes;
        std::vector<std::size_t> regexes;
        std::unordered_map<const LocationConf *, std::size_t> by_conf;
        std::size_t level = kNone;
    };
    static constexpr std::size_t kNone = ~std::size_t{0};

    void add_name(Server &server, std::size_t index);

    const Location *server_of(const Location &place) const;
    std::vector<const Location *> free_places() const;
    std::string free_copy_of(const std::string &sold,
                             const std::vector<const Location *> &places) const;

    std::vector<Location> locations_;
    std::unordered_map<const void *, Server> servers_;
};

// way_around_check also, from merge, for every location: variables that are
// used where they are still empty, and content or redirects of the rewrite
// phase in a paid location.
void check_rewrite(ngx_conf_t *cf, const LocationConf &conf,
                   const RewriteUse &use);

// variable_check: variables that some configured value has, and that are
// always empty.

// When all locations were merged, as the next ones. False: an error was
// printed.
bool check_member_names(ngx_conf_t *cf);

// limit_req_zone and limit_conn_zone with variables that are not known yet.
void check_limit_zones(ngx_conf_t *cf);

void check_body_variables(ngx_conf_t *cf, const MainConf &mcf);

// The members of answers that some configured value asks for, without
// "x402_reply_"; nginx: names of variables are in lower case.
void collect_reply_fields(ngx_conf_t *cf, MainConf &mcf);

// own_names_check: the names by which clients know a server, for what the
// server signs or has signed: a client must not choose them.

// From merge: into conf.server_names. False: no memory.
bool record_own_names(ngx_conf_t *cf, LocationConf &conf);

// From merge, for a paid location: a location that signs its offers knows the
// names that it may sign for. False: an error was printed, or memory
// ran out.
bool check_signed_names(ngx_conf_t *cf, LocationConf &conf);

// returning_check: whether clients of a location can come back (x402_pass,
// x402_sign_in), and how that is inherited.

// From merge, after prices and x402_charge. Afterwards "off" is nullptr.
void merge_returning(ngx_conf_t *cf, LocationConf &conf,
                     const LocationConf &outer);

// From merge, after that: whether "x402_sign_in only" may be here. False: an
// error was printed.
bool check_signature_alone(ngx_conf_t *cf, const LocationConf &conf,
                           bool price_written);

// From merge, for a paid location with its offer. False: an error was printed,
// or memory ran out.
bool check_returning(ngx_conf_t *cf, LocationConf &conf);

// journal_check: payments that no chain protects from being used twice: only
// the zone does, and without a journal it forgets them when nginx ends.

// At merge, for each location that is sold. False: it sells with "x402_settle
// off" where even the zone cannot protect, or with an x402_verify that leaves
// nothing to vouch for a payment, and an error was printed.
bool record_only_guard(ngx_conf_t *cf, MainConf &mcf, const LocationConf &conf);

// At the end of the configuration: warns if there is no journal.
void check_journal_kept(ngx_conf_t *cf, const MainConf &mcf);

// directives_store: what may be sold from several machines that share a store.

// Once the whole configuration was read. False: an error was printed.
bool check_store(ngx_conf_t *cf, MainConf &mcf);

}  // namespace x402

#endif
