-- Removes the records of keys, under the token of whoever holds the live lease: marks take their places, with the number
-- of the last event that each had, so that its owner folds it anew. May be repeated.
--
-- KEYS  1 group        hash, see lease.lua
--       2 states       3 timers   see commit.lua
--       4 migrations   see commit-migrations.lua
--       5 repairs      stream, see rule.lua
-- ARGV  1 token
--       2 JSON: keys, history (their migrations too), timers [JSON [key, name], …] to cancel, logged (with an entry of the
--         audit log), key (how it names them), now (ms, or absent for the server's clock), most (entries of the audit log)
--       3 JSON {by, reason}
--       4 the mark
-- RETURNS {"dropped", records, migrations} | {"fenced"}
--
-- Guards are marked as in append.lua.

local GROUP, STATES, TIMERS, MIGRATIONS, REPAIRS = unpack(KEYS, 1, 5)
local r = cjson.decode(ARGV[2])

if ARGV[1] == '' or redis.call('HGET', GROUP, 'token') ~= ARGV[1] then return { 'fenced' } end -- guard: token of a drop
local texts = #r.keys > 0 and redis.call('HMGET', STATES, unpack(r.keys)) or {}
redis.call('ZCARD', TIMERS) -- guard: type of timers
redis.call('HLEN', MIGRATIONS) -- guard: type of migrations
redis.call('XLEN', REPAIRS) -- guard: type of repairs

local records, migrations, seen = 0, 0, {}
for i, key in ipairs(r.keys) do
  local text = texts[i]
  if text and not seen[key] and string.sub(text, -#ARGV[4]) ~= ARGV[4] then -- guard: dropped before; without: if text then
    seen[key] = true
    records = records + 1
    redis.call('HSET', STATES, key, '0 ' .. string.match(text, '^%d+ (%d+)\n') .. '\n\n' .. ARGV[4])
  end
  if r.history then migrations = migrations + redis.call('HDEL', MIGRATIONS, key) end
end
for _, timer in ipairs(r.timers) do redis.call('ZREM', TIMERS, timer) end
if r.logged then
  local now = r.now
  if not now then
    local time = redis.call('TIME')
    now = time[1] * 1000 + math.floor(time[2] / 1000)
  end
  redis.call('XADD', REPAIRS, 'MAXLEN', '~', r.most, '*', 'seq', '0', 'key', r.key, 'kind', 'dropped', 'on', 'state',
    'ms', string.format('%.0f', now), 'id', '', 'overtaken', '', 'said', ARGV[3])
end
return { 'dropped', records, migrations }
