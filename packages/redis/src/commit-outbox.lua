-- include: the outbox in commit.lua: numbers emitted events by channel, and writes those that are not appended at once.
-- Uses OUTBOX, c, n, record, ARGV from 4 on, isAtOnce; gives numberOutbox, writeOutbox.

local outboxWritten = 0

-- The number of the first event of each entry.
local function numberOutbox()
  if not c.outbox then return {} end
  local fields, last, numbers = { 'o-written' }, {}, {}
  for i, entry in ipairs(c.outbox) do fields[i + 1] = 'channel:' .. entry[1] end
  local texts = redis.call('HMGET', GROUP, unpack(fields))
  outboxWritten = tonumber(texts[1]) or 0
  for i, entry in ipairs(c.outbox) do
    local field = fields[i + 1]
    if not last[field] then last[field] = tonumber(texts[i + 1]) or 0 end -- guard: numbers within the call; without: last[field] = tonumber(texts[i + 1]) or 0
    numbers[i] = last[field] + 1
    last[field] = last[field] + entry[2]
  end
  for field, number in pairs(last) do
    record[#record + 1] = field
    record[#record + 1] = string.format('%.0f', number)
  end
  return numbers
end

-- Answers the numbers with 0 in the place of what needs no outbox.
local function writeOutbox(numbers)
  local answer, written = {}, outboxWritten
  for i, entry in ipairs(c.outbox or {}) do
    answer[i] = 0
    if not isAtOnce(entry) then
      answer[i], written = numbers[i], written + 1
      redis.call('XADD', OUTBOX, string.format('%.0f-%d', n, i), 't', entry[1], 'f', string.format('%.0f', numbers[i]), 'e', ARGV[3 + i]) -- guard: foreign outbox; without: redis.pcall('XADD', OUTBOX, string.format('%.0f-%d', n, i), 't', entry[1], 'f', string.format('%.0f', numbers[i]), 'e', ARGV[3 + i])
    end
  end
  if written > outboxWritten then
    record[#record + 1] = 'o-written'
    record[#record + 1] = string.format('%.0f', written)
  end
  return answer
end
