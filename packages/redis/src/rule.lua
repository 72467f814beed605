-- Decides about an event that a group cannot process: the head of a parked key, an event in its line, a dead letter.
-- Ruling, audit entry, due mark and counters in one step. Needs no token, and may be repeated.
--
-- KEYS  1 group        hash, see lease.lua: seq, ahead; counters done, dead, requeued
--       2 dead         sorted set: JSON of each dead letter by the seq of its event
--       3 dead-index   sorted set, see dead-index.lua
--       4 parked       hash: key -> "<number> <head> <last> <lined>\n<JSON>"
--       5 parked-due   sorted set: parked keys by the ms when they were marked due; those that are ruled on first
--       6 deferred     hash: key -> "<count>\n<JSON array of deferred events>"
--       7 requeued     sorted set: JSON of dead letters that wait for their late run, by seq
--       8 rulings      hash: seq -> JSON of the ruling
--       9 repairs      stream: seq, key, kind, on, ms, id, overtaken ("<count> <first> <last>" or empty), JSON {by, reason}
--      10 key index    list of the stream ids of the key's events, the seq behind the dash
--      …               with a story, from where it says: see story-facts.lua
-- ARGV  1 JSON: id, seq, key, kind (ignored | corrected | requeued), digest, no (number of the head, or absent),
--         force, dry, now (ms, or absent for the server's clock), most (entries that the audit log keeps),
--         story (see story-facts.lua; its fact lacks the time and where the event was)
--       2 JSON of the ruling without atMs and of, which are put in front
--       3 JSON {by, reason}
-- RETURNS {"ruled", on, count, first, last}: on = head | line | dead; count 0: nothing has overtaken it
--         | {"already"} | {"overtaken", count, first, last} | {"pending", kind} | {"changed", number} | {"gone"}
--
-- Guards are marked as in append.lua.

local GROUP, DEAD, DEAD_INDEX, PARKED, DUE, DEFERRED, REQUEUED, RULINGS, REPAIRS, KEY_INDEX = unpack(KEYS, 1, 10)
local r = cjson.decode(ARGV[1])
local field = string.format('%.0f', r.seq)

-- @include seqs-in.lua
-- @include dead-index.lua
-- @include hset-all.lua
-- @include story-facts.lua

-- READ

local record = redis.call('HMGET', GROUP, 'seq', 'ahead', 'dead', 'done', 'requeued')
local letter = redis.call('ZRANGEBYSCORE', DEAD, r.seq, r.seq)[1]
redis.call('ZCARD', DEAD_INDEX) -- guard: type of dead-index
local late = redis.call('ZCOUNT', REQUEUED, r.seq, r.seq) > 0 -- guard: type of requeued; without: local late = false
local no, head, last, lined, note = string.match(redis.call('HGET', PARKED, r.key) or '', '^(%d+) (%d+) (%d+) (%d+)\n(.*)$')
head, last = tonumber(head), tonumber(last)
local due = redis.call('ZSCORE', DUE, r.key) or nil
local deferred = redis.call('HGET', DEFERRED, r.key)
local ruling = cjson.decode(redis.call('HGET', RULINGS, field) or '{}')
local known = redis.call('LLEN', KEY_INDEX)

local now = r.now
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end

local function seqAt(place) return tonumber(string.match(redis.call('LINDEX', KEY_INDEX, place), '%-(%d+)$')) end

-- The place of the key's first event beyond a seq; their number where there is none.
local function placeBeyond(seq)
  local low, high = 0, known
  while low < high do
    local middle = math.floor((low + high) / 2)
    if seqAt(middle) > seq then high = middle else low = middle + 1 end
  end
  return low
end

local function isDeferred()
  if not deferred then return false end
  for _, one in ipairs(cjson.decode(string.match(deferred, '\n(.*)$'))) do
    if one.seq == r.seq then return true end
  end
  return false
end

local function placeOfEvent()
  if letter then return 'dead' end
  if late then return 'late' end
  if not no then return nil end
  if r.seq == head then return 'head' end
  if r.seq < head or r.seq > last then return nil end -- guard: beyond the line
  local place = placeBeyond(r.seq) - 1
  if place < 0 or seqAt(place) ~= r.seq then return nil end -- guard: of the key
  if isDeferred() then return nil end -- guard: deferred is not in line
  return 'line'
end

-- JUDGE

local on = placeOfEvent()
if on == 'dead' and cjson.decode(letter).key ~= r.key then on = nil end -- guard: letter of the key
local same = ruling.kind == r.kind and ruling.digest == r.digest
if ruling.id == r.id then return { 'already' } end -- guard: repeated repair
if not on then return same and { 'already' } or { 'gone' } end -- guard: neither parked nor dead
if on == 'late' then return same and { 'already' } or { 'pending', ruling.kind } end -- guard: late already
if r.no and on ~= 'dead' and r.no ~= tonumber(no) then return { 'changed', tonumber(no) } end -- guard: head that was seen
if same and (on == 'line' or on == 'head' and due) then return { 'already' } end -- guard: same ruling

local count, first, final = 0, 0, 0
if on == 'dead' and r.kind ~= 'ignored' then
  local settled = tonumber(record[1]) or 0
  local ahead = seqsIn(record[2])
  local from, to = placeBeyond(r.seq), placeBeyond(math.max(settled, ahead[#ahead] or 0))
  if to > from then
    count, first, final = to - from, seqAt(from), seqAt(to - 1)
    if not r.force and not r.dry then return { 'overtaken', count, first, final } end -- guard: force
  end
end
if r.dry then return { 'ruled', on, count, first, final } end -- guard: dry run
judgeStory(r.story)

-- WRITE

local overtaken = count > 0 and string.format('%.0f %.0f %.0f', count, first, final) or ''
redis.call('XADD', REPAIRS, 'MAXLEN', '~', r.most, '*', 'seq', field, 'key', r.key, 'kind', r.kind, 'on', on,
  'ms', string.format('%.0f', now), 'id', r.id, 'overtaken', overtaken, 'said', ARGV[3])
local of = on == 'dead' and 'dead' or 'parked'
redis.call('HSET', RULINGS, field, string.format('{"atMs":%.0f,"of":"%s",', now, of) .. string.sub(ARGV[2], 2))
-- Later than a mark that is there, which an attempt under way answers; else before all others, whatever the owner's clock
-- says: this server's may be ahead of it.
if on == 'head' then redis.call('ZADD', DUE, string.format('%.0f', due and tonumber(due) + 1 or 0), r.key) end
if on == 'dead' then
  redis.call('ZREM', DEAD, letter)
  unlistDead(indexOfLetter(letter))
  local counter = r.kind == 'ignored' and 'done' or 'requeued'
  if counter == 'requeued' then redis.call('ZADD', REQUEUED, field, letter) end
  redis.call('HINCRBY', GROUP, 'dead', -1)
  redis.call('HINCRBY', GROUP, counter, 1)
end
tellRuling(r.story, now, on)
return { 'ruled', on, count, first, final }
