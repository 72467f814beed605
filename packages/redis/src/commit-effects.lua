-- include: effects in commit.lua: recorded once for each idempotency key.
-- Uses EFFECTS, PENDING, SETTLED, c, record; gives judgeEffects, writeEffects.

local freshEffects = {} -- idempotency key, JSON, …

local function judgeEffects()
  if not c.effects then return end
  local fields, ids = fieldsIn(ARGV[3], c.effects * 2), {}
  for i = 1, c.effects do ids[i] = fields[2 * i - 1] end
  local open = redis.call('HMGET', EFFECTS, unpack(ids)) -- guard: open effects; without: local open = {}
  local settled = redis.call('ZMSCORE', SETTLED, unpack(ids)) -- guard: settled effects; without: local settled = {}
  redis.call('ZCARD', PENDING) -- guard: type of effects-pending
  local seen = {}
  for i, id in ipairs(ids) do
    if not (open[i] or settled[i] or seen[id]) then
      seen[id] = true -- guard: effects within the call
      freshEffects[#freshEffects + 1] = id
      freshEffects[#freshEffects + 1] = fields[2 * i]
    end
  end
end

local function writeEffects()
  if #freshEffects == 0 then return end
  local counts = redis.call('HMGET', GROUP, 'e-recorded', 'e-pending')
  local recorded, pending = tonumber(counts[1]) or 0, tonumber(counts[2]) or 0
  local values, places = {}, {}
  for i = 1, #freshEffects, 2 do
    recorded, pending = recorded + 1, pending + 1
    local no = string.format('%.0f', recorded)
    values[i], values[i + 1] = freshEffects[i], 'pending 0 ' .. no .. ' null\n' .. freshEffects[i + 1]
    places[i], places[i + 1] = no, freshEffects[i]
  end
  hsetAll(EFFECTS, values)
  redis.call('ZADD', PENDING, unpack(places))
  record[#record + 1] = 'e-recorded'
  record[#record + 1] = string.format('%.0f', recorded)
  record[#record + 1] = 'e-pending'
  record[#record + 1] = string.format('%.0f', pending)
end
