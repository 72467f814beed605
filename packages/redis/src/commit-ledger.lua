-- include: where events are, in commit.lua: what is parked, lined up, deferred, dead and done, so that nothing disappears.
-- Uses PARKED, PARKED_HEADS, PARKED_DUE, DEFERRED, DEFERRED_HEADS, DEAD, REQUEUED, c, n, record, dead-index.lua; gives judgeLedger,
-- judgeBalance, writeLedger.

local counted = redis.call('HMGET', GROUP, 'done', 'parked', 'lined', 'deferred', 'dead', 'requeued')
local change = { parked = 0, lined = 0, deferred = 0, dead = 0, requeued = 0 }
local parkNumber = {} -- key -> number of its head
local later = {} -- key -> its mark was set anew since the attempt that this commit tells of
local listed, unlisted = {}, {} -- members of the index of dead letters

local function addAll(list, more)
  for _, one in ipairs(more) do list[#list + 1] = one end
end

local function judgeParks()
  if not (c.park or c.unpark) then return nil end
  local keys = {}
  for _, park in ipairs(c.park or {}) do keys[#keys + 1] = park[1] end
  for _, unpark in ipairs(c.unpark or {}) do keys[#keys + 1] = unpark[1] end
  local texts = redis.call('HMGET', PARKED, unpack(keys)) -- guard: type of parked; without: local texts = redis.pcall('HMGET', PARKED, unpack(keys))
  redis.call('ZCARD', PARKED_HEADS) -- guard: type of parked-heads
  redis.call('ZCARD', PARKED_DUE) -- guard: type of parked-due
  for i, text in ipairs(texts) do
    local head, note = string.match(text or '', '^%d+ (%d+) %d+ %d+\n(.*)$')
    if head then addAll(unlisted, indexOfHeld(keys[i], head, note)) end -- guard: held key that goes on
  end
  for i, park in ipairs(c.park or {}) do
    addAll(listed, indexOfHeld(park[1], park[2], park[5]))
    if park[7] then later[park[1]] = (tonumber(redis.call('ZSCORE', PARKED_DUE, park[1]) or nil) or 0) > park[7] end -- guard: mark set anew
    local no, head, last, lined = string.match(texts[i] or '', '^(%d+) (%d+) (%d+) (%d+)\n')
    if no then
      if park[2] < tonumber(head) then return { 'refused', 'line', tonumber(last) } end -- guard: head moves back
      if park[3] < tonumber(last) then return { 'refused', 'line', tonumber(last) } end -- guard: line moves back
      if park[2] == tonumber(head) then parkNumber[park[1]] = no end -- guard: number of a head
      change.lined = change.lined + park[4] - tonumber(lined)
    else
      change.parked = change.parked + 1
      change.lined = change.lined + park[4]
    end
  end
  for i, unpark in ipairs(c.unpark or {}) do
    local _, _, last, lined = string.match(texts[i + #(c.park or {})] or '', '^(%d+) (%d+) (%d+) (%d+)\n')
    if not last then return { 'refused', 'unparked', unpark[2] } end -- guard: unparked; without: last, lined = last or unpark[2], lined or 0
    if tonumber(last) ~= unpark[2] then return { 'refused', 'line', tonumber(last) } end -- guard: unpark before the line is empty
    change.parked = change.parked - 1
    change.lined = change.lined - tonumber(lined)
  end
end

local grown = {} -- key, text, … of records whose lines become longer

local function judgeLines()
  if not c.line then return nil end
  local keys = {}
  for i, line in ipairs(c.line) do keys[i] = line[1] end
  local texts = redis.call('HMGET', PARKED, unpack(keys)) -- guard: type of parked with a longer line; without: local texts = redis.pcall('HMGET', PARKED, unpack(keys))
  for i, line in ipairs(c.line) do
    local no, head, last, lined, note = string.match(texts[i] or '', '^(%d+) (%d+) (%d+) (%d+)\n(.*)$')
    if not no then return { 'refused', 'unparked', line[2] } end -- guard: longer line of a parked key; without: no, head, last, lined, note = no or 0, head or 1, last or 1, lined or 0, note or '{}'
    if line[2] < tonumber(last) then return { 'refused', 'line', tonumber(last) } end -- guard: longer line moves back
    change.lined = change.lined + line[3] - tonumber(lined)
    grown[2 * i - 1] = line[1]
    grown[2 * i] = string.format('%s %s %.0f %.0f\n%s', no, head, line[2], line[3], note)
  end
end

local function judgeDeferred()
  if not c.defer then return end
  local keys = {}
  for i, list in ipairs(c.defer) do keys[i] = list[1] end
  local texts = redis.call('HMGET', DEFERRED, unpack(keys)) -- guard: type of deferred; without: local texts = redis.pcall('HMGET', DEFERRED, unpack(keys))
  redis.call('ZCARD', DEFERRED_HEADS) -- guard: type of deferred-heads
  for i, list in ipairs(c.defer) do
    change.deferred = change.deferred + list[2] - (tonumber(string.match(texts[i] or '', '^(%d+)\n')) or 0)
  end
end

local function judgeLedger()
  local refusal = judgeParks() or judgeLines()
  if refusal then return refusal end
  judgeDeferred()
  for _, letter in ipairs(c.dead or {}) do
    addAll(listed, indexOfLetter(letter[2]))
    local found = redis.call('ZCOUNT', DEAD, letter[1], letter[1]) -- guard: type of dead; without: local found = 0
    if found == 0 then change.dead = change.dead + 1 end -- guard: letter written twice; without: change.dead = change.dead + 1
    if found > 0 then addAll(unlisted, indexOfLetter(redis.call('ZRANGEBYSCORE', DEAD, letter[1], letter[1])[1])) end -- guard: index of a letter written twice
  end
  if #listed + #unlisted > 0 then redis.call('ZCARD', DEAD_INDEX) end -- guard: type of dead-index
  for _, one in ipairs(c.late or {}) do
    if redis.call('ZCOUNT', REQUEUED, one, one) == 0 then return { 'refused', 'late', one } end -- guard: late as requeued
    change.requeued = change.requeued - 1
  end
end

-- How many events become done: all that are newly settled and went nowhere else.
local function judgeBalance(settled)
  change.done = settled - change.parked - change.lined - change.deferred - change.dead - change.requeued
  if c.done and c.done ~= change.done then return { 'refused', 'balance', change.done } end -- guard: balance
end

local function writeLedger()
  for _, park in ipairs(c.park or {}) do
    local no = parkNumber[park[1]] or string.format('%.0f', n)
    redis.call('HSET', PARKED, park[1], string.format('%s %.0f %.0f %.0f\n%s', no, park[2], park[3], park[4], park[5]))
    redis.call('ZADD', PARKED_HEADS, string.format('%.0f', park[2]), park[1])
    if (park[6] == 1 and not later[park[1]]) or not parkNumber[park[1]] then redis.call('ZREM', PARKED_DUE, park[1]) end -- guard: answered mark
  end
  if #grown > 0 then hsetAll(PARKED, grown) end
  for _, unpark in ipairs(c.unpark or {}) do
    redis.call('HDEL', PARKED, unpark[1])
    redis.call('ZREM', PARKED_HEADS, unpark[1])
    redis.call('ZREM', PARKED_DUE, unpark[1]) -- guard: mark of an unparked key
  end
  for _, list in ipairs(c.defer or {}) do
    if list[2] == 0 then
      redis.call('HDEL', DEFERRED, list[1])
      redis.call('ZREM', DEFERRED_HEADS, list[1])
    else
      redis.call('HSET', DEFERRED, list[1], string.format('%.0f\n%s', list[2], list[4]))
      redis.call('ZADD', DEFERRED_HEADS, string.format('%.0f', list[3]), list[1])
    end
  end
  for _, letter in ipairs(c.dead or {}) do
    redis.call('ZREMRANGEBYSCORE', DEAD, letter[1], letter[1])
    redis.call('ZADD', DEAD, letter[1], letter[2])
  end
  for _, one in ipairs(c.late or {}) do redis.call('ZREMRANGEBYSCORE', REQUEUED, one, one) end
  unlistDead(unlisted)
  listDead(listed)
  for i, name in ipairs({ 'done', 'parked', 'lined', 'deferred', 'dead', 'requeued' }) do
    record[#record + 1] = name
    record[#record + 1] = string.format('%.0f', (tonumber(counted[i]) or 0) + change[name])
  end
end
