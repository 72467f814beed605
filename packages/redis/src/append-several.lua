-- Runs append.lua for several partitions of one slot, one after the other, in one call. Each is a step of its own:
-- one that fails has written nothing, and the others stand.
--
-- KEYS  those of append.lua for the first partition, then those for the second, …
-- ARGV  1 JSON array: for each partition, how many KEYS are its
--       2… the three arguments of append.lua for the first partition, then those for the second, …
-- RETURNS for each partition what append.lua returns, or {"error", its words}

local function append(KEYS, ARGV)
-- @include append.lua
end

local answers, from = {}, 0
for i, count in ipairs(cjson.decode(ARGV[1])) do
  local keys = {}
  for k = 1, count do keys[k] = KEYS[from + k] end
  from = from + count
  local ended, answer = pcall(append, keys, { ARGV[3 * i - 1], ARGV[3 * i], ARGV[3 * i + 1] })
  local words = ended and answer.err or not ended and (type(answer) == 'table' and answer.err or tostring(answer))
  answers[i] = words and { 'error', words } or answer
end
return answers
