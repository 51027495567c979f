-- SPDX-License-Identifier: Apache-2.0
-- DUE: claims of a shard that are to be asked about. RESUME decides who does;
-- that they are out of sight for a while only keeps machines from asking for
-- the same ones.
-- KEYS due; ARGV most, out of sight.

local ids = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0,
                       ARGV[1])
local answer = {'done', now}
for _, id in ipairs(ids) do
    if id:find('^%x+$') and #id == 64 then
        redis.call('ZADD', KEYS[1], 'XX', now + tonumber(ARGV[2]), id)
        answer[#answer + 1] = id
    else
        -- Of another program: claims behind it would be found no more.
        redis.call('ZREM', KEYS[1], id)
    end
end
return answer
