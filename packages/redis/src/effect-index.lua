-- include: the index of dead effects, by which they are listed and filtered, and what has passed them.
-- Uses E_INDEX and PASSED, sorted sets, all of one score.
--   E_INDEX: four members for each dead effect, "<kind><value>\30<ms when it died><number>", both in 15 digits;
--     kind and value: a nothing | c class of the reason | n name | k key
--   PASSED: "<key>\30<number in 15 digits>" for each effect that was carried out while its key had a dead one: the
--     latest 100 of a key, none when its last dead effect is gone
-- Gives indexOfEffect (members; from number, JSON of the note, facts), listEffect, unlistEffect, passed, mostPassed.

local mostPassed = 100

local function indexOfEffect(no, text, facts)
  local note = cjson.decode(text)
  if type(note) ~= 'table' then note = {} end
  local class, ms = note.fingerprint, note.atMs
  if class == nil or class == cjson.null then class = note.reason end
  if type(class) ~= 'string' or #class > 200 or not string.match(class, '^[ -~]+$') then class = 'other' end
  if type(ms) ~= 'number' or ms < 0 or ms >= 1e15 then ms = 0 end
  local tail = string.format('\30%015.0f%015.0f', math.floor(ms), no)
  return { 'a' .. tail, 'c' .. class .. tail, 'n' .. facts.name .. tail, 'k' .. facts.key .. tail }
end

local function listEffect(members)
  for _, member in ipairs(members) do redis.call('ZADD', E_INDEX, 0, member) end
end

local function anyDeadOf(key)
  return redis.call('ZLEXCOUNT', E_INDEX, '[k' .. key .. '\30', '(k' .. key .. '\31') > 0
end

local function passed(key, no)
  if not anyDeadOf(key) then return end
  redis.call('ZADD', PASSED, 0, string.format('%s\30%015.0f', key, no))
  local from, to = '[' .. key .. '\30', '(' .. key .. '\31'
  if redis.call('ZLEXCOUNT', PASSED, from, to) > mostPassed then
    redis.call('ZREM', PASSED, redis.call('ZRANGEBYLEX', PASSED, from, to, 'LIMIT', 0, 1)[1])
  end
end

local function unlistEffect(members, key)
  redis.call('ZREM', E_INDEX, unpack(members))
  if not anyDeadOf(key) then redis.call('ZREMRANGEBYLEX', PASSED, '[' .. key .. '\30', '(' .. key .. '\31') end
end
