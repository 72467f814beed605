-- Mends what the audit of a group has found, from what is stored: its indexes, or its counters. In one step, so that it
-- can be done while the group works; it takes about 5 µs an item, meanwhile the server does nothing else.
--
-- KEYS  1 group   2 meta   3 dead   4 dead-index   5 parked   6 parked-heads   7 parked-due   8 deferred
--       9 deferred-heads   10 requeued   11 outbox   12 effects   13 effects-pending   14 effects-parked
--      15 effects-dead   16 repairs   17 effects-index   18 effects-passed   19 effects-requeued; see commit.lua, confirm.lua,
--      rule.lua and effects-rule.lua
-- ARGV  1 indexes | counters
--       2 dry, or empty
--       3 most items that one step may read
--       4 now (ms), or empty for the server's clock
--       5 JSON {by, reason}
--       6 most entries of the audit log
-- RETURNS {"mended", by how many more events are done}: 0 for indexes | {"large", items}
--         counters: what lies in the structures is true, and done makes the sum right: events that are lost are done then
--
-- Guards are marked as in append.lua.

local GROUP, META, DEAD, DEAD_INDEX, PARKED, PARKED_HEADS, PARKED_DUE, DEFERRED, DEFERRED_HEADS, REQUEUED, OUTBOX,
  EFFECTS, E_PENDING, E_PARKED, E_DEAD, REPAIRS, E_INDEX, PASSED, E_REQUEUED = unpack(KEYS, 1, 19)
local part, dry, most = ARGV[1], ARGV[2] == 'dry', tonumber(ARGV[3])

-- @include seqs-in.lua
-- @include dead-index.lua
-- @include effect-index.lua
-- @include hset-all.lua

-- READ

local items = redis.call('ZCARD', DEAD) + redis.call('HLEN', PARKED) + redis.call('HLEN', DEFERRED) + redis.call('HLEN', EFFECTS)
if items > most then return { 'large', items } end -- guard: items of one step
local stored = redis.call('HMGET', GROUP, 'base', 'seq', 'ahead', 'done', 'e-confirmed', 'e-ignored', 'o-forwarded', 'e-withheld')
local tip = tonumber(redis.call('HGET', META, 'seq')) or 0
local letters, late = redis.call('ZRANGE', DEAD, 0, -1), redis.call('ZCARD', REQUEUED)
local waiting = redis.call('XLEN', OUTBOX)

local parked, lined, heads, index = 0, 0, {}, {}
local function addAll(members)
  for _, member in ipairs(members) do index[#index + 1] = member end
end
local records = redis.call('HGETALL', PARKED)
for i = 1, #records, 2 do
  local head, line, note = string.match(records[i + 1], '^%d+ (%d+) %d+ (%d+)\n(.*)$')
  parked, lined = parked + 1, lined + tonumber(line)
  heads[#heads + 1] = { head, records[i] }
  addAll(indexOfHeld(records[i], tonumber(head), note))
end
for _, letter in ipairs(letters) do addAll(indexOfLetter(letter)) end

local deferred, firsts = 0, {}
local lists = redis.call('HGETALL', DEFERRED)
for i = 1, #lists, 2 do
  local count, text = string.match(lists[i + 1], '^(%d+)\n(.*)$')
  deferred = deferred + tonumber(count)
  firsts[#firsts + 1] = { string.format('%.0f', cjson.decode(text)[1].seq), lists[i] }
end

local sets, back, deadEffects = { pending = {}, parked = {}, dead = {} }, {}, {}
local effects = redis.call('HGETALL', EFFECTS)
for i = 1, #effects, 2 do
  local status, no, note, facts, ruling = string.match(effects[i + 1], '^(%a+) %d+ (%d+) ([^\n]*)\n([^\n]*)\n[^\n]*(.*)$')
  table.insert(sets[status], { no, effects[i] })
  if status == 'pending' and ruling ~= '' then back[#back + 1] = { no, effects[i] } end
  if status == 'dead' then deadEffects[#deadEffects + 1] = indexOfEffect(no, note, cjson.decode(facts)) end
end

local seq, base = tonumber(stored[2]) or 0, tonumber(stored[1]) or 0
local unsettled = tip - seq - #seqsIn(stored[3])
local done = tip - base - parked - lined - deferred - #letters - late - unsettled
local more = part == 'counters' and done - (tonumber(stored[4]) or 0) or 0
if dry then return { 'mended', more } end -- guard: mending dry

-- WRITE

local now = ARGV[4]
if now == '' then
  local time = redis.call('TIME')
  now = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
end
redis.call('XADD', REPAIRS, 'MAXLEN', '~', ARGV[6], '*', 'seq', '0', 'key', '', 'kind', 'mended', 'on', part, 'ms', now,
  'id', '', 'overtaken', '', 'said', ARGV[5])

local function fill(set, entries)
  redis.call('DEL', set)
  for _, entry in ipairs(entries) do redis.call('ZADD', set, entry[1], entry[2]) end
end

if part == 'indexes' then
  fill(PARKED_HEADS, heads)
  fill(DEFERRED_HEADS, firsts)
  fill(E_PENDING, sets.pending)
  fill(E_PARKED, sets.parked)
  fill(E_DEAD, sets.dead)
  fill(E_REQUEUED, back)
  redis.call('DEL', E_INDEX)
  for _, members in ipairs(deadEffects) do listEffect(members) end
  redis.call('DEL', DEAD_INDEX)
  listDead(index)
  for _, key in ipairs(redis.call('ZRANGE', PARKED_DUE, 0, -1)) do
    if redis.call('HEXISTS', PARKED, key) == 0 then redis.call('ZREM', PARKED_DUE, key) end
  end
  return { 'mended', 0 }
end
local open = #sets.pending + #sets.parked + #sets.dead
local counters = {
  { 'done', done }, { 'parked', parked }, { 'lined', lined }, { 'deferred', deferred }, { 'dead', #letters },
  { 'requeued', late }, { 'e-pending', #sets.pending }, { 'e-parked', #sets.parked }, { 'e-dead', #sets.dead },
  { 'e-recorded', open + (tonumber(stored[5]) or 0) + (tonumber(stored[6]) or 0) + (tonumber(stored[8]) or 0) },
  { 'o-written', waiting + (tonumber(stored[7]) or 0) },
}
local record = {}
for _, counter in ipairs(counters) do
  record[#record + 1] = counter[1]
  record[#record + 1] = string.format('%.0f', counter[2])
end
hsetAll(GROUP, record)
return { 'mended', more }
