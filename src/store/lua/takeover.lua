-- SPDX-License-Identifier: Apache-2.0
-- TAKEOVER: another payment under the same key, which was verified, takes the
-- claim of one that never was and whose outcome is unknown.
-- KEYS claim, settle, owed, due, and perhaps name; ARGV token, lease, the
-- caller's clock, left, expires, flags, executions, record, settle.

local claim = lapsed(read(KEYS[1]))
local again = claim.token == ARGV[1] and has(claim.flags, TAKEN_OVER)
local can_be_had = claim.lease <= now and not has(claim.flags, WAS_VERIFIED)
    and (claim.expires == 0 or claim.expires > tonumber(ARGV[3]))
if not (claim.state == UNKNOWN and (again or can_be_had)) then
    return {'lost', now, bytes_of(claim)}
end

local id = id_of(KEYS[1])
local left, expires = tonumber(ARGV[4]), tonumber(ARGV[5])
-- The longer of the two; 0 never expires.
if claim.expires == 0 then
    expires = 0
elseif expires ~= 0 and claim.expires > expires then
    left = left + claim.expires - expires
    expires = claim.expires
end
local never = expires == 0
if KEYS[5] and not note_name(KEYS[5], id, left, never, KEYS[1]) then
    return {'name_taken', now, bytes_of(claim)}
end
-- It stays UNKNOWN, and never verified: no unproven rule will end it.
local flags = bit.bor(tonumber(ARGV[6]), EVER_UNKNOWN, TAKEN_OVER)
claim.flags = bit.band(flags, bit.bnot(WAS_VERIFIED))
claim.executions = tonumber(ARGV[7])
claim.tries = 0
claim.lease = now + tonumber(ARGV[2])
claim.expires = expires
claim.token = ARGV[1]
claim.record = ARGV[8]
save(KEYS[1], claim, left)
if ARGV[9] == '' then
    redis.call('DEL', KEYS[2])
else
    put(KEYS[2], ARGV[9], math.max(left, 0) + LINGERS, never)
end
redis.call('ZADD', KEYS[4], claim.lease, id)
enlist(KEYS[3], id, left, never)
return {'done', now, ''}
