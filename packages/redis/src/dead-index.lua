-- include: the index of dead letters and held keys, by which they are listed, filtered and counted.
-- Uses DEAD_INDEX, a sorted set, all of one score: four members for each item,
--   "<kind><value>\30<ms when given up><seq><d|h>", ms and seq in 15 digits, and the key behind h
--   kind and value: a nothing | c class of the reason | t type | k key
-- Gives indexOfLetter, indexOfHeld (members, from the JSON of a letter, or from a park record), listDead, unlistDead.

local function deadMembers(facts, tail)
  local class = facts.fingerprint or facts.reason or ''
  if #class > 200 or not string.match(class, '^[ -~]+$') then class = 'other' end
  return { 'a\30' .. tail, 'c' .. class .. '\30' .. tail, 't' .. facts.type .. '\30' .. tail, 'k' .. facts.key .. '\30' .. tail }
end

local function indexOfLetter(text)
  local letter = cjson.decode(text)
  return deadMembers(letter, string.format('%015.0f%015.0fd', letter.atMs, letter.seq))
end

-- None where the key is tried again by itself.
local function indexOfHeld(key, head, text)
  local note = cjson.decode(text)
  if note.why ~= 'operator' then return {} end
  local tries = note.tries or {}
  local last = tries[#tries]
  local ms = last and last.atMs + last.tookMs or note.sinceMs
  local facts = { fingerprint = note.fingerprint, reason = note.reason, type = note.type, key = key }
  return deadMembers(facts, string.format('%015.0f%015.0fh%s', ms, head, key))
end

local function listDead(members)
  for _, member in ipairs(members) do redis.call('ZADD', DEAD_INDEX, 0, member) end
end

local function unlistDead(members)
  if #members > 0 then redis.call('ZREM', DEAD_INDEX, unpack(members)) end
end
