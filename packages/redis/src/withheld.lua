-- Lets withheld effects go, or ignores them, each on its own. Needs no token, and may be repeated.
--
-- KEYS  1 group          hash, see lease.lua: counters e-withheld, e-pending, e-ignored
--       2 withheld       3 withheld-order, see commit-withheld.lua
--       4 effects        5 effects-pending, see commit.lua
--       6 effects-requeued   sorted set, see effects-rule.lua: its owner looks at it
--       7 repairs        stream, see rule.lua
--       8 effects-settled  sorted set, see confirm.lua
-- ARGV  1 JSON: ids, to (released | ignored), id (of the ruling), now (ms, or absent for the server's clock), most (entries
--         of the audit log)
--       2 JSON {by, reason}
-- RETURNS a word for each: moved | gone
--
-- Guards are marked as in append.lua.

local GROUP, WITHHELD, ORDER, EFFECTS, PENDING, REQUEUED, REPAIRS, SETTLED = unpack(KEYS, 1, 8)
local r = cjson.decode(ARGV[1])

redis.call('HGET', GROUP, 'e-withheld') -- guard: type of the group
local texts = redis.call('HMGET', WITHHELD, unpack(r.ids))
redis.call('ZCARD', ORDER) -- guard: type of withheld-order
local open = redis.call('HMGET', EFFECTS, unpack(r.ids)) -- guard: type of effects; without: local open = redis.pcall('HMGET', EFFECTS, unpack(r.ids))
local settled = redis.call('ZMSCORE', SETTLED, unpack(r.ids)) -- guard: settled already; without: local settled = {}
redis.call('ZCARD', PENDING) -- guard: type of effects-pending
redis.call('ZCARD', REQUEUED) -- guard: type of effects-requeued

local results, moves, seen = {}, {}, {}
for i, id in ipairs(r.ids) do
  results[i] = 'gone'
  if open[i] then texts[i] = false end -- guard: open already
  if settled[i] then texts[i] = false end
  if texts[i] and not seen[id] then
    seen[id] = true -- guard: named twice
    results[i] = 'moved'
    local no, body = string.match(texts[i], '^(%d+)\n(.*)$')
    moves[#moves + 1] = { id, no, body }
  end
end
if #moves == 0 then return results end

local now = r.now
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
-- The first write: a foreign audit log refuses the whole call.
redis.call('XADD', REPAIRS, 'MAXLEN', '~', r.most, '*', 'seq', '0', 'key', '', 'kind', r.to, 'on', 'withheld',
  'ms', string.format('%.0f', now), 'id', '', 'overtaken', '', 'said', ARGV[2])
local ruling = string.format('\n{"atMs":%.0f,"id":"","digest":"","kind":"requeued",', now) .. string.sub(ARGV[2], 2)
for _, move in ipairs(moves) do
  local id, no, body = unpack(move, 1, 3)
  redis.call('HDEL', WITHHELD, id)
  redis.call('ZREM', ORDER, id)
  if r.to == 'released' then
    -- As after three turns: recorded, withheld, released. Those that were put back have at least two behind them.
    redis.call('HSET', EFFECTS, id, 'pending 2 ' .. no .. ' null\n' .. body .. ruling)
    redis.call('ZADD', PENDING, no, id)
    redis.call('ZADD', REQUEUED, no, id)
  end
end
redis.call('HINCRBY', GROUP, 'e-withheld', -#moves)
redis.call('HINCRBY', GROUP, r.to == 'released' and 'e-pending' or 'e-ignored', #moves)
return results
