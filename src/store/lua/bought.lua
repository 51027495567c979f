-- SPDX-License-Identifier: Apache-2.0
-- BOUGHT: what a payer has bought and may come back for. What costs less prolongs
-- nothing that costs more, and what costs more takes its place.
-- KEYS purchases of one payer; ARGV amount, left (ms): of the first key; without
-- them they are read.

local AMOUNT_BYTES = 64

local function read_purchase(key)
    local bytes = redis.call('GET', key)
    local ends = bytes and tonumber(bytes:sub(AMOUNT_BYTES + 1))
    if not ends or ends <= now then
        return nil, 0
    end
    return bytes:sub(1, AMOUNT_BYTES), ends
end

if #ARGV == 2 then
    local amount, ends = read_purchase(KEYS[1])
    local new_ends = now + tonumber(ARGV[2])
    local better = not amount or amount < ARGV[1]
        or (amount == ARGV[1] and ends < new_ends)
    if better and new_ends > now then
        redis.call('SET', KEYS[1], ARGV[1] .. string.format('%.0f', new_ends),
                   'PX', new_ends - now)
    end
    return {'done', now, ''}
end
local answer = {'done', now, ''}
for _, key in ipairs(KEYS) do
    local amount, ends = read_purchase(key)
    answer[#answer + 1] = amount or ''
    answer[#answer + 1] = amount and ends - now or 0
end
return answer
