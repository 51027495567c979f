-- SPDX-License-Identifier: Apache-2.0
-- SETTLING: before the first byte of settle leaves the machine.
-- KEYS claim, settle, owed, due, and perhaps name; ARGV token, lease,
-- repeated, left, expires, flags, executions, record, settle.

local claim = lapsed(read(KEYS[1]))
local repeated = ARGV[3] == '1'
local own = claim.token == ARGV[1]
local open = claim.state == VERIFYING or claim.state == SETTLING
    or claim.state == UNKNOWN
-- Money: a claim that another has taken, or that is gone, sends nothing. If it
-- is on the wire already, it goes before those who have sent nothing.
local silent = claim.state == FREE or claim.state == REFUSED
    or claim.state == VERIFYING
if not ((own and open) or (repeated and silent)) then
    return {'lost', now, bytes_of(claim)}
end

local id = id_of(KEYS[1])
local left, expires = tonumber(ARGV[4]), tonumber(ARGV[5])
local never = expires == 0
if KEYS[5] and not note_name(KEYS[5], id, left, never, KEYS[1]) then
    return {'name_taken', now, bytes_of(claim)}
end

-- Asked again it keeps what was sent the first time. Whether it was unknown is
-- what its owner says: that its lease was over may be all that happened.
local flags = tonumber(ARGV[6])
local keeps = has(flags, EVER_UNKNOWN) and redis.call('EXISTS', KEYS[2]) == 1
if ARGV[9] ~= '' and not keeps then
    put(KEYS[2], ARGV[9], math.max(left, 0) + LINGERS, never)
end
claim.executions = executions_of(claim, ARGV[7])
claim.state = SETTLING
claim.flags = flags
if silent then
    claim.tries = 0
end
claim.lease = now + tonumber(ARGV[2])
claim.expires = expires
claim.token = ARGV[1]
claim.record = ARGV[8]
save(KEYS[1], claim, left)
redis.call('ZADD', KEYS[4], claim.lease, id)
if payer_was_verified(flags) then
    enlist(KEYS[3], id, left, never)
end
return {'done', now, ''}
