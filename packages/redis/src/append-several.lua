-- Runs append.lua for several partitions of one slot, one after the other, in one call. Each is a step of its own:
-- one that fails has written nothing, and the others stand.
--
-- KEYS  those of append.lua for the first partition, then those for the second, …
-- ARGV  1 JSON array: for each partition, how many KEYS are its
--       2… the three arguments of append.lua for the first partition, then those for the second, …
-- RETURNS JSON array, by partition: what append.lua returns, or ["error", its words]

local function append(KEYS, ARGV)
-- @include append.lua
end

local answers, from = {}, 0
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for i, count in ipairs(cjson.decode(ARGV[1])) do
  local keys = { unpack(KEYS, from + 1, from + count) }
  from = from + count
  local ended, answer = pcall(append, keys, { ARGV[3 * i - 1], ARGV[3 * i], ARGV[3 * i + 1], now })
  local words = ended and type(answer) == 'table' and answer.err
  if not ended then words = type(answer) == 'table' and answer.err or tostring(answer) end
  answers[i] = words and cjson.encode({ 'error', words }) or answer
end
return '[' .. table.concat(answers, ',') .. ']'
