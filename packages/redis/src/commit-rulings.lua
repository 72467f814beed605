-- include: rulings in commit.lua: the one that was followed stands, others are dropped; late runs are journalled with theirs.
-- Uses RULINGS, c, record; gives judgeRulings, writeRulings.

local unheeded = {}

local function judgeRulings()
  if not (c.ran or c.heeded) then return end
  if redis.call('HLEN', RULINGS) == 0 then return end -- guard: type of rulings
  for _, heeded in ipairs(c.heeded or {}) do
    local field = string.format('%.0f', heeded[1])
    local text = redis.call('HGET', RULINGS, field)
    if text and cjson.decode(text).id ~= heeded[2] then unheeded[#unheeded + 1] = { field, heeded[3] } end -- guard: ruling that was followed
  end
end

local function writeRulings()
  for _, one in ipairs(unheeded) do
    if one[2] then redis.call('HSET', RULINGS, one[1], one[2]) else redis.call('HDEL', RULINGS, one[1]) end
  end
  if not c.ran then return end
  local fired = tonumber(redis.call('HGET', GROUP, 'fired')) or 0
  for at, run in ipairs(c.ran) do
    local no = fired + at + (run[3] or 0)
    redis.call('HSET', RULINGS, string.format('%.0f ran', run[1]), string.format('%.0f %.0f', run[2], no))
  end
end
