-- SPDX-License-Identifier: Apache-2.0
-- PAID: before the first byte of content. Proof beats doubt, so that it is
-- written also if another has the claim, or a failover has lost it. Only what
-- was paid already is not paid again: there, another delivers.
-- KEYS claim, settle, owed, due, and perhaps name; ARGV token, lease, on trust,
-- left, expires, flags, executions, record.

local claim = lapsed(read(KEYS[1]))
local lease = tonumber(ARGV[2])
local own = claim.token == ARGV[1]
local mine = true
if ARGV[3] == '1' then
    -- Money: nothing is proven, and the claim is the only guard.
    mine = own and (claim.state == VERIFYING or claim.state == PAID
                    or claim.state == DELIVERED)
elseif claim.state == DELIVERED then
    mine = own
elseif claim.state == PAID then
    -- Owed, and this machine has the content.
    mine = own or (lease > 0 and claim.lease <= now
                   and claim.executions < MOST_EXECUTIONS)
end
if not mine then
    return {'lost', now, bytes_of(claim)}
end
if claim.state == DELIVERED then
    return {'done', now, ''}
end

local id = id_of(KEYS[1])
local left = tonumber(ARGV[4])
claim.executions = executions_of(claim, ARGV[7])
claim.state = PAID
claim.flags = tonumber(ARGV[6])
claim.lease = lease > 0 and now + lease or 0
claim.expires = tonumber(ARGV[5])
claim.token = ARGV[1]
claim.record = ARGV[8]
save(KEYS[1], claim, left)
redis.call('DEL', KEYS[2])
redis.call('ZREM', KEYS[4], id)
enlist(KEYS[3], id, left, claim.expires == 0)
if KEYS[5] then
    note_name(KEYS[5], id, left, claim.expires == 0, KEYS[1])
end
return {'done', now, ''}
