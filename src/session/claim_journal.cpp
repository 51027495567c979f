// SPDX-License-Identifier: Apache-2.0
// Records as they are written and as they are read. It is longer than other
// files because one is checked against the other with both in sight.
#include "session/claim_journal.hpp"

#include <algorithm>
#include <cstring>

namespace x402 {

namespace {

// Its last byte is raised with every change of the records below.
constexpr char kMarkBytes[] = {'\xff', 'x', '4', '0', '2', '\0', '\xfe', 1};
constexpr std::string_view kMark(kMarkBytes, sizeof(kMarkBytes));
constexpr std::size_t kCheckBytes = 8;
constexpr std::size_t kFrame = sizeof(kMarkBytes) + 4 + 4 + kCheckBytes;
constexpr std::size_t kLongest = 64 * 1024;

char *number_into(char *out, std::uint64_t number, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++) {
        *out++ = static_cast<char>((number >> (8 * i)) & 0xff);
    }
    return out;
}

void put_number(std::string &out, std::uint64_t number, unsigned bytes)
{
    char text[8];
    number_into(text, number, bytes);
    out.append(text, bytes);
}

void put_digest(std::string &out, const Digest &digest)
{
    out.append(reinterpret_cast<const char *>(digest.data()), digest.size());
}

void put_text(std::string &out, std::string_view text)
{
    put_number(out, text.size(), 4);
    out.append(text);
}

// Takes from the front; after the first thing that is not there all is empty.
class Parts {
public:
    explicit Parts(std::string_view bytes) : rest_(bytes) {}

    std::uint64_t number(unsigned bytes)
    {
        std::string_view part = take(bytes);
        std::uint64_t value = 0;
        for (std::size_t i = part.size(); i-- > 0;) {
            value = value << 8 | static_cast<unsigned char>(part[i]);
        }
        return value;
    }

    std::int64_t moment() { return static_cast<std::int64_t>(number(8)); }

    Digest digest()
    {
        Digest digest{};
        std::string_view part = take(digest.size());
        if (!part.empty()) {
            std::memcpy(digest.data(), part.data(), part.size());
        }
        return digest;
    }

    std::string text() { return std::string(take(number(4))); }

    bool complete() const { return good_ && rest_.empty(); }

private:
    std::string_view take(std::size_t count)
    {
        if (!good_ || count > rest_.size()) {
            good_ = false;
            return {};
        }
        std::string_view part = rest_.substr(0, count);
        rest_.remove_prefix(count);
        return part;
    }

    std::string_view rest_;
    bool good_ = true;
};

// Of a claim with its key, and without its texts.
constexpr std::size_t kClaimBytes = 4 + 1 + 1 + 4 * 8 + 8 * 32 + 5 * 4;

std::size_t claim_size(const JournalRecord &record)
{
    return kClaimBytes + record.receipt.size() + record.network.size()
           + record.payer_text.size() + record.asset.size();
}

char *bytes_into(char *out, const void *bytes, std::size_t size)
{
    if (size > 0) {
        std::memcpy(out, bytes, size);
    }
    return out + size;
}

// In one piece: a store gets one with each step of a payment.
void put_claim(std::string &out, JournalKind kind, const JournalRecord &record,
               std::string_view settle)
{
    std::size_t begin = out.size();
    out.resize(begin + claim_size(record) + settle.size());
    char *to = &out[begin];
    to = number_into(to, record.state, 4);
    to = number_into(to, record.flags, 1);
    to = number_into(to, record.executions, 1);
    for (std::int64_t moment :
         {record.expires, record.changed, record.settle_started}) {
        to = number_into(to, static_cast<std::uint64_t>(moment), 8);
    }
    to = number_into(to, record.facilitator, 8);
    for (const Digest *digest :
         {&record.binding.resource, &record.redeliver_key, &record.payer,
          &record.settle_digest, &record.binding.terms,
          &record.binding.asked}) {
        to = bytes_into(to, digest->data(), digest->size());
    }
    if (kind == JournalKind::bound_claim) {
        const Digest &paid = record.binding.paid;
        to = bytes_into(to, paid.data(), paid.size());
    }
    for (std::string_view text :
         {std::string_view(record.receipt), std::string_view(record.network),
          std::string_view(record.payer_text), std::string_view(record.asset),
          settle}) {
        to = number_into(to, text.size(), 4);
        to = bytes_into(to, text.data(), text.size());
    }
    out.resize(static_cast<std::size_t>(to - out.data()));
}

void take_claim(Parts &parts, JournalRecord &record)
{
    record.state = static_cast<std::uint32_t>(parts.number(4));
    record.flags = static_cast<std::uint8_t>(parts.number(1));
    record.executions = static_cast<std::uint8_t>(parts.number(1));
    record.expires = parts.moment();
    record.changed = parts.moment();
    record.settle_started = parts.moment();
    record.facilitator = parts.number(8);
    for (Digest *digest : {&record.binding.resource, &record.redeliver_key,
                           &record.payer, &record.settle_digest,
                           &record.binding.terms, &record.binding.asked}) {
        *digest = parts.digest();
    }
    // Money: an older record says nothing of server, receiver and scheme. Its
    // digests are of other things and meet none of today's, so that such a
    // claim keeps its payment from being used and answers no request.
    record.binding.paid = record.kind == JournalKind::bound_claim
                              ? parts.digest()
                              : record.binding.asked;
    for (std::string *text :
         {&record.receipt, &record.network, &record.payer_text, &record.asset,
          &record.settle}) {
        *text = parts.text();
    }
}

void put_used(std::string &out, const JournalRecord &record)
{
    put_number(out, static_cast<std::uint64_t>(record.expires), 8);
    put_number(out, record.used.sheet, 4);
    for (std::uint64_t number :
         {record.used.words, record.used.first, record.used.count}) {
        put_number(out, number, 8);
    }
    put_text(out, record.used.bits);
}

void take_used(Parts &parts, JournalRecord &record)
{
    record.expires = parts.moment();
    record.used.sheet = static_cast<std::uint32_t>(parts.number(4));
    for (std::uint64_t *number :
         {&record.used.words, &record.used.first, &record.used.count}) {
        *number = parts.number(8);
    }
    record.used.bits = parts.text();
}

// What the key of a record `begin` or `complete` holds; a record `whole` has
// its size in the place of the edition.
constexpr std::size_t kEditionAt = 0;
constexpr std::size_t kSizeAt = 0;
constexpr std::size_t kFromAt = 8;
constexpr std::size_t kEndCheckAt = 16;
constexpr std::size_t kEndCheckBytes = 16;

void put_number(Digest &key, std::size_t at, std::uint64_t number)
{
    for (unsigned i = 0; i < 8; i++) {
        key[at + i] = static_cast<std::uint8_t>(number >> (8 * i));
    }
}

std::uint64_t number_in(const Digest &key, std::size_t at)
{
    std::uint64_t number = 0;
    for (unsigned i = 8; i-- > 0;) {
        number = number << 8 | key[at + i];
    }
    return number;
}

// Whether what a record `complete` says of the bytes in front of it is true.
// One without a check was written to a file that had no other name yet.
bool is_true_end(const Digest &key, std::string_view in_front)
{
    auto check = key.begin() + kEndCheckAt;
    if (std::all_of(check, key.end(), [](auto byte) { return byte == 0; })) {
        return true;
    }
    std::uint64_t from = number_in(key, kFromAt);
    return from <= in_front.size()
           && std::equal(check, key.end(),
                         sha256(in_front.substr(from)).begin());
}

std::string check_of(std::string_view kind_and_body)
{
    Digest digest = sha256(kind_and_body);
    return {reinterpret_cast<const char *>(digest.data()), kCheckBytes};
}

bool read_body(JournalKind kind, std::string_view body, JournalRecord &record)
{
    record = JournalRecord();
    record.kind = kind;
    Parts parts(body);
    record.key = parts.digest();
    switch (kind) {
    case JournalKind::begin:
    case JournalKind::complete:
    case JournalKind::freed:
    case JournalKind::whole:
        break;
    case JournalKind::claim:
    case JournalKind::bound_claim:
        take_claim(parts, record);
        break;
    case JournalKind::payer:
        for (std::int64_t &moment : record.unproven) {
            moment = parts.moment();
        }
        record.refused_at = parts.moment();
        break;
    case JournalKind::used:
        take_used(parts, record);
        break;
    default:
        return false;
    }
    return parts.complete();
}

}  // namespace

std::string journal_bytes(const JournalRecord &record)
{
    std::string out(kMark);
    if (tells_of_claim(record.kind)) {
        out.reserve(kFrame + claim_size(record) + record.settle.size());
    }
    out.append(kCheckBytes, '\0');
    put_number(out, static_cast<std::uint32_t>(record.kind), 4);
    put_number(out, 0, 4);
    put_digest(out, record.key);
    if (tells_of_claim(record.kind)) {
        put_claim(out, record.kind, record, record.settle);
    } else if (record.kind == JournalKind::payer) {
        for (std::int64_t moment : record.unproven) {
            put_number(out, static_cast<std::uint64_t>(moment), 8);
        }
        put_number(out, static_cast<std::uint64_t>(record.refused_at), 8);
    } else if (record.kind == JournalKind::used) {
        put_used(out, record);
    }
    // What is only known now goes in front.
    std::string size;
    put_number(size, out.size() - kFrame, 4);
    out.replace(kFrame - 4, 4, size);
    out.replace(kMark.size(), kCheckBytes,
                check_of(std::string_view(out).substr(kFrame - 8)));
    return out;
}

std::string claim_bytes(const JournalRecord &record)
{
    std::string out;
    write_claim_bytes(record, out);
    return out;
}

void write_claim_bytes(const JournalRecord &record, std::string &out)
{
    out.reserve(out.size() + claim_size(record));
    put_digest(out, record.key);
    put_claim(out, JournalKind::bound_claim, record, {});
}

bool read_claim_bytes(std::string_view bytes, JournalRecord &record)
{
    return read_body(JournalKind::bound_claim, bytes, record);
}

std::string journal_edge(JournalKind kind, std::uint64_t edition)
{
    JournalRecord record;
    record.kind = kind;
    put_number(record.key, kEditionAt, edition);
    return journal_bytes(record);
}

std::string journal_end(std::uint64_t edition, std::uint64_t from,
                        const Digest &in_front)
{
    JournalRecord record;
    record.kind = JournalKind::complete;
    put_number(record.key, kEditionAt, edition);
    put_number(record.key, kFromAt, from);
    std::copy_n(in_front.begin(), kEndCheckBytes,
                record.key.begin() + kEndCheckAt);
    return journal_bytes(record);
}

std::string journal_whole(std::uint64_t size)
{
    JournalRecord record;
    record.kind = JournalKind::whole;
    put_number(record.key, kSizeAt, size);
    return journal_bytes(record);
}

JournalSummary journal_summary(std::string_view bytes)
{
    JournalSummary summary;
    JournalReader reader(bytes);
    JournalRecord record;
    std::size_t begun = 0;
    std::size_t skipped = 0;  // in front of it
    while (reader.next(record)) {
        summary.records++;
        std::size_t at = reader.in_front().size();
        if (record.kind == JournalKind::begin) {
            begun = at;
            skipped = reader.skipped();
        } else if (record.kind == JournalKind::whole
                   && number_in(record.key, kSizeAt) == at - begun
                   && reader.skipped() == skipped) {
            summary.counts_from = begun;
        }
        if (record.kind == JournalKind::complete
            && is_true_end(record.key, reader.in_front())) {
            summary.complete = true;
            summary.edition = number_in(record.key, kEditionAt);
        }
    }
    summary.skipped = reader.skipped();
    // One that was begun when the machine lost its power may be nothing but a
    // torn record, or zeros.
    summary.is_journal = bytes.empty() || summary.records != 0
                         || bytes.substr(0, kMark.size()) == kMark
                         || bytes.front() == '\0';
    return summary;
}

unsigned newer_journal(const JournalSummary &first,
                       const JournalSummary &second)
{
    return second.complete
                   && (!first.complete || second.edition > first.edition)
               ? 1
               : 0;
}

bool JournalReader::next(JournalRecord &record)
{
    while (rest_.size() >= kFrame) {
        if (rest_.substr(0, kMark.size()) == kMark) {
            std::string_view head = rest_.substr(kFrame - 8, 8);
            Parts parts(head);
            auto kind = static_cast<JournalKind>(parts.number(4));
            std::size_t size = parts.number(4);
            if (size <= kLongest && size <= rest_.size() - kFrame
                && check_of(rest_.substr(kFrame - 8, 8 + size))
                       == rest_.substr(kMark.size(), kCheckBytes)
                && read_body(kind, rest_.substr(kFrame, size), record)) {
                begin_ = bytes_.size() - rest_.size();
                rest_.remove_prefix(kFrame + size);
                return true;
            }
        }
        // Torn, or something else: on to the next mark.
        std::size_t at = rest_.find(kMark, 1);
        std::size_t over = at == std::string_view::npos ? rest_.size() : at;
        skipped_ += over;
        rest_.remove_prefix(over);
    }
    skipped_ += rest_.size();
    rest_ = {};
    return false;
}

}  // namespace x402
