-- include: writes many fields of a hash, as Lua's unpack holds some 8,000 values at most.

local function hsetAll(hash, list)
  for i = 1, #list, 4000 do
    redis.call('HSET', hash, unpack(list, i, math.min(i + 3999, #list)))
  end
end
