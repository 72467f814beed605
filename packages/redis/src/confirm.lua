-- Says what has become of effects, each on its own. Everything is read and checked before the first write.
--
-- KEYS  1 group     hash, see lease.lua
--       2 effects   hash: idempotency key -> "<status> <turn> <number> <JSON note>\n<JSON of facts>\n<JSON payload>", and
--                   "\n<JSON ruling>" where an operator has put it back; open ones
--       3 pending   4 parked   5 dead   sorted sets: idempotency keys by number
--       6 settled   sorted set: idempotency keys by the order of their settlement
--       7 index     8 passed   sorted sets, see effect-index.lua
--       9 requeued  sorted set: idempotency keys of those that operators have put back, by number
--       …           with a story, from where it says: see story-facts.lua
-- ARGV  1 token
--       2 JSON array of [idempotency key, turn, word, JSON note]; word = pending | parked | dead | confirmed | ignored
--       3 how many settled effects are remembered
--       4 JSON of a story, see story-facts.lua, or empty; of = for each fact, the place of the change that it tells of
-- RETURNS {"fenced"} | {"changed", word…}, a word each: moved | already (it was made before) | stale (it has changed since)
--
-- Guards are marked as in append.lua.

local GROUP, EFFECTS, PENDING, PARKED, DEAD, SETTLED, E_INDEX, PASSED, REQUEUED = unpack(KEYS, 1, 9)
local changes, most = cjson.decode(ARGV[2]), tonumber(ARGV[3])
local story = ARGV[4] ~= '' and cjson.decode(ARGV[4])
local open = { pending = PENDING, parked = PARKED, dead = DEAD }
local names = { 'pending', 'parked', 'dead', 'confirmed', 'ignored' }

-- @include hset-all.lua
-- @include effect-index.lua
-- @include story-facts.lua

-- READ

local stored = redis.call('HMGET', GROUP, 'token', 'e-pending', 'e-parked', 'e-dead', 'e-confirmed', 'e-ignored')
if ARGV[1] == '' or stored[1] ~= ARGV[1] then return { 'fenced' } end -- guard: confirming token
local count = {}
for i, name in ipairs(names) do count[name] = tonumber(stored[i + 1]) or 0 end
local ids = {}
for i, change in ipairs(changes) do ids[i] = change[1] end
if #ids == 0 then return { 'changed' } end
local texts = redis.call('HMGET', EFFECTS, unpack(ids)) -- guard: type of effects; without: local texts = redis.pcall('HMGET', EFFECTS, unpack(ids))
local settled = redis.call('ZMSCORE', SETTLED, unpack(ids)) -- guard: type of effects-settled; without: local settled = {}
redis.call('ZCARD', PENDING) -- guard: type of effects-pending
redis.call('ZCARD', PARKED) -- guard: type of effects-parked
redis.call('ZCARD', DEAD) -- guard: type of effects-dead
redis.call('ZCARD', E_INDEX) -- guard: type of the index of dead effects
redis.call('ZCARD', PASSED) -- guard: type of effects-passed
redis.call('ZCARD', REQUEUED) -- guard: type of effects-requeued

-- JUDGE

local results, moves = { 'changed' }, {}
for i, change in ipairs(changes) do
  local id, turn, to, note = unpack(change, 1, 4)
  local status, at, no, noted, body = string.match(texts[i] or '', '^(%a+) (%d+) (%d+) ([^\n]*)(\n.*)$')
  at = tonumber(at)
  local result = 'moved'
  if not status then result = settled[i] and 'already' or 'stale' end
  if status and at ~= turn then result = 'stale' end -- guard: turn
  if status and at == turn + 1 and status == to then result = 'already' end -- guard: repeated turn
  if result == 'moved' then
    moves[#moves + 1] = { id, status, to, no, note, noted, body, turn }
  end
  results[i + 1] = result
end

-- What was not made is not told.
local told = {}
for i, change in ipairs(story and story.of or {}) do
  if results[change + 1] == 'moved' then told[#told + 1] = story.facts[i] end -- guard: told if made; without: told[#told + 1] = story.facts[i]
end
if story then story.facts = told end
judgeStory(story)

-- WRITE

for _, move in ipairs(moves) do
  local id, status, to, no, note, noted, body, turn = unpack(move, 1, 8)
  count[status] = count[status] - 1
  count[to] = count[to] + 1
  redis.call('ZREM', open[status], id)
  -- Where nothing is dead, nothing is listed, and nothing has passed it.
  if status == 'dead' or to == 'dead' or count.dead > 0 then
    local facts = cjson.decode(string.match(body, '^\n([^\n]*)'))
    if status == 'dead' then unlistEffect(indexOfEffect(no, noted, facts), facts.key) end
    if to == 'dead' then listEffect(indexOfEffect(no, note, facts)) end
    if to == 'confirmed' then passed(facts.key, no) end
  end
  -- Put back means: it was dead, and pending again.
  if turn > 1 and to ~= 'pending' then redis.call('ZREM', REQUEUED, id) end
  if open[to] then
    redis.call('ZADD', open[to], no, id)
    redis.call('HSET', EFFECTS, id, string.format('%s %.0f %s %s', to, turn + 1, no, note) .. body)
  else
    redis.call('HDEL', EFFECTS, id)
    redis.call('ZADD', SETTLED, string.format('%.0f', count.confirmed + count.ignored), id)
  end
end
local beyond = redis.call('ZCARD', SETTLED) - most
if beyond > 0 then redis.call('ZREMRANGEBYRANK', SETTLED, 0, beyond - 1) end
local record = {}
for _, name in ipairs(names) do
  record[#record + 1] = 'e-' .. name
  record[#record + 1] = string.format('%.0f', count[name])
end
hsetAll(GROUP, record)
writeStory(story)
return results
