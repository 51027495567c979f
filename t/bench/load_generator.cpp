// SPDX-License-Identifier: Apache-2.0
// Asks one server for one path over a fixed number of connections, each with
// one request at a time, and says in one line of JSON how that went: answers a
// second, latencies, the share of right answers, and what the processes at both
// ends used meanwhile. One thread, epoll, HTTP/1.1 with keep-alive.
//
//     load_generator port=8080 path=/x connections=32 seconds=3
//
// warmup=S          not counted; the connections are opened over its first half
// ask=LINES         further request headers, each ended by "|"
// payments=FILE     one PAYMENT-SIGNATURE value a line, all of one length; each
//                   is used once, from skip=N on; when none is left it ends
// requests=N        ends after so many answers
// status= header= body=     what makes an answer right; body=@FILE reads it
// server=PIDS stub=PIDS     whose CPU time and memory is looked at
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <deque>
#include <fstream>
#include <iterator>
#include <map>

#include "answer_reader.hpp"
#include "command_line.hpp"
#include "payment_list.hpp"
#include "process_usage.hpp"

namespace x402_bench {
namespace {

std::int64_t now_ns()
{
    return std::chrono::duration_cast<std::chrono::nanoseconds>(
               std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

constexpr const char *kResident = "VmRSS: %lld kB";
constexpr const char *kPrivate = "RssAnon: %lld kB";

struct Usage {
    std::int64_t moment = 0;
    std::int64_t server = 0;
    std::int64_t stub = 0;
    std::int64_t self = 0;
    Ticks server_ticks;
};

struct Counts {
    std::vector<std::uint32_t> latencies_us;
    std::map<int, std::uint64_t> statuses;
    std::uint64_t right = 0;
    std::uint64_t lost = 0;  // connection ended before the answer
};

struct Connection {
    int socket = -1;
    std::int64_t asked = 0;
    std::string unsent;
    AnswerReader reader;
};

class Generator {
public:
    explicit Generator(const CommandLine &words);
    void run();

private:
    void tick();
    void begin_counting();
    void connect(Connection &connection);
    void lose(Connection &connection);
    void ask(Connection &connection);
    void flush(Connection &connection);
    void receive(Connection &connection);
    void read_answer(Connection &connection, const Answer &answer);
    Usage usage() const;
    void report(const Usage &end);

    sockaddr_in server_address_{};
    std::string before_;  // the request up to the payment
    PaymentList payments_;
    std::vector<pid_t> server_;
    std::vector<pid_t> stub_;
    int status_;
    std::string header_;
    std::string body_;
    std::uint64_t most_;
    std::int64_t warmup_ns_;
    std::int64_t measure_ns_;

    int epoll_;
    std::deque<Connection> connections_;
    std::size_t opened_ = 0;
    std::int64_t started_ = 0;
    std::int64_t next_look_ = 0;
    bool counting_ = false;
    bool ran_out_ = false;
    std::uint64_t answers_ = 0;
    Counts counts_;
    Usage begin_;
    // RSS contains what workers share (the zone), private memory does not.
    std::int64_t private_begin_ = 0;
    std::int64_t private_most_ = 0;
    std::int64_t rss_most_ = 0;
};

std::string text_or_file(const std::string &value)
{
    if (value.empty() || value[0] != '@') {
        return value;
    }
    std::ifstream file(value.substr(1), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

Generator::Generator(const CommandLine &words)
    : server_(words.pids("server")),
      stub_(words.pids("stub")),
      status_(static_cast<int>(words.number("status", 200))),
      header_(words.text("header")),
      body_(text_or_file(words.text("body"))),
      most_(static_cast<std::uint64_t>(words.number("requests", 1e15))),
      warmup_ns_(static_cast<std::int64_t>(words.number("warmup", 0.5) * 1e9)),
      measure_ns_(static_cast<std::int64_t>(words.number("seconds", 3) * 1e9)),
      epoll_(epoll_create1(EPOLL_CLOEXEC))
{
    auto port = static_cast<std::uint16_t>(words.number("port", 80));
    server_address_.sin_family = AF_INET;
    server_address_.sin_port = htons(port);
    server_address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    before_ = "GET " + words.text("path", "/") + " HTTP/1.1\r\nHost: "
              + words.text("host", "bench.example") + "\r\n";
    for (char character : words.text("ask")) {
        before_ += character == '|' ? "\r\n" : std::string(1, character);
    }
    if (!words.text("payments").empty()) {
        payments_.open(words.text("payments"),
                       static_cast<std::size_t>(words.number("skip", 0)));
        before_ += "PAYMENT-SIGNATURE: ";
    }
    connections_.resize(
        static_cast<std::size_t>(words.number("connections", 32)));
    counts_.latencies_us.reserve(1 << 20);
}

Usage Generator::usage() const
{
    return {now_ns(), cpu_ns(server_), cpu_ns(stub_), cpu_ns(getpid()),
            ticks(server_)};
}

void Generator::run()
{
    private_begin_ = memory_kb(server_, kPrivate);
    started_ = now_ns();
    next_look_ = started_;
    if (warmup_ns_ == 0) {
        begin_counting();
    }
    epoll_event events[256];
    for (;;) {
        tick();
        std::int64_t now = now_ns();
        bool idle = ran_out_
                    && std::all_of(connections_.begin(), connections_.end(),
                                   [](const Connection &connection) {
                                       return connection.asked == 0;
                                   });
        if (now >= started_ + warmup_ns_ + measure_ns_ || answers_ >= most_
            || idle) {
            break;
        }
        int count = epoll_wait(epoll_, events, 256,
                               opened_ < connections_.size() ? 1 : 20);
        for (int i = 0; i < count; ++i) {
            auto &connection = *static_cast<Connection *>(events[i].data.ptr);
            if ((events[i].events & EPOLLOUT) != 0) {
                flush(connection);
            }
            if ((events[i].events & ~EPOLLOUT) != 0) {
                receive(connection);
            }
        }
    }
    report(usage());
}

// What goes by the clock: opening connections, looking at memory, counting.
void Generator::tick()
{
    std::int64_t now = now_ns();
    std::int64_t ramp = warmup_ns_ / 2;
    std::size_t due = connections_.size();
    if (now - started_ < ramp) {
        due = due * static_cast<std::size_t>(now - started_)
                  / static_cast<std::size_t>(ramp)
              + 1;
    }
    // Not more at once than the listen queue of a server holds.
    for (std::size_t burst = 0;
         opened_ < std::min(due, connections_.size()) && burst < 128; ++burst) {
        connect(connections_[opened_++]);
    }
    if (now >= next_look_) {
        rss_most_ = std::max(rss_most_, memory_kb(server_, kResident));
        private_most_ = std::max(private_most_, memory_kb(server_, kPrivate));
        next_look_ = now + 50'000'000;
    }
    if (!counting_ && now - started_ >= warmup_ns_) {
        begin_counting();
    }
}

void Generator::begin_counting()
{
    counting_ = true;
    begin_ = usage();
}

void Generator::connect(Connection &connection)
{
    connection.socket =
        socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int on = 1;
    setsockopt(connection.socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    int done = ::connect(connection.socket,
                         reinterpret_cast<const sockaddr *>(&server_address_),
                         sizeof server_address_);
    if (connection.socket < 0 || (done != 0 && errno != EINPROGRESS)) {
        std::perror("connect");
        std::exit(1);
    }
    connection.reader.clear();
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLET;
    event.data.ptr = &connection;
    epoll_ctl(epoll_, EPOLL_CTL_ADD, connection.socket, &event);
    ask(connection);
}

void Generator::lose(Connection &connection)
{
    ::close(connection.socket);
    if (connection.asked != 0 && counting_) {
        ++counts_.lost;
    }
    connection.asked = 0;
    if (!ran_out_) {
        connect(connection);
    }
}

void Generator::ask(Connection &connection)
{
    connection.unsent = before_;
    if (payments_.wanted()) {
        std::string_view payment = payments_.next();
        if (payment.empty()) {
            ran_out_ = true;
            connection.asked = 0;
            return;
        }
        connection.unsent.append(payment).append("\r\n");
    }
    connection.unsent += "\r\n";
    connection.asked = now_ns();
    flush(connection);
}

void Generator::flush(Connection &connection)
{
    if (connection.unsent.empty()) {
        return;
    }
    ssize_t sent = send(connection.socket, connection.unsent.data(),
                        connection.unsent.size(), MSG_NOSIGNAL);
    if (sent > 0) {
        connection.unsent.erase(0, static_cast<std::size_t>(sent));
    }
}

void Generator::receive(Connection &connection)
{
    // Edge-triggered: a short read has emptied the socket.
    for (;;) {
        char *room = connection.reader.room();
        std::size_t size = connection.reader.room_size();
        ssize_t got = recv(connection.socket, room, size, 0);
        if (got < 0 && errno == EAGAIN) {
            return;
        }
        if (got <= 0) {
            lose(connection);
            return;
        }
        connection.reader.add(static_cast<std::size_t>(got));
        Answer answer;
        if (connection.reader.take(header_, answer)) {
            read_answer(connection, answer);
            if (!answer.keep_alive) {
                lose(connection);
                return;
            }
            ask(connection);
            return;
        }
    }
}

void Generator::read_answer(Connection &connection, const Answer &answer)
{
    std::int64_t took = now_ns() - connection.asked;
    connection.asked = 0;
    ++answers_;
    if (!counting_) {
        return;
    }
    counts_.latencies_us.push_back(static_cast<std::uint32_t>(took / 1000));
    ++counts_.statuses[answer.status];
    if (answer.status == status_ && (header_.empty() || answer.has_header)
        && (body_.empty() || answer.body == body_)) {
        ++counts_.right;
    }
}

double kernel_share(const Ticks &from, const Ticks &to)
{
    auto all = static_cast<double>(to.all - from.all);
    return all > 0 ? static_cast<double>(to.system - from.system) / all : 0;
}

void Generator::report(const Usage &end)
{
    auto &took = counts_.latencies_us;
    std::sort(took.begin(), took.end());
    auto quantile = [&took](double share) {
        auto last = static_cast<double>(took.size()) - 1;
        return took.empty() ? 0u : took[static_cast<std::size_t>(last * share)];
    };
    double seconds = static_cast<double>(end.moment - begin_.moment) / 1e9;
    auto answers = static_cast<double>(took.size());
    auto busy = [seconds](std::int64_t from, std::int64_t to) {
        return static_cast<double>(to - from) / 1e9 / seconds;
    };
    std::string statuses;
    for (const auto &[status, count] : counts_.statuses) {
        statuses += (statuses.empty() ? "\"" : ",\"") + std::to_string(status)
                    + "\":" + std::to_string(count);
    }
    std::printf(
        "{\"seconds\":%.3f,\"answers\":%zu,\"rate\":%.1f,\"p50_us\":%u,"
        "\"p99_us\":%u,\"cpu_us\":%.3f,\"kernel\":%.3f,\"server_busy\":%.4f,"
        "\"generator_busy\":%.4f,\"stub_busy\":%.4f,\"right\":%.6f,"
        "\"lost\":%llu,\"ran_out\":%s,\"rss_most_kb\":%lld,"
        "\"private_begin_kb\":%lld,\"private_most_kb\":%lld,"
        "\"statuses\":{%s}}\n",
        seconds, took.size(), answers / seconds, quantile(0.5), quantile(0.99),
        answers > 0
            ? static_cast<double>(end.server - begin_.server) / 1e3 / answers
            : 0.0,
        kernel_share(begin_.server_ticks, end.server_ticks),
        busy(begin_.server, end.server), busy(begin_.self, end.self),
        busy(begin_.stub, end.stub),
        answers > 0 ? static_cast<double>(counts_.right)
                          / (answers + static_cast<double>(counts_.lost))
                    : 0.0,
        static_cast<unsigned long long>(counts_.lost),
        ran_out_ ? "true" : "false", static_cast<long long>(rss_most_),
        static_cast<long long>(private_begin_),
        static_cast<long long>(private_most_), statuses.c_str());
}

}  // namespace
}  // namespace x402_bench

int main(int count, char **words)
{
    using namespace x402_bench;
    CommandLine line(count, words,
                     {"port", "host", "path", "connections", "seconds",
                      "warmup", "payments", "skip", "requests", "status",
                      "header", "body", "server", "stub", "ask"});
    Generator(line).run();
    return 0;
}
