-- SPDX-License-Identifier: Apache-2.0
-- PASS: how many requests a pass is still good for. The last uses are kept with
-- it, so that a call may be repeated, and what got no content be given back once.
-- KEYS pass; ARGV what, token, requests, left (ms).

local MOST_USES, USE, USE_BYTES = 32, '>c16I4', 20
local what, token, requests = ARGV[1], ARGV[2], tonumber(ARGV[3])
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
local uses = bytes:sub(5)
local at, taken
for from = 1, #uses, USE_BYTES do
    local user, count = struct.unpack(USE, uses, from)
    if user == token then
        at, taken = from, count
    end
end
local function save()
    redis.call('SET', KEYS[1], struct.pack('>I4', left) .. uses, 'KEEPTTL')
end

if what == 'use' then
    if not at then
        if left < requests then
            return {'lost', now, '', left}
        end
        left = left - requests
        uses = uses .. struct.pack(USE, token, requests)
        uses = uses:sub(-MOST_USES * USE_BYTES)
        save()
    end
    return {'done', now, '', left}
end
if at then
    left = left + taken
    uses = uses:sub(1, at - 1) .. uses:sub(at + USE_BYTES)
    save()
end
return {'done', now, '', left}
