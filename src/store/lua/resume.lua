-- SPDX-License-Identifier: Apache-2.0
-- RESUME: a new owner for a claim that is UNKNOWN or owed and has no
-- owner. Its execution is told with PAID or FINISH: an answer that is lost, or
-- comes late, must not use one up.
-- KEYS claim, settle, due; ARGV token, lease, unknown ones, owed ones, the
-- caller's clock.

local claim = lapsed(read(KEYS[1]))
local id = id_of(KEYS[1])
local lease = tonumber(ARGV[2])

local function resumed(verdict)
    redis.call('SET', KEYS[1], bytes_of(claim), 'KEEPTTL')
    if claim.state == UNKNOWN then
        -- If its new owner dies, others find it here.
        redis.call('ZADD', KEYS[3], claim.lease, id)
    end
    local settle = claim.state == UNKNOWN and redis.call('GET', KEYS[2])
    return {verdict, now, bytes_of(claim), settle or ''}
end

local again = claim.token == ARGV[1] and claim.lease > now
local vacant = claim.lease <= now
if claim.state == UNKNOWN and ARGV[3] == '1' and (vacant or again) then
    claim.token = ARGV[1]
    claim.lease = now + lease
    local ended = claim.expires ~= 0 and tonumber(ARGV[5]) >= claim.expires
    return resumed(ended and 'ended' or 'resumed')
end
if claim.state == PAID and ARGV[4] == '1' then
    if again then
        return resumed('resumed')
    end
    if vacant and claim.executions < MOST_EXECUTIONS then
        claim.token = ARGV[1]
        claim.lease = now + lease
        return resumed('resumed')
    end
end
if claim.state == FREE or claim.state == PAID or is_over(claim.state) then
    redis.call('ZREM', KEYS[3], id)
end
return {'lost', now, bytes_of(claim)}
