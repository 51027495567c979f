-- SPDX-License-Identifier: Apache-2.0
-- What all scripts begin with. A claim is one string: the bytes of HEAD, which
-- the scripts read, and behind them the record of nginx, which they do not.
-- store_claim.cpp reads the same bytes; LAYOUT is raised with every change.

local VERIFYING, SETTLING, PAID, DELIVERED = 1, 3, 4, 5
local FREE, REFUSED, UNKNOWN, CLOSED = 0, 6, 7, 8
local WAS_VERIFIED, EVER_UNKNOWN, ONLY_GUARD = 1, 2, 32
local ABANDONED, TAKEN_OVER = 64, 128
local LAYOUT, HEAD, HEAD_BYTES = 2, '>BBBBBI8I8c16', 37
local MOST_EXECUTIONS = 3
-- Seconds: someone has still to tell that an open claim was closed; and a claim
-- outlives its payment by this much, because clocks differ.
local LINGERS, AFTERLIFE = 3600, 600
local FIRST_RETRY, LAST_RETRY = 5, 600

-- The store's clock, ms.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function has(flags, flag)
    return bit.band(flags, flag) ~= 0
end

local function read(key)
    local bytes = redis.call('GET', key)
    if not bytes then
        return {state = FREE, flags = 0, executions = 0, tries = 0,
                lease = 0, expires = 0, token = '', record = ''}
    end
    if #bytes < HEAD_BYTES or bytes:byte(1) ~= LAYOUT then
        error(redis.error_reply('X402LAYOUT a claim of another release'))
    end
    local claim = {record = bytes:sub(HEAD_BYTES + 1)}
    local _
    _, claim.state, claim.flags, claim.executions, claim.tries,
        claim.lease, claim.expires, claim.token = struct.unpack(HEAD, bytes)
    return claim
end

-- Money: a settlement whose owner is silent was perhaps sent. What is read is
-- not written: until another takes the claim its owner may still come back.
local function lapsed(claim)
    if claim.state == SETTLING and claim.lease <= now then
        claim.state = UNKNOWN
        claim.flags = bit.bor(claim.flags, EVER_UNKNOWN, ABANDONED)
        claim.lease = 0
    end
    return claim
end

-- Executions, where a machine says `told`. A refused payment starts again at 0.
local function executions_of(claim, told)
    if claim.state == REFUSED then
        return tonumber(told)
    end
    return math.max(claim.executions, tonumber(told))
end

local function bytes_of(claim)
    if claim.state == FREE then
        return ''
    end
    return struct.pack(HEAD, LAYOUT, claim.state, claim.flags,
                       claim.executions, claim.tries, claim.lease,
                       claim.expires, claim.token) .. claim.record
end

-- The facilitator said once that the payer can pay for this; else anyone can
-- have made the claim in its name.
local function payer_was_verified(flags)
    return has(flags, WAS_VERIFIED) or has(flags, TAKEN_OVER)
end

local function is_over(state)
    return state == DELIVERED or state == REFUSED or state == CLOSED
end

-- `left`: seconds until the payment expires; negative numbers of a payment that
-- never does.
local function put(key, value, left, never)
    if never then
        redis.call('SET', key, value)
    else
        redis.call('SET', key, value, 'EX', math.max(left, 1))
    end
end

-- A claim that is over keeps its head alone.
local function save(key, claim, left)
    local never = claim.expires == 0
    if is_over(claim.state) then
        claim.lease = 0
        claim.record = ''
    end
    if claim.state == DELIVERED or claim.state == REFUSED then
        put(key, bytes_of(claim), left, never)
    else
        put(key, bytes_of(claim), math.max(left, 0) + LINGERS, never)
    end
end

local function id_of(key)
    return key:sub(-64)
end

-- Claims of one payer and resource that may be owed or unknown, oldest first.
local function enlist(owed, id, left, never)
    redis.call('ZADD', owed, 'NX', now, id)
    local ms = (math.max(left, 0) + LINGERS) * 1000
    if never then
        redis.call('PERSIST', owed)
    elseif redis.call('ZCARD', owed) == 1 then
        redis.call('PEXPIRE', owed, ms)
    else
        -- Not that of one that stays, which has no time.
        redis.call('PEXPIRE', owed, ms, 'GT')
    end
end

-- When an UNKNOWN claim is asked about next: after 5, 15, 45 s ... 10 min until
-- its payment cannot be used any more, and then when it is to be closed.
local function plan_retry(due, id, claim, left, has_settle)
    local delay = math.min(FIRST_RETRY * 3 ^ claim.tries, LAST_RETRY)
    claim.tries = math.min(claim.tries + 1, 255)
    if claim.expires == 0 then
        left = math.huge
    end
    if has_settle and delay < left - AFTERLIFE then
        redis.call('ZADD', due, now + delay * 1000, id)
    elseif left < math.huge then
        redis.call('ZADD', due, now + math.max(left, 0) * 1000, id)
    else
        redis.call('ZREM', due, id)
    end
end

-- The claim `holder` has come to nothing: its name may be given to another.
local function came_to_nothing(key)
    local claim = read(key)
    return claim.state == FREE or claim.state == REFUSED
        or (claim.state == VERIFYING and claim.lease <= now)
end

-- A payment identifier. False: another payment has it. `like`: a key of a claim
-- in the same shard, or nil if the holder's may be in another.
local function note_name(name, id, left, never, like)
    local holder = redis.call('GET', name)
    if holder and holder ~= id
        and not (like and came_to_nothing(like:sub(1, -65) .. holder)) then
        return false
    end
    put(name, id, left, never)
    return true
end

local function forget_name(name, id)
    if name and redis.call('GET', name) == id then
        redis.call('DEL', name)
    end
end
