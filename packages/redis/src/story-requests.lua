-- Notes how doors have answered requests, by correlation id.
--
-- KEYS  1 cursors       hash: requests-since = when the present generation began (ms)
--       2 requests      hash, present generation: correlation id -> JSON of requests, a line each
--       3 requests-old  hash: the generation before
-- ARGV  1 JSON: now = ms, or absent for the server's clock;  window, most  the generation ends after so many ms, or
--         fields;  bytes  of the requests of one correlation id;  requests  [[correlation id, JSON and JSON …], …] each
--         id once, at most 4,000
-- RETURNS "noted"
--
-- Guards are marked as in append.lua.

local CURSORS, REQUESTS, OLD = unpack(KEYS, 1, 3)
local c = cjson.decode(ARGV[1])

-- @include hset-all.lua

-- READ

local now = c.now
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
local since = tonumber(redis.call('HGET', CURSORS, 'requests-since') or nil) or now -- guard: cursors of requests; without: local since = now
local turn = redis.call('HLEN', REQUESTS) >= c.most or now - since >= c.window -- guard: type of requests; without: local turn = now - since >= c.window
local ids, texts, values = {}, {}, {}
for i, one in ipairs(c.requests) do ids[i] = one[1] end
if not turn then texts = redis.call('HMGET', REQUESTS, unpack(ids)) end
for i, one in ipairs(c.requests) do
  local text = (texts[i] and texts[i] .. '\n' or '') .. one[2]
  -- The latest whole ones that fit.
  if #text > c.bytes then text = string.sub(text, string.find(text, '\n', #text - c.bytes, true) + 1) end
  values[2 * i - 1], values[2 * i] = one[1], text
end

-- WRITE

if turn then
  redis.call('UNLINK', OLD)
  if redis.call('EXISTS', REQUESTS) == 1 then redis.call('RENAME', REQUESTS, OLD) end -- guard: turn without requests; without: redis.call('RENAME', REQUESTS, OLD)
  since = now
end
hsetAll(REQUESTS, values)
redis.call('HSET', CURSORS, 'requests-since', string.format('%.0f', since))
return 'noted'
