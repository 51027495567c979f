// SPDX-License-Identifier: Apache-2.0
// A real redis-server for tests of the store's scripts, and machines that talk
// to it. It listens on a socket in a folder of its own and keeps no files.
#ifndef X402_UNIT_STORE_REDIS_SERVER_HPP
#define X402_UNIT_STORE_REDIS_SERVER_HPP

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "store/store_answer.hpp"

namespace x402 {

class RedisServer {
public:
    explicit RedisServer(std::vector<std::string> options = {})
    {
        char folder[] = "/tmp/x402-redis-XXXXXX";
        folder_ = mkdtemp(folder);
        std::vector<std::string> words = {
            "redis-server", "--port",       "0",      "--unixsocket",
            path(),         "--save",       "",       "--dir",
            folder_,        "--appendonly", "no",     "--daemonize",
            "no",           "--loglevel",   "warning"};
        words.insert(words.end(), options.begin(), options.end());
        process_ = fork();
        if (process_ == 0) {
            std::vector<char *> arguments;
            for (std::string &word : words) {
                arguments.push_back(word.data());
            }
            arguments.push_back(nullptr);
            // Its own words are of no interest, unless it does not start.
            int silent = open("/dev/null", O_WRONLY);
            dup2(silent, 1);
            execvp(arguments[0], arguments.data());
            _exit(127);
        }
    }
    ~RedisServer()
    {
        kill(process_, SIGKILL);
        waitpid(process_, nullptr, 0);
        std::string command = "rm -rf " + folder_;
        if (std::system(command.c_str()) != 0) {
            std::perror(command.c_str());
        }
    }
    RedisServer(const RedisServer &) = delete;
    RedisServer &operator=(const RedisServer &) = delete;

    // A connection; -1: there is none within a minute.
    int connect_to() const
    {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        path().copy(address.sun_path, sizeof(address.sun_path) - 1);
        for (int attempt = 0; attempt < 6000; attempt++) {
            int socket = ::socket(AF_UNIX, SOCK_STREAM, 0);
            if (connect(socket, reinterpret_cast<sockaddr *>(&address),
                        sizeof(address))
                == 0) {
                return socket;
            }
            close(socket);
            usleep(10000);
        }
        return -1;
    }

    // The one that all tests share.
    static RedisServer &shared()
    {
        static RedisServer server;
        return server;
    }

private:
    std::string path() const { return folder_ + "/s"; }

    std::string folder_;
    pid_t process_ = -1;
};

// One machine: a connection, and calls as nginx makes them.
class StoreMachine {
public:
    using Write = std::function<void(RespWriter &, ScriptBy)>;

    explicit StoreMachine(const RedisServer &server)
        : server_(server), socket_(server.connect_to())
    {
    }
    ~StoreMachine() { close(socket_); }
    StoreMachine(const StoreMachine &) = delete;
    StoreMachine &operator=(const StoreMachine &) = delete;

    // By the digest, and once by the text if the store does not know it.
    // Lifetime of the reply: until the next call.
    const RespReply &ask(const Write &write)
    {
        const RespReply &reply = ask(ScriptBy::sha1, write);
        if (reply.error_word() == "NOSCRIPT") {
            taught++;
            return ask(ScriptBy::text, write);
        }
        return reply;
    }

    const RespReply &ask(ScriptBy by, const Write &write)
    {
        say(by, write);
        received_.clear();
        while (reply_.read(received_) == RespReply::State::incomplete) {
            char bytes[4096];
            ssize_t count = recv(socket_, bytes, sizeof(bytes), 0);
            if (count <= 0) {
                ADD_FAILURE() << "the store closed the connection";
                break;
            }
            received_.append(bytes, static_cast<std::size_t>(count));
        }
        acknowledged += reply_.is_error() ? 0 : 1;
        return reply_;
    }

    // The call reaches the store, and its answer does not come back.
    void ask_and_lose(const Write &write)
    {
        say(ScriptBy::sha1, write);
        shutdown(socket_, SHUT_WR);
        char bytes[4096];
        while (recv(socket_, bytes, sizeof(bytes), 0) > 0) {
        }
        close(socket_);
        socket_ = server_.connect_to();
    }

    const RespReply &command(const std::vector<std::string> &words)
    {
        return ask(ScriptBy::sha1, [&](RespWriter &out, ScriptBy) {
            out.begin(words.size());
            for (const std::string &word : words) {
                out.add(word);
            }
        });
    }

    // Answers that came, of all machines: a test without one proves nothing.
    static inline unsigned acknowledged = 0;
    static inline unsigned taught = 0;

private:
    void say(ScriptBy by, const Write &write)
    {
        std::vector<char> buffer(64 * 1024);
        RespWriter out(buffer.data(), buffer.size());
        write(out, by);
        ASSERT_TRUE(out.complete());
        ASSERT_EQ(send(socket_, buffer.data(), out.size(), MSG_NOSIGNAL),
                  static_cast<ssize_t>(out.size()));
    }

    const RedisServer &server_;
    int socket_;
    std::string received_;
    RespReply reply_;
};

}  // namespace x402

#endif
