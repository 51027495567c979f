// SPDX-License-Identifier: Apache-2.0
// A facilitator that believes everything: it answers every verify with yes and
// every settle with a new transaction, after as many milliseconds as the path
// says (http://host:port/20/verify waits 20). One thread, epoll, keep-alive,
// plain and over TLS. It prints its ports when it listens and runs until it is
// told to stop.
//
//     stub_facilitator payer=0x... certificate=FILE key=FILE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <ctime>
#include <queue>
#include <string_view>

#include "command_line.hpp"

namespace x402_bench {
namespace {

std::int64_t now_ns()
{
    timespec time{};
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1'000'000'000LL + time.tv_nsec;
}

struct Connection {
    int socket = -1;
    SSL *tls = nullptr;
    std::uint32_t serial = 0;  // an answer for a former connection is dropped
    bool closed = false;
    std::string in;
    std::string out;
};

enum class Asked { verify, settle, supported };

struct Due {
    std::int64_t moment;
    Connection *connection;
    std::uint32_t serial;
    Asked asked;
    bool operator<(const Due &other) const { return moment > other.moment; }
};

class Stub {
public:
    Stub(std::string payer, const std::string &certificate,
         const std::string &key);
    void run();

private:
    int listen_at_loopback();
    void accept_all(int listener, bool tls);
    void receive(Connection &connection);
    bool read_some(Connection &connection);
    void take_requests(Connection &connection);
    void answer(Connection &connection, Asked asked);
    void flush(Connection &connection);
    void close(Connection &connection);
    void deliver_due();
    void set_alarm();

    std::string payer_;
    SSL_CTX *tls_ = nullptr;
    int epoll_ = epoll_create1(EPOLL_CLOEXEC);
    int alarm_ = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    int plain_listener_ = -1;
    int tls_listener_ = -1;
    std::int64_t alarm_at_ = 0;
    std::priority_queue<Due> waiting_;
    std::vector<Connection *> spare_;
    std::uint64_t transactions_ = 0;
};

unsigned port_of(int listener)
{
    sockaddr_in address{};
    socklen_t size = sizeof address;
    getsockname(listener, reinterpret_cast<sockaddr *>(&address), &size);
    return ntohs(address.sin_port);
}

[[noreturn]] void give_up(const char *what)
{
    std::perror(what);
    ERR_print_errors_fp(stderr);
    std::exit(1);
}

Stub::Stub(std::string payer, const std::string &certificate,
           const std::string &key)
    : payer_(std::move(payer))
{
    plain_listener_ = listen_at_loopback();
    std::printf("plain=%u", port_of(plain_listener_));
    if (!certificate.empty()) {
        tls_ = SSL_CTX_new(TLS_server_method());
        if (SSL_CTX_use_certificate_chain_file(tls_, certificate.c_str()) != 1
            || SSL_CTX_use_PrivateKey_file(tls_, key.c_str(), SSL_FILETYPE_PEM)
                   != 1) {
            give_up("certificate");
        }
        SSL_CTX_set_mode(tls_, SSL_MODE_ENABLE_PARTIAL_WRITE
                                   | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
        tls_listener_ = listen_at_loopback();
        std::printf(" tls=%u", port_of(tls_listener_));
    }
    std::printf("\n");
    std::fflush(stdout);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = &alarm_;
    epoll_ctl(epoll_, EPOLL_CTL_ADD, alarm_, &event);
}

int Stub::listen_at_loopback()
{
    int listener =
        socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(listener, reinterpret_cast<sockaddr *>(&address), sizeof address)
            != 0
        || listen(listener, 4096) != 0) {
        give_up("listen");
    }
    int *which = listener >= 0 && plain_listener_ < 0 ? &plain_listener_
                                                      : &tls_listener_;
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = which;
    epoll_ctl(epoll_, EPOLL_CTL_ADD, listener, &event);
    return listener;
}

void Stub::run()
{
    epoll_event events[256];
    for (;;) {
        int count = epoll_wait(epoll_, events, 256, -1);
        for (int i = 0; i < count; ++i) {
            void *what = events[i].data.ptr;
            if (what == &alarm_) {
                std::uint64_t times = 0;
                if (read(alarm_, &times, sizeof times) > 0) {
                    alarm_at_ = 0;
                }
            } else if (what == &plain_listener_) {
                accept_all(plain_listener_, false);
            } else if (what == &tls_listener_) {
                accept_all(tls_listener_, true);
            } else {
                receive(*static_cast<Connection *>(what));
            }
        }
        deliver_due();
    }
}

void Stub::accept_all(int listener, bool tls)
{
    for (;;) {
        int socket =
            accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (socket < 0) {
            return;
        }
        int on = 1;
        setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        Connection *connection = nullptr;
        if (spare_.empty()) {
            connection = new Connection;
        } else {
            connection = spare_.back();
            spare_.pop_back();
        }
        connection->socket = socket;
        connection->closed = false;
        if (tls) {
            connection->tls = SSL_new(tls_);
            SSL_set_fd(connection->tls, socket);
            SSL_set_accept_state(connection->tls);
        }
        epoll_event event{};
        event.events = EPOLLIN | EPOLLOUT | EPOLLET;
        event.data.ptr = connection;
        epoll_ctl(epoll_, EPOLL_CTL_ADD, socket, &event);
    }
}

void Stub::receive(Connection &connection)
{
    if (connection.closed) {
        return;
    }
    flush(connection);
    while (!connection.closed && read_some(connection)) {
        take_requests(connection);
    }
}

// False when there is nothing more now.
bool Stub::read_some(Connection &connection)
{
    char bytes[65536];
    if (connection.tls != nullptr) {
        ERR_clear_error();
        int got = SSL_read(connection.tls, bytes, sizeof bytes);
        if (got > 0) {
            connection.in.append(bytes, static_cast<std::size_t>(got));
            return true;
        }
        int why = SSL_get_error(connection.tls, got);
        if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE) {
            close(connection);
        }
        return false;
    }
    ssize_t got = recv(connection.socket, bytes, sizeof bytes, 0);
    if (got > 0) {
        connection.in.append(bytes, static_cast<std::size_t>(got));
        return true;
    }
    if (got == 0 || errno != EAGAIN) {
        close(connection);
    }
    return false;
}

std::size_t content_length(std::string_view head)
{
    constexpr std::string_view kName = "content-length:";
    for (std::size_t at = head.find('\n'); at != head.npos;
         at = head.find('\n', at + 1)) {
        if (head.size() > at + 1 + kName.size()
            && strncasecmp(head.data() + at + 1, kName.data(), kName.size())
                   == 0) {
            return std::strtoul(head.data() + at + 1 + kName.size(), nullptr,
                                10);
        }
    }
    return 0;
}

Asked asked_by(std::string_view line)
{
    if (line.find("/settle") != line.npos) {
        return Asked::settle;
    }
    return line.find("/supported") != line.npos ? Asked::supported
                                                : Asked::verify;
}

void Stub::take_requests(Connection &connection)
{
    for (;;) {
        std::string_view all = connection.in;
        std::size_t end = all.find("\r\n\r\n");
        if (end == all.npos) {
            return;
        }
        std::string_view head = all.substr(0, end + 2);
        std::size_t size = end + 4 + content_length(head);
        if (all.size() < size) {
            return;
        }
        std::size_t slash = head.find('/');
        std::int64_t wait = std::atoll(head.data() + slash + 1);
        Asked asked = asked_by(head.substr(0, head.find('\n')));
        connection.in.erase(0, size);
        if (wait == 0) {
            answer(connection, asked);
        } else {
            waiting_.push({now_ns() + wait * 1'000'000, &connection,
                           connection.serial, asked});
        }
        if (connection.closed) {
            return;
        }
    }
}

void Stub::answer(Connection &connection, Asked asked)
{
    char body[512];
    int size = 0;
    if (asked == Asked::settle) {
        size = std::snprintf(
            body, sizeof body,
            R"({"success":true,"payer":"%s","transaction":"0x%064llx",)"
            R"("network":"eip155:84532"})",
            payer_.c_str(), static_cast<unsigned long long>(++transactions_));
    } else if (asked == Asked::supported) {
        size = std::snprintf(
            body, sizeof body, "%s",
            R"({"kinds":[{"x402Version":2,"scheme":"exact",)"
            R"("network":"eip155:84532"}],"extensions":[],"signers":{}})");
    } else {
        size =
            std::snprintf(body, sizeof body, R"({"isValid":true,"payer":"%s"})",
                          payer_.c_str());
    }
    connection.out += "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                      "Content-Length: "
                      + std::to_string(size) + "\r\n\r\n";
    connection.out.append(body, static_cast<std::size_t>(size));
    flush(connection);
}

void Stub::flush(Connection &connection)
{
    while (!connection.out.empty()) {
        ssize_t sent = 0;
        if (connection.tls != nullptr) {
            ERR_clear_error();
            sent = SSL_write(connection.tls, connection.out.data(),
                             static_cast<int>(connection.out.size()));
        } else {
            sent = send(connection.socket, connection.out.data(),
                        connection.out.size(), MSG_NOSIGNAL);
        }
        if (sent <= 0) {
            return;
        }
        connection.out.erase(0, static_cast<std::size_t>(sent));
    }
}

// The struct is kept: an answer may still wait for it.
void Stub::close(Connection &connection)
{
    connection.closed = true;
    ++connection.serial;
    if (connection.tls != nullptr) {
        SSL_free(connection.tls);
        connection.tls = nullptr;
    }
    ::close(connection.socket);
    connection.in.clear();
    connection.out.clear();
    spare_.push_back(&connection);
}

void Stub::deliver_due()
{
    std::int64_t now = waiting_.empty() ? 0 : now_ns();
    while (!waiting_.empty() && waiting_.top().moment <= now) {
        Due due = waiting_.top();
        waiting_.pop();
        if (!due.connection->closed && due.serial == due.connection->serial) {
            answer(*due.connection, due.asked);
        }
    }
    set_alarm();
}

void Stub::set_alarm()
{
    if (waiting_.empty() || alarm_at_ == waiting_.top().moment) {
        return;
    }
    alarm_at_ = waiting_.top().moment;
    itimerspec when{};
    when.it_value.tv_sec = alarm_at_ / 1'000'000'000;
    when.it_value.tv_nsec = alarm_at_ % 1'000'000'000;
    timerfd_settime(alarm_, TFD_TIMER_ABSTIME, &when, nullptr);
}

}  // namespace
}  // namespace x402_bench

int main(int count, char **words)
{
    using namespace x402_bench;
    // OpenSSL writes without MSG_NOSIGNAL to a peer that has gone.
    std::signal(SIGPIPE, SIG_IGN);
    CommandLine line(count, words, {"payer", "certificate", "key"});
    Stub(line.text("payer"), line.text("certificate"), line.text("key")).run();
    return 0;
}
