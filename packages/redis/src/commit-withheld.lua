-- include: effects that are not to be carried out, in commit.lua: recorded once for each idempotency key, the latest kept.
-- Uses EFFECTS, SETTLED, GROUP, c, freshEffects; gives judgeWithheld, writeWithheld. KEYS[c.withheldAt] and the next one:
--   withheld        hash: idempotency key -> "<number>\n<JSON of facts>\n<JSON payload>"
--   withheld-order  sorted set: idempotency keys by number

local freshWithheld = {} -- { idempotency key, text }, …

local function judgeWithheld()
  if not c.withheld then return end
  local ids, seen = {}, {}
  for i, one in ipairs(c.withheld) do ids[i] = one[1] end
  local open = redis.call('HMGET', EFFECTS, unpack(ids)) -- guard: withheld and open; without: local open = {}
  local settled = redis.call('ZMSCORE', SETTLED, unpack(ids)) -- guard: withheld and settled; without: local settled = {}
  local known = redis.call('HMGET', KEYS[c.withheldAt], unpack(ids)) -- guard: withheld before; without: local known = {}
  for i = 1, #freshEffects, 2 do seen[freshEffects[i]] = true end -- guard: withheld and recorded at once
  redis.call('ZCARD', KEYS[c.withheldAt + 1]) -- guard: type of withheld-order
  for i, one in ipairs(c.withheld) do
    if not (open[i] or settled[i] or known[i] or seen[one[1]]) then
      seen[one[1]] = true -- guard: withheld within the call
      freshWithheld[#freshWithheld + 1] = one
    end
  end
end

-- After all counters of the record are written.
local function writeWithheld()
  if not c.withheld then return end
  local bodies, order = KEYS[c.withheldAt], KEYS[c.withheldAt + 1]
  for _, one in ipairs(freshWithheld) do
    local no = string.format('%.0f', redis.call('HINCRBY', GROUP, 'e-recorded', 1))
    redis.call('HINCRBY', GROUP, 'e-withheld', 1)
    redis.call('HSET', bodies, one[1], no .. '\n' .. one[2])
    redis.call('ZADD', order, no, one[1])
  end
  local beyond = redis.call('ZCARD', order) - c.withheldMost
  if beyond > 0 then
    local oldest = redis.call('ZRANGE', order, 0, beyond - 1)
    redis.call('HDEL', bodies, unpack(oldest))
    redis.call('ZREM', order, unpack(oldest))
    redis.call('HINCRBY', GROUP, 'e-forgotten', #oldest)
  end
  if c.expire then
    redis.call('PEXPIRE', bodies, c.expire)
    redis.call('PEXPIRE', order, c.expire)
  end
end
