// SPDX-License-Identifier: Apache-2.0
// The floor under every server here: for each request two kept-alive calls to
// the facilitator, one after the other, and then the content. It understands
// nothing: not the payment, not the answers. One thread, epoll; each client has
// a connection to the facilitator for itself.
//
//     floor_server port=8080 facilitator=9090 path=/20 content=FILE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <string_view>

#include "answer_reader.hpp"
#include "command_line.hpp"

namespace x402_bench {
namespace {

[[noreturn]] void give_up(const char *what)
{
    std::perror(what);
    std::exit(1);
}

sockaddr_in loopback(double port)
{
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

struct Client;

// What epoll names: one end of a client.
struct End {
    Client *client;
    bool is_facilitator;
    int socket = -1;
};

struct Client {
    End client{this, false};
    End facilitator{this, true};
    std::string in;
    std::string payment;
    bool settles = false;
    AnswerReader answers;
};

class Floor {
public:
    Floor(const CommandLine &line, std::string content)
        : facilitator_(loopback(line.number("facilitator", 0))),
          path_(line.text("path")),
          answer_("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
                  "Content-Length: "
                  + std::to_string(content.size()) + "\r\n\r\n" + content)
    {
        sockaddr_in address = loopback(line.number("port", 0));
        int on = 1;
        setsockopt(listener_.socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        if (bind(listener_.socket, reinterpret_cast<sockaddr *>(&address),
                 sizeof address)
                != 0
            || listen(listener_.socket, 16384) != 0) {
            give_up("listen");
        }
        watch(listener_);
    }

    [[noreturn]] void run()
    {
        epoll_event events[256];
        for (;;) {
            int count = epoll_wait(epoll_, events, 256, -1);
            for (int i = 0; i < count; ++i) {
                handle(*static_cast<End *>(events[i].data.ptr));
            }
        }
    }

private:
    void watch(End &end) const
    {
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.ptr = &end;
        epoll_ctl(epoll_, EPOLL_CTL_ADD, end.socket, &event);
    }

    void handle(End &end)
    {
        if (end.client == nullptr) {
            accept_one();
        } else if (end.is_facilitator) {
            on_answer(*end.client);
        } else {
            on_request(*end.client);
        }
    }

    void accept_one()
    {
        int socket = accept4(listener_.socket, nullptr, nullptr, SOCK_CLOEXEC);
        if (socket < 0) {
            return;
        }
        auto *client = new Client;
        client->client.socket = socket;
        client->facilitator.socket = ::socket(AF_INET, SOCK_STREAM, 0);
        if (connect(client->facilitator.socket,
                    reinterpret_cast<const sockaddr *>(&facilitator_),
                    sizeof facilitator_)
            != 0) {
            give_up("facilitator");
        }
        int on = 1;
        for (End *end : {&client->client, &client->facilitator}) {
            setsockopt(end->socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            watch(*end);
        }
    }

    static void send_all(int socket, std::string_view text)
    {
        if (send(socket, text.data(), text.size(), MSG_NOSIGNAL)
            != static_cast<ssize_t>(text.size())) {
            give_up("send");
        }
    }

    void call(Client &client, std::string_view what) const
    {
        std::string text = "POST " + path_ + "/";
        text.append(what)
            .append(" HTTP/1.1\r\nHost: facilitator\r\nContent-Length: ")
            .append(std::to_string(client.payment.size()))
            .append("\r\n\r\n")
            .append(client.payment);
        send_all(client.facilitator.socket, text);
    }

    // Nothing is freed: an event of the other end may be waiting.
    void on_request(Client &client)
    {
        char bytes[65536];
        ssize_t got = recv(client.client.socket, bytes, sizeof bytes, 0);
        if (got <= 0) {
            ::close(client.client.socket);
            ::close(client.facilitator.socket);
            return;
        }
        client.in.append(bytes, static_cast<std::size_t>(got));
        if (client.in.find("\r\n\r\n") == client.in.npos) {
            return;
        }
        client.payment = std::move(client.in);
        client.in.clear();
        client.settles = false;
        call(client, "verify");
    }

    void on_answer(Client &client)
    {
        ssize_t got = recv(client.facilitator.socket, client.answers.room(),
                           client.answers.room_size(), 0);
        if (got <= 0) {
            give_up("facilitator");
        }
        client.answers.add(static_cast<std::size_t>(got));
        Answer answer;
        if (!client.answers.take({}, answer)) {
            return;
        }
        if (client.settles) {
            send_all(client.client.socket, answer_);
        } else {
            client.settles = true;
            call(client, "settle");
        }
    }

    int epoll_ = epoll_create1(EPOLL_CLOEXEC);
    End listener_{nullptr, false, socket(AF_INET, SOCK_STREAM, 0)};
    sockaddr_in facilitator_;
    std::string path_;
    std::string answer_;
};

}  // namespace
}  // namespace x402_bench

int main(int count, char **words)
{
    using namespace x402_bench;
    std::signal(SIGPIPE, SIG_IGN);
    CommandLine line(count, words, {"port", "facilitator", "path", "content"});
    std::ifstream file(line.text("content"), std::ios::binary);
    Floor(line, {std::istreambuf_iterator<char>(file), {}}).run();
}
