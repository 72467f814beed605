-- Removes a building generation that nobody works on.
--
-- KEYS  1 group   hash of the building generation, see lease.lua
--       2… all other keys of it
-- ARGV  1 now     ms, or empty for the server's clock
-- RETURNS "dropped" | "held": a replay has its lease
--
-- Guards are marked as in append.lua.

local now = tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
if now < (tonumber(redis.call('HGET', KEYS[1], 'until')) or 0) then return 'held' end -- guard: generation at work
redis.call('UNLINK', unpack(KEYS))
return 'dropped'
