-- SPDX-License-Identifier: Apache-2.0
-- FINISH: the claim is out of its owner's hands. That content was delivered, is
-- owed, or that an outcome is unknown are facts, which raise what the store
-- has, also after it forgot the claim; the rest is for the owner to say.
-- KEYS claim, settle, owed, due, and perhaps name; ARGV token, how, left,
-- expires, flags, executions, record, settle.

local claim = lapsed(read(KEYS[1]))
local how = ARGV[2]
local left, expires = tonumber(ARGV[3]), tonumber(ARGV[4])
local flags = tonumber(ARGV[5])
local id = id_of(KEYS[1])
local state = claim.state
local own = claim.token == ARGV[1]
local open = state == VERIFYING or state == SETTLING or state == UNKNOWN
local silent = state == FREE or state == REFUSED or state == VERIFYING

local function answer(verdict)
    return {verdict, now, verdict == 'lost' and bytes_of(claim) or ''}
end

local function enter(next_state)
    claim.executions = executions_of(claim, ARGV[6])
    claim.state = next_state
    claim.lease = 0
    claim.flags = flags
    claim.expires = expires
    claim.token = ARGV[1]
    if ARGV[7] ~= '' then
        claim.record = ARGV[7]
    end
end

local function end_of_doubt()
    redis.call('DEL', KEYS[2])
    redis.call('ZREM', KEYS[4], id)
end

local function end_of_claim(next_state)
    enter(next_state)
    save(KEYS[1], claim, left)
    end_of_doubt()
    redis.call('ZREM', KEYS[3], id)
    return answer('done')
end

local function unknown()
    flags = bit.bor(flags, EVER_UNKNOWN)
    if ARGV[8] ~= '' and redis.call('EXISTS', KEYS[2]) == 0 then
        put(KEYS[2], ARGV[8], math.max(left, 0) + LINGERS, expires == 0)
    end
    if silent then
        claim.tries = 0
    end
    enter(UNKNOWN)
    plan_retry(KEYS[4], id, claim, left, redis.call('EXISTS', KEYS[2]) == 1)
    save(KEYS[1], claim, left)
    if payer_was_verified(flags) then
        enlist(KEYS[3], id, left, expires == 0)
    end
    return answer('done')
end

local steps = {}

function steps.delivered()
    if state == DELIVERED then
        return answer('done')
    end
    return end_of_claim(DELIVERED)
end

function steps.owed()
    local raises = ARGV[7] ~= ''
        and (own or (state ~= PAID and state ~= DELIVERED))
    if not (raises or (own and state == PAID)) then
        return answer('lost')
    end
    enter(PAID)
    save(KEYS[1], claim, left)
    end_of_doubt()
    enlist(KEYS[3], id, left, expires == 0)
    return answer('done')
end

function steps.unknown()
    if (own and open) or (silent and ARGV[7] ~= '') then
        return unknown()
    end
    return answer('lost')
end

-- Money: the owner knows whether the outcome was ever unknown. No refusal
-- counts then.
function steps.refused()
    if own and state == REFUSED then
        return answer('done')
    end
    if not (own and open) then
        return answer('lost')
    end
    if has(flags, EVER_UNKNOWN) then
        return unknown()
    end
    forget_name(KEYS[5], id)
    return end_of_claim(REFUSED)
end

function steps.free()
    if state == FREE then
        return answer('done')
    end
    -- A payment that was accepted on trust, and was not delivered.
    local on_trust = state == PAID and has(flags, ONLY_GUARD)
    if not (own and (open or on_trust)) then
        return answer('lost')
    end
    if has(flags, EVER_UNKNOWN) then
        return unknown()
    end
    forget_name(KEYS[5], id)
    redis.call('DEL', KEYS[1])
    end_of_doubt()
    redis.call('ZREM', KEYS[3], id)
    return answer('done')
end

function steps.closed()
    if own and state == CLOSED then
        return answer('done')
    end
    if not (own and state == UNKNOWN) then
        return answer('lost')
    end
    return end_of_claim(CLOSED)
end

return steps[how]()
