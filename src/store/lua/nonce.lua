-- SPDX-License-Identifier: Apache-2.0
-- NONCE: a nonce of sign-in-with-x is used once. Without allow-oom: a payer may
-- sign as often as it likes.
-- KEYS nonce; ARGV token, kept for (ms).

local user = redis.call('GET', KEYS[1])
if user and user ~= ARGV[1] then
    return {'lost', now, ''}
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return {'done', now, ''}
