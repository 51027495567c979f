// SPDX-License-Identifier: Apache-2.0
// The round trip to a Redis server: PING over one connection as nginx has it
// (TCP_NODELAY, epoll), one after the other. Says the median in nanoseconds.
//
//     ping_store port=6379 count=3000
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "command_line.hpp"

namespace x402_bench {
namespace {

constexpr std::string_view kPing = "*1\r\n$4\r\nPING\r\n";
constexpr std::string_view kPong = "+PONG\r\n";

[[noreturn]] void fail(const char *what)
{
    std::perror(what);
    std::exit(1);
}

int connected(std::uint16_t port)
{
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int peer = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int on = 1;
    setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(peer, reinterpret_cast<const sockaddr *>(&address),
                sizeof address)
        != 0) {
        fail("connect");
    }
    return peer;
}

std::int64_t one_round_trip(int poll, int peer)
{
    auto begin = std::chrono::steady_clock::now();
    if (send(peer, kPing.data(), kPing.size(), MSG_NOSIGNAL)
        != static_cast<ssize_t>(kPing.size())) {
        fail("send");
    }
    for (std::size_t left = kPong.size(); left > 0;) {
        epoll_event event{};
        char answer[64];
        epoll_wait(poll, &event, 1, -1);
        ssize_t got = recv(peer, answer, sizeof answer, 0);
        if (got <= 0 || static_cast<std::size_t>(got) > left) {
            fail("no PONG");
        }
        left -= static_cast<std::size_t>(got);
    }
    return std::chrono::duration_cast<std::chrono::nanoseconds>(
               std::chrono::steady_clock::now() - begin)
        .count();
}

}  // namespace
}  // namespace x402_bench

int main(int count, char **words)
{
    using namespace x402_bench;
    CommandLine line(count, words, {"port", "count"});
    int peer = connected(static_cast<std::uint16_t>(line.number("port", 6379)));
    int poll = epoll_create1(EPOLL_CLOEXEC);
    epoll_event event{};
    event.events = EPOLLIN | EPOLLET;
    epoll_ctl(poll, EPOLL_CTL_ADD, peer, &event);
    std::vector<std::int64_t> took(
        static_cast<std::size_t>(line.number("count", 3000)));
    for (std::int64_t &one : took) {
        one = one_round_trip(poll, peer);
    }
    std::sort(took.begin(), took.end());
    std::printf("%lld\n", static_cast<long long>(took[took.size() / 2]));
    return 0;
}
