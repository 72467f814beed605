-- Adds to a rebuild what was read of one partition. The position moves in the same step, so that a rebuild that
-- was killed goes on where it was.
--
-- KEYS  1 rebuild      hash: versions; for each partition number: stream id read up to
--       2 claims-next  hash: constraint:version:digest -> key
--       3 owners-next  hash: constraint:key -> "version:digest …"
--       4 contested    hash: constraint:version:digest -> JSON array of the other keys that would hold it
-- ARGV  1 versions, comma separated
--       2 partition
--       3 stream id before the step
--       4 stream id after the step
--       5 JSON array of [constraint, key, "version:digest …" or false]
-- RETURNS "added" | "stale"

local REBUILD, CLAIMS, OWNERS, CONTESTED = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local state = redis.call('HMGET', REBUILD, 'versions', ARGV[2])
redis.call('HLEN', CLAIMS)
redis.call('HLEN', OWNERS)
redis.call('HLEN', CONTESTED)
-- guard: rebuild-step
if state[1] ~= ARGV[1] or (state[2] or '0-0') ~= ARGV[3] then return 'stale' end

local function othersOf(name)
  local text = redis.call('HGET', CONTESTED, name)
  return text and cjson.decode(text) or {}
end

local function store(name, others)
  if #others == 0 then redis.call('HDEL', CONTESTED, name) else redis.call('HSET', CONTESTED, name, cjson.encode(others)) end
end

-- Partitions are read at different speeds, so one value may belong to two keys for a while.
local function free(name, key)
  local others = othersOf(name)
  if redis.call('HGET', CLAIMS, name) == key then
    if #others == 0 then
      redis.call('HDEL', CLAIMS, name)
    else
      redis.call('HSET', CLAIMS, name, table.remove(others, 1))
      store(name, others)
    end
  else
    local left = {}
    for _, other in ipairs(others) do if other ~= key then left[#left + 1] = other end end
    store(name, left)
  end
end

local function take(name, key)
  local owner = redis.call('HGET', CLAIMS, name)
  if not owner or owner == key then
    redis.call('HSET', CLAIMS, name, key)
  else
    local others = othersOf(name)
    others[#others + 1] = key
    store(name, others)
  end
end

for _, change in ipairs(cjson.decode(ARGV[5])) do
  local constraint, key, digests = change[1], change[2], change[3]
  local slot = constraint .. ':' .. key
  local present = redis.call('HGET', OWNERS, slot)
  if present then for tag in string.gmatch(present, '[^ ]+') do free(constraint .. ':' .. tag, key) end end
  if digests then
    for tag in string.gmatch(digests, '[^ ]+') do take(constraint .. ':' .. tag, key) end
    redis.call('HSET', OWNERS, slot, digests)
  else
    redis.call('HDEL', OWNERS, slot)
  end
end
redis.call('HSET', REBUILD, ARGV[2], ARGV[4])
return 'added'
