-- SPDX-License-Identifier: Apache-2.0
-- RENEW: the owner is still at it.
-- KEYS claim, due; ARGV token, lease.

local claim = read(KEYS[1])
-- A lease of 0 was given back.
if claim.token ~= ARGV[1] or claim.lease == 0 or is_over(claim.state) then
    return {'lost', now, bytes_of(lapsed(claim))}
end
local lease = tonumber(ARGV[2])
claim.lease = now + lease
redis.call('SET', KEYS[1], bytes_of(claim), 'KEEPTTL')
if claim.state == VERIFYING then
    redis.call('PEXPIRE', KEYS[1], 2 * lease)
elseif claim.state ~= PAID then
    redis.call('ZADD', KEYS[2], claim.lease, id_of(KEYS[1]))
end
return {'done', now, ''}
