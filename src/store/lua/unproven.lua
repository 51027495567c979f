-- SPDX-License-Identifier: Apache-2.0
-- UNPROVEN: how often a payer was served without proof, once for each claim.
-- KEYS payer; ARGV claim, limit, window.

local window = tonumber(ARGV[3])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - window)
if not redis.call('ZSCORE', KEYS[1], ARGV[1]) then
    if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then
        return {'lost', now, ''}
    end
    redis.call('ZADD', KEYS[1], now, ARGV[1])
    redis.call('PEXPIRE', KEYS[1], window)
end
return {'done', now, ''}
