#include "facilitator/request_head.hpp"

#include "facilitator/facilitator_url.hpp"

namespace x402 {

namespace {

// What follows the authority: a redirect may lead to any path, also to one that
// ends in a slash.
std::string_view request_target(std::string_view url)
{
    std::size_t authority = url.find("://");
    std::size_t path = authority == std::string_view::npos
                           ? authority
                           : url.find('/', authority + 3);
    return path == std::string_view::npos ? "/" : url.substr(path);
}

std::string host_of(std::string_view url)
{
    auto parsed = parse_facilitator_url(url);
    if (!parsed) {
        return {};
    }
    parsed->path.clear();
    std::string base = parsed->base();
    return base.substr(base.find("://") + 3);
}

}  // namespace

std::string start_of_head(std::string_view url, bool post)
{
    std::string head = post ? "POST " : "GET ";
    head += request_target(url);
    head += " HTTP/1.1\r\nHost: ";
    head += host_of(url);
    head += "\r\nUser-Agent: ngx_http_x402_module\r\n"
            "Accept: application/json\r\n";
    if (post) {
        head += "Content-Type: application/json\r\n";
    }
    return head;
}

std::string end_of_head(const std::vector<std::string> &headers, bool post,
                        std::size_t length)
{
    std::string head;
    for (const std::string &line : headers) {
        head += line;
        head += "\r\n";
    }
    if (post) {
        head += "Content-Length: " + std::to_string(length) + "\r\n";
    }
    return head + "\r\n";
}

}  // namespace x402
