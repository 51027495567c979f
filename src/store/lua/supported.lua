-- SPDX-License-Identifier: Apache-2.0
-- SUPPORTED: what a facilitator says that it supports, as each machine has heard
-- it lately. An offer that one machine made from it is paid at another one.
-- KEYS texts; ARGV text, or none; kept for (ms), most, edition that is known.

local kept_for, most = tonumber(ARGV[2]), tonumber(ARGV[3])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - kept_for)
if ARGV[1] ~= '' then
    redis.call('ZADD', KEYS[1], now, ARGV[1])
    redis.call('PEXPIRE', KEYS[1], kept_for)
    local crowd = redis.call('ZCARD', KEYS[1]) - most
    if crowd > 0 then
        for _, oldest in ipairs(redis.call('ZRANGE', KEYS[1], 0, crowd - 1)) do
            redis.call('ZREM', KEYS[1], oldest)
        end
    end
end
local texts = redis.call('ZRANGE', KEYS[1], 0, most - 1)
table.sort(texts)
local edition = redis.sha1hex(table.concat(texts, ' '))
local answer = {'done', now, edition}
if edition ~= ARGV[4] then
    for _, text in ipairs(texts) do
        answer[#answer + 1] = text
    end
end
return answer
