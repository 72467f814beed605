-- Decides about a dead effect: ledger, counters, the list that its owner looks at, and audit entry in one step. Needs no
-- token, and may be repeated.
--
-- KEYS  1 group     hash, see lease.lua: counters e-pending, e-dead, e-confirmed, e-ignored
--       2 effects   hash, see confirm.lua
--       3 pending   4 dead   sorted sets: idempotency keys by number
--       5 settled   sorted set: idempotency keys by the order of their settlement
--       6 index     7 passed   sorted sets, see effect-index.lua
--       8 requeued  sorted set: idempotency keys of those that operators have put back, by number
--       9 repairs   stream, see rule.lua; effect: idempotency key
--       …           with a story, from where it says: see story-facts.lua
-- ARGV  1 JSON: id, effect (idempotency key), kind (ignored | corrected | requeued), digest, turn (that was seen, or absent),
--         force, dry, now (ms, or absent for the server's clock), most (entries that the audit log keeps), remembered
--         (how many settled effects are), story (see story-facts.lua; its fact lacks the seq, the time, and where it was)
--       2 JSON of the ruling without atMs and original, which are put in front
--       3 JSON {by, reason}
--       4 with corrected: the JSON payload
-- RETURNS {"ruled", key, count, first, last}: count 0: nothing has overtaken it; at most 100
--         | {"already"} | {"overtaken", count, first, last} | {"changed", turn} | {"open", status} | {"settled"} | {"gone"}
--
-- Guards are marked as in append.lua.

local GROUP, EFFECTS, PENDING, DEAD, SETTLED, E_INDEX, PASSED, REQUEUED, REPAIRS = unpack(KEYS, 1, 9)
local r = cjson.decode(ARGV[1])

-- @include effect-index.lua
-- @include hset-all.lua
-- @include story-facts.lua

-- READ

redis.call('HGET', GROUP, 'e-dead') -- guard: type of the group
local text = redis.call('HGET', EFFECTS, r.effect)
redis.call('ZCARD', PENDING) -- guard: type of effects-pending
redis.call('ZCARD', DEAD) -- guard: type of effects-dead
local settled = redis.call('ZSCORE', SETTLED, r.effect) -- guard: type of effects-settled; without: local settled = nil
redis.call('ZCARD', E_INDEX) -- guard: type of the index of dead effects
redis.call('ZCARD', PASSED) -- guard: type of effects-passed
redis.call('ZCARD', REQUEUED) -- guard: type of effects-requeued

local now = r.now
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end

-- JUDGE

if not text then return settled and { 'settled' } or { 'gone' } end
local status, turn, no, note, facts, payload, before =
  string.match(text, '^(%a+) (%d+) (%d+) ([^\n]*)\n([^\n]*)\n([^\n]*)\n?(.*)$')
local ruling = before == '' and {} or cjson.decode(before)
facts = cjson.decode(facts)
if ruling.id == r.id then return { 'already' } end -- guard: repeated repair
local same = ruling.kind == r.kind and ruling.digest == r.digest
if status ~= 'dead' then return same and { 'already' } or { 'open', status } end -- guard: not dead
if r.turn and r.turn ~= tonumber(turn) then return { 'changed', tonumber(turn) } end -- guard: turn that was seen

local count, first, final = 0, 0, 0
if r.kind ~= 'ignored' then
  local from = string.format('[%s\30%015.0f', facts.key, no + 1)
  local later = redis.call('ZRANGEBYLEX', PASSED, from, '(' .. facts.key .. '\31')
  if #later > 0 then
    count, first, final = #later, tonumber(string.sub(later[1], -15)), tonumber(string.sub(later[#later], -15))
    if not r.force and not r.dry then return { 'overtaken', count, first, final } end -- guard: force
  end
end
if r.dry then return { 'ruled', facts.key, count, first, final } end -- guard: dry run
judgeStory(r.story)

-- WRITE

local overtaken = count > 0 and string.format('%.0f %.0f %.0f', count, first, final) or ''
-- The first write: a foreign stream refuses the ruling here, and nothing is written.
redis.call('XADD', REPAIRS, 'MAXLEN', '~', r.most, '*', 'seq', string.format('%.0f', facts.seq), 'key', facts.key,
  'kind', r.kind, 'on', 'effect', 'ms', string.format('%.0f', now), 'id', r.id, 'overtaken', overtaken, 'said', ARGV[3],
  'effect', r.effect)
redis.call('ZREM', DEAD, r.effect)
unlistEffect(indexOfEffect(no, note, facts), facts.key)
redis.call('HINCRBY', GROUP, 'e-dead', -1)
if r.kind == 'ignored' then
  redis.call('HDEL', EFFECTS, r.effect)
  local ignored = redis.call('HINCRBY', GROUP, 'e-ignored', 1)
  local confirmed = tonumber(redis.call('HGET', GROUP, 'e-confirmed')) or 0
  redis.call('ZADD', SETTLED, string.format('%.0f', confirmed + ignored), r.effect)
  local beyond = redis.call('ZCARD', SETTLED) - r.remembered
  if beyond > 0 then redis.call('ZREMRANGEBYRANK', SETTLED, 0, beyond - 1) end
else
  local original = ruling.original or r.kind == 'corrected' and payload
  local kept = original and '"original":' .. cjson.encode(original) .. ',' or ''
  local head = string.format('pending %.0f %s %s', turn + 1, no, note)
  local decided = string.format('{"atMs":%.0f,', now) .. kept .. string.sub(ARGV[2], 2)
  local body = string.match(text, '\n([^\n]*)') .. '\n' .. (r.kind == 'corrected' and ARGV[4] or payload)
  redis.call('HSET', EFFECTS, r.effect, head .. '\n' .. body .. '\n' .. decided)
  redis.call('ZADD', PENDING, no, r.effect)
  redis.call('ZADD', REQUEUED, no, r.effect)
  redis.call('HINCRBY', GROUP, 'e-pending', 1)
end
if r.story then r.story.facts[1][1] = facts.seq end
if facts.seq > 0 then tellRuling(r.story, now, 'effect') end
return { 'ruled', facts.key, count, first, final }
