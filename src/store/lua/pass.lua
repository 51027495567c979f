-- SPDX-License-Identifier: Apache-2.0
-- PASS: how many requests a pass is still good for. Its last uses are kept beside
-- it, so that a call may be repeated, and what got no content be given back once.
-- KEYS pass, its uses; ARGV what, token, requests, left (ms).

local MOST_USES, USES_KEPT = 1024, 3600000
local what, token, requests = ARGV[1], ARGV[2], tonumber(ARGV[3])
-- Behind the number there may be uses, as an earlier release keeps them.
local bytes = redis.call('GET', KEYS[1])

if what == 'issue' then
    if not bytes then
        bytes = struct.pack('>I4', requests)
        redis.call('SET', KEYS[1], bytes, 'PX',
                   math.max(tonumber(ARGV[4]), 1))
    end
    return {'done', now, '', (struct.unpack('>I4', bytes))}
end
-- Money: a pass that is not known opens nothing.
if not bytes then
    return {'lost', now, '', -1}
end

local left = struct.unpack('>I4', bytes)
local function save()
    redis.call('SET', KEYS[1], struct.pack('>I4', left) .. bytes:sub(5),
               'KEEPTTL')
end

if what == 'use' then
    if redis.call('ZSCORE', KEYS[2], token) then
        return {'done', now, '', left}
    end
    if left < requests then
        return {'lost', now, '', left}
    end
    left = left - requests
    save()
    redis.call('ZADD', KEYS[2], now, token)
    if redis.call('ZCARD', KEYS[2]) > MOST_USES then
        redis.call('ZREM', KEYS[2], redis.call('ZRANGE', KEYS[2], 0, 0)[1])
    end
    redis.call('PEXPIRE', KEYS[2],
               math.max(math.min(USES_KEPT, tonumber(ARGV[4])), 1))
    return {'done', now, '', left}
end
if redis.call('ZREM', KEYS[2], token) == 1 then
    left = left + requests
    save()
end
return {'done', now, '', left}
