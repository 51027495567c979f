// SPDX-License-Identifier: Apache-2.0
// A credential of MPP as a client sends it. Without its challenge's key, no
// bytes are a payment; what is read without a key pays what it says.
#include "base/base64_codec.hpp"
#include "fuzz_check.hpp"
#include "protocol/dialect.hpp"
#include "protocol/mpp_challenge.hpp"

using namespace x402;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data,
                                      std::size_t size)
{
    std::string_view bytes = text_of(data, size);
    std::string header = "Payment " + base64url_encode(bytes);
    MppServer server;
    server.key = "a key that no input of a fuzzer can know";
    server.realm = "localhost";
    server.resource = "resource";

    must(!dialect_mpp().decode(header, nullptr, &server),
         "a challenge of another is none");
    must(!dialect_mpp().decode(bytes, nullptr, &server), "nor are other bytes");
    auto read = dialect_mpp().decode(header, nullptr);
    if (read) {
        JsonValue root = read->document.root();
        must(root["accepted"]["amount"].string()
                 == root["payload"]["authorization"]["value"].string(),
             "it pays what its challenge asks for");
        must(JsonDocument::parse(read->text).ok(), "its text is JSON");
    } else {
        must(!read.problem().text.empty(), "a refusal has words");
    }
    auto expires = mpp_expiry(bytes);
    must(!expires || *expires >= 0, "no time before the epoch");
    return 0;
}
