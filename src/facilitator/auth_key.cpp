// SPDX-License-Identifier: Apache-2.0
#include "facilitator/auth_key.hpp"

#include <algorithm>

#include "base/base64_codec.hpp"
#include "base/header_syntax.hpp"
#include "base/json_document.hpp"
#include "base/text_prefix.hpp"

namespace x402 {

namespace {

constexpr std::string_view kBlanks = " \t\r\n";

constexpr std::size_t kSeedBytes = 32;
constexpr std::size_t kLongestId = 512;
constexpr std::size_t kLongestToken = 8192;
constexpr std::string_view kPemBegin = "-----BEGIN ";
constexpr std::string_view kPemEnd = "-----END ";
constexpr std::string_view kPayaiPrefix = "payai_sk_";
// The bytes before the seed in the PKCS#8 DER of every Ed25519 key.
constexpr std::string_view kEd25519Pkcs8(
    "\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20", 16);

constexpr char kTwoParts[] =
    "write two lines, \"id = ...\" and \"secret = ...\"";
constexpr char kCdpSecret[] =
    "the secret of a CDP key is 64 bytes in base64 (Ed25519) or a PEM block "
    "with an EC P-256 private key";
constexpr char kPayaiSecret[] =
    "the secret of a PayAI key is an Ed25519 private key as PKCS#8 DER in "
    "base64, 48 bytes, with or without \"payai_sk_\" in front";

struct Parts {
    SecretText id;  // may contain a secret if the file is wrong
    SecretText secret;
};

bool is_visible(std::string_view text)
{
    for (char byte : text) {
        if (byte <= 0x20 || byte >= 0x7f) {
            return false;
        }
    }
    return !text.empty();
}

// The lines of a text in order, without their line breaks.
class Lines {
public:
    explicit Lines(std::string_view text) : rest_(text) {}

    bool next(std::string_view &line)
    {
        if (rest_.empty()) {
            return false;
        }
        number++;
        std::size_t end = rest_.find('\n');
        line = trimmed(rest_.substr(0, end), kBlanks);
        rest_.remove_prefix(end == std::string_view::npos ? rest_.size()
                                                          : end + 1);
        return true;
    }

    unsigned number = 0;

private:
    std::string_view rest_;
};

Problem problem_at(unsigned line, const std::string &what)
{
    return Problem{"line " + std::to_string(line) + " " + what + "; "
                   + kTwoParts};
}

// A PEM block may begin in the next line and continues to its last one; any
// other value is the rest of this line.
void read_secret(std::string_view value, Lines &lines, SecretText &out)
{
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
        value = value.substr(1, value.size() - 2);
    }
    std::string_view line;
    if (value.empty() && lines.next(line)) {
        value = line;
    }
    out.append(value);
    if (!starts_with(value, kPemBegin)) {
        return;
    }
    while (out.view().find(kPemEnd) == std::string_view::npos
           && lines.next(line)) {
        out.append("\n");
        out.append(line);
    }
}

// nullopt: `parts` were read; otherwise the reason why not.
std::optional<Problem> read_lines(std::string_view file, Parts &parts)
{
    Lines lines(file);
    std::string_view line;
    bool seen_id = false;
    bool seen_secret = false;
    while (lines.next(line)) {
        if (line.empty() || line.front() == '#') {
            continue;
        }
        std::size_t equals = line.find('=');
        if (equals == std::string_view::npos) {
            return problem_at(lines.number, "is not \"name = value\"");
        }
        std::string_view name = trimmed(line.substr(0, equals), kBlanks);
        std::string_view value = trimmed(line.substr(equals + 1), kBlanks);
        bool is_id = name == "id";
        if (!is_id && name != "secret") {
            return problem_at(lines.number, "is neither id nor secret");
        }
        bool &seen = is_id ? seen_id : seen_secret;
        if (seen) {
            return problem_at(lines.number, "appears twice");
        }
        seen = true;
        if (is_id) {
            parts.id.append(value);
        } else {
            read_secret(value, lines, parts.secret);
        }
    }
    if (!seen_id || !seen_secret) {
        return Problem{std::string(seen_id ? "the secret" : "the id")
                       + " is missing; " + kTwoParts};
    }
    return std::nullopt;
}

// The file of the CDP portal without the values of "privateKey", of which the
// last one is `secret`: what reads JSON keeps copies of it.
std::string without_secret(std::string_view file, SecretText &secret)
{
    std::string out;
    std::string_view name;
    bool is_value = false;  // of the member `name`
    while (!file.empty()) {
        std::size_t begin = file.find('"');
        std::string_view between = file.substr(0, begin);
        is_value = trimmed(between, kBlanks) == ":";
        out += between;
        if (begin == std::string_view::npos) {
            break;
        }
        file.remove_prefix(begin + 1);
        std::size_t end = 0;
        while (end < file.size() && file[end] != '"') {
            end += file[end] == '\\' ? 2 : 1;
        }
        std::string_view text = file.substr(0, end);
        file.remove_prefix(std::min(end + 1, file.size()));
        bool hidden = is_value && name == "privateKey";
        if (hidden) {
            secret.clear();
            secret.append(text);
        }
        out += '"';
        out += hidden ? std::string_view() : text;
        out += '"';
        name = text;
    }
    return out;
}

// As it is written in JSON; read_pem() knows "\n". False: another escape.
bool unescape_slashes(SecretText &text)
{
    std::string_view from = text.view();
    char *to = text.data();
    for (std::size_t i = 0; i < from.size(); i++) {
        bool escaped = from[i] == '\\' && i + 1 < from.size();
        if (escaped && from[i + 1] != '/' && from[i + 1] != 'n') {
            return false;
        }
        i += escaped && from[i + 1] == '/';
        *to++ = from[i];
    }
    text.resize(static_cast<std::size_t>(to - text.data()));
    return true;
}

std::optional<Problem> read_json(std::string_view file, Parts &parts)
{
    auto document = JsonDocument::parse(without_secret(file, parts.secret));
    if (!document || !unescape_slashes(parts.secret)) {
        // Without the reason: the parser's message may contain a part of the
        // text.
        return Problem{"the file begins like JSON but is not valid JSON"};
    }
    JsonValue root = document->root();
    JsonValue id = root["id"].is_string() ? root["id"] : root["name"];
    if (!id.is_string() || !root["privateKey"].is_string()) {
        return Problem{"the JSON needs the members \"id\" (or \"name\") and "
                       "\"privateKey\""};
    }
    parts.id.append(id.string());
    return std::nullopt;
}

// With or without padding, in either alphabet.
bool decode(std::string_view text, SecretText &out)
{
    SecretText standard(text);
    for (std::size_t i = 0; i < standard.size(); i++) {
        char &byte = standard.data()[i];
        byte = byte == '-' ? '+' : byte == '_' ? '/' : byte;
    }
    return base64_decode(standard.view(), out);
}

Result<SigningKey> read_pem(std::string_view secret)
{
    SecretText pem;
    for (std::size_t at; (at = secret.find("\\n")) != std::string_view::npos;) {
        pem.append(secret.substr(0, at));
        pem.append("\n");
        secret.remove_prefix(at + 2);
    }
    pem.append(secret);
    pem.append("\n");
    auto key = SigningKey::from_p256_pem(pem.view());
    if (!key) {
        return Problem{key.problem().text + "; " + kCdpSecret};
    }
    return key;
}

Result<SigningKey> read_cdp_secret(std::string_view secret)
{
    if (starts_with(secret, kPemBegin)) {
        return read_pem(secret);
    }
    SecretText bytes;
    if (!decode(secret, bytes)) {
        return Problem{std::string("the secret is neither base64 nor PEM; ")
                       + kCdpSecret};
    }
    if (bytes.size() != 2 * kSeedBytes) {
        return Problem{"the secret has " + std::to_string(bytes.size())
                       + " bytes; " + kCdpSecret};
    }
    std::string_view view = bytes.view();
    auto key = SigningKey::from_ed25519_seed(view.substr(0, kSeedBytes));
    if (key && key->public_bytes() != view.substr(kSeedBytes)) {
        return Problem{"the two halves of the secret, private and public, do "
                       "not belong together; copy it again"};
    }
    return key;
}

Result<SigningKey> read_payai_secret(std::string_view secret)
{
    if (starts_with(secret, kPayaiPrefix)) {
        secret.remove_prefix(kPayaiPrefix.size());
    }
    SecretText bytes;
    bool fits = decode(secret, bytes)
                && bytes.size() == kEd25519Pkcs8.size() + kSeedBytes
                && starts_with(bytes.view(), kEd25519Pkcs8);
    if (!fits) {
        return Problem{kPayaiSecret};
    }
    return SigningKey::from_ed25519_seed(
        bytes.view().substr(kEd25519Pkcs8.size()));
}

Result<AuthKey> read_bearer(std::string_view file)
{
    std::string_view token = trimmed(file, kBlanks);
    if (!is_visible(token) || token.size() > kLongestToken) {
        return Problem{"a bearer token is one line of visible characters; "
                       "write it alone, without \"Bearer\" in front"};
    }
    AuthKey out;
    out.kind = AuthKind::bearer;
    out.token = std::make_shared<SecretText>(token);
    return out;
}

}  // namespace

std::optional<AuthKind> auth_kind(std::string_view name)
{
    if (name == "bearer") {
        return AuthKind::bearer;
    }
    if (name == "cdp") {
        return AuthKind::cdp;
    }
    if (name == "payai") {
        return AuthKind::payai;
    }
    return std::nullopt;
}

Result<AuthKey> read_auth_key(AuthKind kind, std::string_view file)
{
    if (kind == AuthKind::bearer) {
        return read_bearer(file);
    }
    Parts parts;
    bool json =
        kind == AuthKind::cdp && starts_with(trimmed(file, kBlanks), "{");
    auto problem = json ? read_json(file, parts) : read_lines(file, parts);
    if (problem) {
        return *problem;
    }
    if (!is_visible(parts.id.view()) || parts.id.size() > kLongestId) {
        return Problem{std::string("the id is one word of visible characters; ")
                       + kTwoParts};
    }
    std::string_view secret = trimmed(parts.secret.view(), kBlanks);
    auto key = kind == AuthKind::cdp ? read_cdp_secret(secret)
                                     : read_payai_secret(secret);
    if (!key) {
        return key.problem();
    }
    AuthKey out;
    out.kind = kind;
    out.id = parts.id.view();
    out.key = key.value();
    return out;
}

}  // namespace x402
