-- SPDX-License-Identifier: Apache-2.0
-- TAKE: a payment has arrived. Without allow-oom: a store
-- that is full takes no new payments, and lets those that were begun end.
-- KEYS claim, owed, settle; ARGV token, lease, flags.

local OLDER_LOOKED, MOST_OLDER = 64, 8

local claim = lapsed(read(KEYS[1]))
local own = claim.token == ARGV[1]
if not (claim.state == FREE or claim.state == REFUSED
        or (claim.state == VERIFYING and (own or claim.lease <= now))) then
    -- Perhaps it was forged, and this payment is the genuine one (TAKEOVER).
    local doubted = claim.state == UNKNOWN and claim.lease <= now
        and not has(claim.flags, WAS_VERIFIED)
    local settle = doubted and redis.call('GET', KEYS[3])
    return {'held', now, bytes_of(claim), settle or ''}
end

-- That it was refused before must be in the answer to a repeated call, too.
local was_refused = claim.state == REFUSED
    or (claim.state == VERIFYING and own and claim.tries == 1)
local lease = tonumber(ARGV[2])
local taken = {state = VERIFYING, flags = tonumber(ARGV[3]), executions = 0,
               tries = was_refused and 1 or 0, lease = now + lease,
               expires = 0, token = ARGV[1], record = ''}
-- It outlives its lease, so that an owner that is late and has sent nothing
-- may go on if no other came.
redis.call('SET', KEYS[1], bytes_of(taken), 'PX', 2 * lease)

local before = ''
if was_refused then
    taken.state = REFUSED
    before = bytes_of(taken)
end
local answer = {'taken', now, before}

-- What is owed to the payer for this resource, or unknown, goes first. A claim
-- that was never verified is not its payer's. Keys of other claims lie in the slot
-- of this one.
local function is_older(older)
    if older.state == PAID then
        return older.lease <= now and older.executions < MOST_EXECUTIONS
    end
    local was_unknown = older.state == UNKNOWN
        or (older.state == SETTLING and has(older.flags, EVER_UNKNOWN))
    return was_unknown and payer_was_verified(older.flags)
end

local own_id = id_of(KEYS[1])
local ids = redis.call('ZRANGE', KEYS[2], 0, OLDER_LOOKED - 1)
local found = 0
for _, id in ipairs(ids) do
    local older = lapsed(read(KEYS[1]:sub(1, -65) .. id))
    if older.state == FREE or is_over(older.state) then
        redis.call('ZREM', KEYS[2], id)
    elseif found < MOST_OLDER and id ~= own_id and is_older(older) then
        found = found + 1
        answer[#answer + 1] = id
        answer[#answer + 1] = bytes_of(older)
    end
end
return answer
