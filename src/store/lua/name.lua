-- SPDX-License-Identifier: Apache-2.0
-- NAME: which payment has a payment identifier.
-- KEYS name, and perhaps a claim of its shard; ARGV what, claim, left, never.

if ARGV[1] == 'forget' then
    forget_name(KEYS[1], ARGV[2])
    return {'done', now, ''}
end
local noted = note_name(KEYS[1], ARGV[2], tonumber(ARGV[3]), ARGV[4] == '1',
                        KEYS[2])
return {noted and 'done' or 'name_taken', now, ''}
