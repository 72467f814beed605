-- Puts rebuilt claims in the place of the live ones, if they have read every claim change and contest nothing.
--
-- KEYS  1 claims        2 owners        3 claims-meta
--       4 rebuild       hash: versions; for each partition number: stream id read up to
--       5 claims-next   6 owners-next   7 contested
--       8… log of each partition, from partition 0 on
-- ARGV  none
-- RETURNS {"swapped"} | {"behind"} | {"none"} | {"contested", name, owner, JSON array of the others, …} (first 100 names)

local CLAIMS, OWNERS, META, REBUILD, CLAIMS_NEXT, OWNERS_NEXT, CONTESTED = unpack(KEYS, 1, 7)
local versions = redis.call('HGET', REBUILD, 'versions')
redis.call('HLEN', META)
if not versions then return { 'none' } end

for i = 8, #KEYS do
  local changed = tonumber(redis.call('HGET', META, KEYS[i])) or 0
  local read = redis.call('HGET', REBUILD, tostring(i - 8))
  local seq = read and tonumber(string.match(read, '%-(%d+)$')) or 0
  -- guard: swap-behind
  if seq < changed then return { 'behind' } end
end

-- guard: swap-contested
if redis.call('HLEN', CONTESTED) > 0 then
  local answer = { 'contested' }
  local page = redis.call('HSCAN', CONTESTED, 0, 'COUNT', 100)[2]
  for i = 1, math.min(#page, 200), 2 do
    answer[#answer + 1] = page[i]
    answer[#answer + 1] = redis.call('HGET', CLAIMS_NEXT, page[i]) or ''
    answer[#answer + 1] = page[i + 1]
  end
  return answer
end

local haveClaims, haveOwners = redis.call('HLEN', CLAIMS_NEXT) > 0, redis.call('HLEN', OWNERS_NEXT) > 0
if haveClaims then redis.call('RENAME', CLAIMS_NEXT, CLAIMS) else redis.call('UNLINK', CLAIMS) end
if haveOwners then redis.call('RENAME', OWNERS_NEXT, OWNERS) else redis.call('UNLINK', OWNERS) end
redis.call('HSET', META, 'live', versions)
redis.call('HDEL', META, 'gate')
redis.call('UNLINK', REBUILD)
return { 'swapped' }
