// SPDX-License-Identifier: Apache-2.0
// x402_sign_offers of a location, and the documents by which clients find the
// public keys (x402_did_document).
#ifndef NGX_HTTP_X402_SIGNING_HPP
#define NGX_HTTP_X402_SIGNING_HPP

#include "nginx/core/ngx_http_x402_boundary.hpp"
#include "protocol/did_document.hpp"
#include "protocol/signed_offer.hpp"

namespace x402 {

struct Signing {
    // nullopt: `off`. Its kid is empty until the name of the server is known.
    std::optional<OfferSigner> signer;
    ConfOrigin origin{};
};

struct DidDocument {
    std::string did;                 // empty: of the server's name
    std::vector<PublishedKey> keys;  // written beside it; ids are fragments
    ConfOrigin origin{};
    std::string text;  // made by build_did_documents()
};

// All keys and documents of a configuration.
struct PublishedKeys {
    std::vector<PublishedKey> keys;  // that sign
    std::vector<DidDocument *> documents;
};

// nullptr: this location signs nothing.
inline const OfferSigner *signer_of(const LocationConf &conf)
{
    return conf.signing && conf.signing->signer ? &*conf.signing->signer
                                                : nullptr;
}

// The extensions of an offer without a request, signed for this URL, to measure
// it.
std::string measured_extensions(const LocationConf &conf, std::string_view url,
                                const PaymentOffer &offer);

// By merge, after `conf` got what it inherits. False: an error was printed, or
// memory ran out.
bool merge_signing(ngx_conf_t *cf, LocationConf &conf,
                   const LocationConf &outer);

// When all of the configuration was read. False: an error was printed.
bool build_did_documents(ngx_conf_t *cf, const MainConf &mcf);

}  // namespace x402

#endif
