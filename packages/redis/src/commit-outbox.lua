-- include: the outbox in commit.lua: numbers emitted events by channel and writes them.
-- Uses OUTBOX, c, n, record, ARGV from 4 on; gives numberOutbox, writeOutbox.

-- The number of the first event of each entry.
local function numberOutbox()
  if not c.outbox then return {} end
  local fields, last, numbers = { 'o-written' }, {}, {}
  for i, entry in ipairs(c.outbox) do fields[i + 1] = 'channel:' .. entry[1] end
  local texts = redis.call('HMGET', GROUP, unpack(fields))
  for i, entry in ipairs(c.outbox) do
    local field = fields[i + 1]
    if not last[field] then last[field] = tonumber(texts[i + 1]) or 0 end -- guard: numbers within the call; without: last[field] = tonumber(texts[i + 1]) or 0
    numbers[i] = last[field] + 1
    last[field] = last[field] + entry[2]
  end
  record[#record + 1] = 'o-written'
  record[#record + 1] = string.format('%.0f', (tonumber(texts[1]) or 0) + #c.outbox)
  for field, number in pairs(last) do
    record[#record + 1] = field
    record[#record + 1] = string.format('%.0f', number)
  end
  return numbers
end

local function writeOutbox(numbers)
  for i, entry in ipairs(c.outbox or {}) do
    redis.call('XADD', OUTBOX, string.format('%.0f-%d', n, i), 't', entry[1], 'f', string.format('%.0f', numbers[i]), 'e', ARGV[3 + i]) -- guard: foreign outbox; without: redis.pcall('XADD', OUTBOX, string.format('%.0f-%d', n, i), 't', entry[1], 'f', string.format('%.0f', numbers[i]), 'e', ARGV[3 + i])
  end
end
