-- Makes a group's commit true: its position, what is settled beyond it, its dead letters, and the place of Redis's own
-- group, so that XINFO GROUPS tells any tool the truth. Everything is read and checked before the first write.
--
-- KEYS  1 group   hash, see lease.lua
--       2 meta    hash: seq, ms, ord of the tip
--       3 log     stream: entries of events; field n = "<entry ordinal> <events>"
--       4 dead    sorted set: JSON of each dead letter by the seq of its event
-- ARGV  1 token   2 n   3 id and 4 seq of the position ("0-0", 0 before the first event)
--       5 ahead   seqs settled beyond the position, comma separated
--       6 dead letters: [seq, JSON, seq, JSON, …] as JSON
--       7 name of Redis's own group
-- RETURNS {"committed"} | {"already"}: this token has committed this n before | {"fenced"}
--         {"refused", word, seq}: backwards (the group is at seq), beyond (the log ends at seq), other (the log has another
--         event at seq, or none)
--
-- A position may lie inside an entry, as an entry holds several events: Redis's group then stands at the entry before.
-- Guards are marked as in append.lua.

local GROUP, META, LOG, DEAD = unpack(KEYS, 1, 4)
local token, n, id, seq, name = ARGV[1], tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4]), ARGV[7]

-- READ

local stored = redis.call('HMGET', GROUP, 'token', 'n', 'seq')
local meta = redis.call('HMGET', META, 'seq', 'ms', 'ord')
local letters = cjson.decode(ARGV[6])
if #letters > 0 then redis.call('ZCARD', DEAD) end -- guard: type of dead
local hasLog = redis.call('EXISTS', LOG) == 1
local entry = hasLog and redis.call('XRANGE', LOG, id, '+', 'COUNT', 1)[1]
local before = entry and redis.call('XREVRANGE', LOG, '(' .. entry[1], '-', 'COUNT', 1)[1]
local hasGroup = false
if hasLog then
  for _, group in ipairs(redis.call('XINFO', 'GROUPS', LOG)) do
    if group[2] == name then hasGroup = true end
  end
end

-- JUDGE

if token == '' or stored[1] ~= token then return { 'fenced' } end -- guard: commit token
local last = tonumber(stored[2]) or 0
if n == last then return { 'already' } end -- guard: repeated commit
if n ~= last + 1 then return { 'fenced' } end -- guard: commit number
local from, tip = tonumber(stored[3]) or 0, tonumber(meta[1]) or 0
if seq < from then return { 'refused', 'backwards', from } end -- guard: backwards
if seq > tip then return { 'refused', 'beyond', tip } end -- guard: beyond the tip

-- Where Redis's own group comes to stand, and how many entries that is; nothing where the log has no such event.
local function standing()
  if seq == 0 then return '0-0', 0 end
  local ms = string.match(id, '^(%d+)-')
  if not entry then
    -- All entries up to the tip were trimmed.
    if hasLog and seq == tip and ms == meta[2] then return id, tonumber(meta[3]) end
    return nil
  end
  local entryMs, entrySeq = string.match(entry[1], '^(%d+)-(%d+)$')
  local ordinal, events = string.match(entry[2][4], '^(%d+) (%d+)$')
  entrySeq, ordinal = tonumber(entrySeq), tonumber(ordinal)
  local first = entrySeq - tonumber(events) + 1
  if seq < first then
    -- Its own entry was trimmed: possible only when nothing is left before this one.
    if before then return nil end -- guard: missing event
    return id, ordinal - 1
  end
  if ms ~= entryMs then return nil end -- guard: other event
  if seq == entrySeq then return entry[1], ordinal end
  if seq > entrySeq then return nil end
  return before and before[1] or entryMs .. '-' .. string.format('%.0f', first - 1), ordinal - 1
end

local stand, entries = standing()
if not stand then return { 'refused', 'other', seq } end

-- WRITE

local read = string.format('%.0f', entries)
if hasGroup then
  redis.call('XGROUP', 'SETID', LOG, name, stand, 'ENTRIESREAD', read)
elseif hasLog then -- guard: missing group; without: else redis.call('XGROUP', 'SETID', LOG, name, stand, 'ENTRIESREAD', read)
  redis.call('XGROUP', 'CREATE', LOG, name, stand, 'ENTRIESREAD', read)
end
redis.call('HSET', GROUP, 'n', string.format('%.0f', n), 'id', id, 'seq', string.format('%.0f', seq), 'ahead', ARGV[5],
  'gid', stand, 'gread', read)
for i = 1, #letters, 2 do
  redis.call('ZREMRANGEBYSCORE', DEAD, letters[i], letters[i])
  redis.call('ZADD', DEAD, letters[i], letters[i + 1])
end
return { 'committed' }
