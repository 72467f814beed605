-- Takes events of a partition into the index by which stories are found, and moves the index on in that partition.
--
-- KEYS  1 cursors     hash: "<topic>/<partition>" -> stream id up to which its events are in; since = when the present
--                     generation began (ms)
--       2 places      hash, present generation: "c<correlation id>" -> "<count> <place> <place> …", "e<event id>" ->
--                     "<place> …"; a place = "<topic>/<partition>/<stream id>"
--       3 places-old  hash: the generation before
-- ARGV  1 JSON: of = "<topic>/<partition>", from, to = stream ids; now = ms, or absent for the server's clock;
--         window, most  the generation ends after so many ms, or fields;  mostPlaces  of one correlation id
--         correlations  [[id, place, place, …], …] each once;  events  [[id, place, …], …] each once; of both at most 4,000
-- RETURNS "noted" | "moved": the index is not at `from`
--
-- Guards are marked as in append.lua.

local CURSORS, PLACES, OLD = unpack(KEYS, 1, 3)
local c = cjson.decode(ARGV[1])

-- @include hset-all.lua

-- READ

local stored = redis.call('HMGET', CURSORS, c.of, 'since') -- guard: type of cursors; without: local stored = {}
if stored[1] and stored[1] ~= c.from then return 'moved' end -- guard: cursor
local now = c.now
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
local since = tonumber(stored[2]) or now
local turn = redis.call('HLEN', PLACES) >= c.most or now - since >= c.window -- guard: type of places; without: local turn = now - since >= c.window

-- What the present generation has of these ids, which share a first letter.
local function textsOf(letter, list)
  local fields = {}
  for i, one in ipairs(list) do fields[i] = letter .. one[1] end
  if turn or #fields == 0 then return fields, {} end
  return fields, redis.call('HMGET', PLACES, unpack(fields))
end

local values = {}
local function set(field, text)
  values[#values + 1] = field
  values[#values + 1] = text
end

local fields, texts = textsOf('c', c.correlations)
for i, one in ipairs(c.correlations) do
  local before, rest = string.match(texts[i] or '0', '^(%d+)(.*)$')
  before = tonumber(before)
  local room = c.mostPlaces - math.min(before, c.mostPlaces)
  local more = rest
  if room > 0 and #one > 1 then more = rest .. ' ' .. table.concat(one, ' ', 2, math.min(#one, room + 1)) end -- guard: most places; without: if #one > 1 then more = rest .. ' ' .. table.concat(one, ' ', 2) end
  set(fields[i], string.format('%.0f', before + #one - 1) .. more)
end
fields, texts = textsOf('e', c.events)
for i, one in ipairs(c.events) do
  set(fields[i], (texts[i] and texts[i] .. ' ' or '') .. table.concat(one, ' ', 2))
end

-- WRITE

if turn then
  -- Freed in the background: a rename onto a large hash would free it at once.
  redis.call('UNLINK', OLD)
  if redis.call('EXISTS', PLACES) == 1 then redis.call('RENAME', PLACES, OLD) end -- guard: turn without places; without: redis.call('RENAME', PLACES, OLD)
  since = now
end
hsetAll(PLACES, values)
redis.call('HSET', CURSORS, c.of, c.to, 'since', string.format('%.0f', since))
return 'noted'
