-- Puts a building generation into the place of the live one: states and timers; what it has fired itself goes behind
-- the live journal. Lists, letters, effects and outbox stay. The live lease is let go, so that whoever had it drops its
-- cache. Everything is checked before the first write.
--
-- KEYS  1 group     hash of the live generation, see lease.lua
--       2 built     hash of the building one
--       3 states    4 timers    5 journal    of the live generation, see commit.lua
--       6 states    7 timers    8 journal    of the building one
--       9… all other keys of the building generation
-- ARGV  1 token of the live lease         2 its n
--       3 token of the building lease     4 its n
--       5 number of the building generation
-- RETURNS "switched" | "already" (the live generation has that number) | "fenced" | "apart" (the positions differ)
--         | "crowded" (it has fired too many timers itself)
--
-- Guards are marked as in append.lua.

local GROUP, BUILT, STATES, TIMERS, JOURNAL, NEW_STATES, NEW_TIMERS, NEW_JOURNAL = unpack(KEYS, 1, 8)
local live = redis.call('HMGET', GROUP, 'token', 'n', 'id', 'seq', 'ahead', 'generation', 'fired')
local built = redis.call('HMGET', BUILT, 'token', 'n', 'id', 'seq', 'ahead')
local mostFired = 10000

if (tonumber(live[6]) or 0) >= tonumber(ARGV[5]) then return 'already' end -- guard: switched before
if ARGV[1] == '' or live[1] ~= ARGV[1] then return 'fenced' end -- guard: live token
if (tonumber(live[2]) or 0) ~= tonumber(ARGV[2]) then return 'fenced' end -- guard: live number
if ARGV[3] == '' or built[1] ~= ARGV[3] then return 'fenced' end -- guard: building token
if (tonumber(built[2]) or 0) ~= tonumber(ARGV[4]) then return 'fenced' end -- guard: building number
if (live[3] or '0-0') ~= (built[3] or '0-0') or (live[4] or '0') ~= (built[4] or '0') then return 'apart' end -- guard: equal positions
if (live[5] or '') ~= (built[5] or '') then return 'apart' end -- guard: equal ahead
redis.call('HLEN', NEW_STATES) -- guard: type of new states
redis.call('ZCARD', NEW_TIMERS) -- guard: type of new timers
redis.call('ZCARD', JOURNAL) -- guard: type of live journal
if redis.call('ZCARD', NEW_JOURNAL) > mostFired then return 'crowded' end -- guard: firings of its own
local own = redis.call('ZRANGE', NEW_JOURNAL, 0, -1)

-- A rename over a large hash would free it on the spot; unlinked first, it is freed beside.
local function move(from, to)
  redis.call('UNLINK', to)
  if redis.call('EXISTS', from) == 1 then redis.call('RENAME', from, to) end
end

move(NEW_STATES, STATES)
move(NEW_TIMERS, TIMERS)
local fired = tonumber(live[7]) or 0
for _, firing in ipairs(own) do
  fired = fired + 1
  redis.call('ZADD', JOURNAL, 0, string.sub(firing, 1, 16) .. string.format('%015.0f', fired) .. string.sub(firing, 32))
end
redis.call('HSET', GROUP, 'generation', ARGV[5], 'fired', string.format('%.0f', fired), 'token', '', 'until', '0')
redis.call('UNLINK', BUILT, NEW_JOURNAL, unpack(KEYS, 9))
return 'switched'
