-- Removes outbox entries whose events are on their target. Needs no token, and may be repeated.
--
-- KEYS  1 group    hash, see lease.lua
--       2 outbox   stream
-- ARGV  1… ids of entries
-- RETURNS how many of them were there

local GROUP, OUTBOX = KEYS[1], KEYS[2]
local forwarded = tonumber(redis.call('HGET', GROUP, 'o-forwarded')) or 0 -- guard: type of the group; without: local forwarded = 0
local removed = redis.call('XDEL', OUTBOX, unpack(ARGV))
if removed > 0 then redis.call('HSET', GROUP, 'o-forwarded', string.format('%.0f', forwarded + removed)) end
return removed
