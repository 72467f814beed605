-- Says of which keys a group carries effects out, with an entry of the audit log. Needs no token: its owner follows.
--
-- KEYS  1 shadow    hash: no = number of the last change; percent; "k<key>" = 1 (carried out) or 0 (withheld)
--       2 repairs   stream, see rule.lua
-- ARGV  1 JSON: percent (absent: as it was), set [["k<key>", "1" or "0"], …], forget ["k<key>", …], kind, key (the one, or
--         empty), now (ms, or absent for the server's clock), most (entries of the audit log), keys (most of them by name)
--       2 JSON {by, reason}
-- RETURNS {"set", [field, value, …]}: the whole hash | {"crowded"}
--
-- Guards are marked as in append.lua.

local SHADOW, REPAIRS = unpack(KEYS, 1, 2)
local r = cjson.decode(ARGV[1])

local known = redis.call('HMGET', SHADOW, 'no', 'percent')
local named = redis.call('HLEN', SHADOW) - (known[1] and 1 or 0) - (known[2] and 1 or 0)
local counted = {}
for _, one in ipairs(r.set) do
  if not counted[one[1]] and redis.call('HEXISTS', SHADOW, one[1]) == 0 then named = named + 1 end
  counted[one[1]] = true
end
for _, field in ipairs(r.forget) do named = named - redis.call('HEXISTS', SHADOW, field) end
if named > r.keys then return { 'crowded' } end -- guard: keys by name

local now = r.now
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
-- The first write: a foreign audit log refuses the whole call.
redis.call('XADD', REPAIRS, 'MAXLEN', '~', r.most, '*', 'seq', '0', 'key', r.key, 'kind', r.kind, 'on', 'shadow',
  'ms', string.format('%.0f', now), 'id', '', 'overtaken', '', 'said', ARGV[2])
redis.call('HINCRBY', SHADOW, 'no', 1)
if r.percent then redis.call('HSET', SHADOW, 'percent', tostring(r.percent)) end
for _, one in ipairs(r.set) do redis.call('HSET', SHADOW, one[1], one[2]) end
for _, field in ipairs(r.forget) do redis.call('HDEL', SHADOW, field) end
return { 'set', redis.call('HGETALL', SHADOW) }
