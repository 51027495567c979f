// SPDX-License-Identifier: Apache-2.0
#include "store/store_scripts.hpp"

#include <array>
#include <string_view>

#include "base/hex_codec.hpp"
#include "base/sha1_digest.hpp"
#include "store/store_lua.hpp"

namespace x402 {

namespace {

constexpr std::array<const char *, kStoreScripts> kNames = {
    "take",     "settling", "paid", "finish",    "resume", "takeover", "renew",
    "unproven", "name",     "due",  "supported", "pass",   "nonce",    "bought",
};

const char *lua_of(std::string_view name)
{
    for (unsigned i = 0; i < kStoreLuaCount; i++) {
        if (name == kStoreLua[i].name) {
            return kStoreLua[i].text;
        }
    }
    return "";
}

struct Texts {
    std::array<std::string, kStoreScripts> text;
    std::array<std::string, kStoreScripts> sha1;
};

// A full store refuses scripts that do not say allow-oom: new payments and
// signatures, of which there may be any number, and nothing else.
Texts all_texts()
{
    Texts texts;
    for (unsigned i = 0; i < kStoreScripts; i++) {
        auto script = static_cast<StoreScript>(i);
        bool begins =
            script == StoreScript::take || script == StoreScript::nonce;
        std::string &text = texts.text[i];
        text = begins ? "#!lua\n" : "#!lua flags=allow-oom\n";
        text += lua_of("common");
        text += lua_of(kNames[i]);
        auto digest = sha1(text);
        texts.sha1[i] = hex_encode(digest.data(), digest.size());
    }
    return texts;
}

const Texts &texts()
{
    static const Texts made = all_texts();
    return made;
}

}  // namespace

const char *store_script_name(StoreScript script)
{
    return kNames[static_cast<unsigned>(script)];
}

const std::string &store_script_text(StoreScript script)
{
    return texts().text[static_cast<unsigned>(script)];
}

const std::string &store_script_sha1(StoreScript script)
{
    return texts().sha1[static_cast<unsigned>(script)];
}

}  // namespace x402
