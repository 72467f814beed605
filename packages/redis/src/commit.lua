-- Makes a group's commit true, all parts of it or none: position, states, parked and deferred lists, dead letters, outbox
-- entries, effects, timers, and the place of Redis's own group, so that XINFO GROUPS tells any tool the truth.
-- Everything is read and checked before the first write, because Redis does not roll back. Where there are outbox
-- entries their XADD is the first write, so that a foreign entry refuses the whole call. Emitted events whose partition
-- is at hand are on their topic in the same step, see commit-at-once.lua.
--
-- KEYS  1 group            hash, see lease.lua
--       2 meta             hash: seq, ms, ord of the tip
--       3 log              stream: entries of events; field n = "<entry ordinal> <events>"
--       4 dead             sorted set: JSON of each dead letter by the seq of its event
--       5 states           hash: key -> "<version> <seq>\n<JSON of the state>\n<JSON of what operators remember>"
--       6 parked           hash: key -> "<number> <head> <last> <lined>\n<JSON>"
--       7 parked-heads     sorted set: parked keys by the seq of their heads
--       8 deferred         hash: key -> "<count>\n<JSON array of deferred events>"
--       9 deferred-heads   sorted set: keys by the seq of their first deferred event
--      10 timers           sorted set: JSON [key, name] by the ms when it is due
--      11 journal          sorted set, all of one score: "<after seq> <number> <JSON [key, name, due]>", both in 15 digits
--      12 outbox           stream: t = target, f = first number, e = JSON array of events; id = <n>-<place>
--      13 effects          hash: idempotency key -> "<status> <turn> <number> <JSON note>\n<JSON>"; open ones
--      14 effects-pending  sorted set: idempotency keys by number
--      15 effects-settled  sorted set: idempotency keys by the order of their settlement
--      16 parked-due       sorted set: parked keys by the ms when they were marked as due, see mark-due.lua
--      17 requeued         sorted set: JSON of dead letters that wait for their late run, by seq, see rule.lua
--      18 dead-index       sorted set, see dead-index.lua
--      19 rulings         hash: seq -> JSON of the ruling; "<seq> ran" -> "<after seq> <number>" of its late run
--      …                  where ARGV 1 says: migrations, see commit-migrations.lua; withheld and withheld-order, see
--                         commit-withheld.lua
--      …                  for each target, from where it says: KEYS of append.lua, with the key index of its events
--      …                  with a story or a mark, from where it says: see story-facts.lua, story-marks.lua
-- ARGV  1 JSON header; lists are absent where the commit has no such part
--         token, n, id, seq  of the position ("0-0", 0 before the first event)
--         ahead    seqs settled beyond the position, ascending, comma separated
--         group    name of Redis's own group; empty = none
--         expire   ms after which an ephemeral group is gone; absent: it is kept
--         done     how many events become done; absent: whatever the other parts leave over
--         dead     [[seq, JSON], …]
--         states   how many;  removed  [key, …]
--         park     [[key, head, last, lined, JSON, tried: 1 or 0, ms of the mark that was answered or absent], …]
--         line     [[key, last, lined], …] of parked keys whose lines become longer
--         unpark   [[key, last], …]                         late    [seq, …] of requeued letters that are settled
--         ran      [[seq, after seq, after so many of the firings or absent: 0], …] of those that were handled
--         heeded   [[seq, id of the ruling that it was handled under, or empty, its JSON or absent], …] of lines
--         defer    [[key, count, first seq, JSON], …]       count 0 removes
--         fire     [[JSON [key, name], due, after seq, JSON of the journal], …]
--         set      [[JSON [key, name], due], …]             cancel  [JSON [key, name], …]
--         outbox   [[target, events, number of its target, id of the last event, [index into its key index, by event]], …]
--                  the last three are absent where the events may not be appended at once
--         targets  [[index into KEYS, length of its key index], …]; with them:
--         channel  what the group is called there;  now  ms, or absent for the server's clock
--         effects  how many;  story, mark  see there
--         journal  index of the migrations into KEYS;  migrate  [[key, seq, text], …]
--         withheldAt  index of withheld into KEYS;  withheld  [[idempotency key, text], …];  withheldMost  how many are kept
--       2 states: key, value, key, value, … separated by the character 30
--       3 effects: idempotency key, JSON, … separated by the character 30
--       4… JSON array of events of each outbox entry
-- RETURNS {"committed", number of the first event of each outbox entry, or 0 where they are on their topic…}
--         | {"already"}: this token has committed this n before | {"fenced"} | {"refused", word, seq}: backwards (the
--         group is at seq), beyond (the log ends at seq), other (the log has another event at seq, or none), forgotten
--         (seq was settled before), line (the line goes on to seq), unparked (the key is not parked), late (seq is not
--         requeued), timer (is not set so), balance (seq events become done), migrated (a key was taken over before)
--
-- Guards are marked as in append.lua.

local GROUP, META, LOG, DEAD, STATES, PARKED, PARKED_HEADS, DEFERRED, DEFERRED_HEADS, TIMERS, JOURNAL, OUTBOX, EFFECTS,
  PENDING, SETTLED, PARKED_DUE, REQUEUED, DEAD_INDEX, RULINGS = unpack(KEYS, 1, 19)
local c = cjson.decode(ARGV[1])
local n, seq = c.n, c.seq

-- @include tip.lua
-- @include stream-ids.lua
-- @include channel-record.lua
-- @include seqs-in.lua
-- @include fields-in.lua
-- @include hset-all.lua
-- @include dead-index.lua
-- @include story-facts.lua
-- @include story-marks.lua

-- READ

local stored = redis.call('HMGET', GROUP, 'token', 'n', 'seq', 'ahead')
local meta = redis.call('HMGET', META, 'seq', 'ms', 'ord')

if c.token == '' or stored[1] ~= c.token then return { 'fenced' } end -- guard: commit token
local last = tonumber(stored[2]) or 0
if n == last then return { 'already' } end -- guard: repeated commit
if n ~= last + 1 then return { 'fenced' } end -- guard: commit number

-- @include standing.lua

local known = hasGroup(c.group)
local from, tip = tonumber(stored[3]) or 0, tonumber(meta[1]) or 0
local oldAhead, ahead = seqsIn(stored[4]), seqsIn(c.ahead)
local record = {} -- fields of the group to write

-- JUDGE

if seq < from then return { 'refused', 'backwards', from } end -- guard: backwards
if (ahead[#ahead] or seq) > tip then return { 'refused', 'beyond', tip } end -- guard: beyond the tip
local stand, entries = standing(c.id, seq)
if not stand then return { 'refused', 'other', seq } end
if c.done then
  local named = {}
  for _, one in ipairs(ahead) do named[one] = true end
  for _, one in ipairs(oldAhead) do
    if one > seq and not named[one] then return { 'refused', 'forgotten', one } end -- guard: forgotten
  end
end

-- @include commit-ledger.lua
-- @include commit-rulings.lua
-- @include commit-timers.lua
-- @include commit-effects.lua
-- @include commit-migrations.lua
-- @include commit-withheld.lua
-- @include commit-at-once.lua
-- @include commit-outbox.lua

local refusal = judgeLedger() or judgeTimers() or judgeBalance(seq + #ahead - from - #oldAhead) or judgeMigrations()
if refusal then return refusal end
local values = c.states and fieldsIn(ARGV[2], c.states * 2)
if c.states or c.removed then redis.call('HLEN', STATES) end -- guard: type of states
judgeRulings()
judgeEffects()
judgeWithheld()
local numbers = numberOutbox()
judgeAtOnce(numbers)
judgeStory(c.story)
judgeMark()

-- WRITE

local answer = writeOutbox(numbers)
writeAtOnce()
local read = string.format('%.0f', entries)
if known then
  redis.call('XGROUP', 'SETID', LOG, c.group, stand, 'ENTRIESREAD', read)
elseif hasLog and c.group ~= '' then -- guard: missing group; without: else redis.call('XGROUP', 'SETID', LOG, c.group, stand, 'ENTRIESREAD', read)
  redis.call('XGROUP', 'CREATE', LOG, c.group, stand, 'ENTRIESREAD', read)
end
if values then hsetAll(STATES, values) end
if c.removed then redis.call('HDEL', STATES, unpack(c.removed)) end
writeMigrations()
writeLedger()
writeRulings()
writeTimers()
writeEffects()
redis.call('HSET', GROUP, 'n', string.format('%.0f', n), 'id', c.id, 'seq', string.format('%.0f', seq), 'ahead', c.ahead,
  'gid', stand, 'gread', read)
hsetAll(GROUP, record)
writeWithheld()
writeStory(c.story)
writeMark(seq + #ahead >= tip)
if c.expire then
  redis.call('PEXPIRE', GROUP, c.expire)
  for i = 4, 19 do redis.call('PEXPIRE', KEYS[i], c.expire) end
end
return { 'committed', unpack(answer) }
