-- Reads all that a group has stored of some keys, in one text: pieces of a reply cost the client more than their text.
--
-- KEYS  1 states    hash, see commit.lua
--       2 parked    hash, see commit.lua
--       3 deferred  hash, see commit.lua
-- ARGV  1 JSON array of keys, at most 1,000
-- RETURNS for each key of which there is anything "<place, from 0>\30<state>\30<parked>\30<deferred>\30"; a part that
--         is absent is empty. The character 30 is in no JSON.

local keys = cjson.decode(ARGV[1])
local states = redis.call('HMGET', KEYS[1], unpack(keys))
-- Nearly always there are none.
local parked = redis.call('HLEN', KEYS[2]) > 0 and redis.call('HMGET', KEYS[2], unpack(keys)) or {}
local deferred = redis.call('HLEN', KEYS[3]) > 0 and redis.call('HMGET', KEYS[3], unpack(keys)) or {}

local parts, at = {}, 0
for i = 1, #keys do
  if states[i] or parked[i] or deferred[i] then
    parts[at + 1], parts[at + 2], parts[at + 3], parts[at + 4] = i - 1, states[i] or '', parked[i] or '', deferred[i] or ''
    at = at + 4
  end
end
if at > 0 then parts[at + 1] = '' end
return table.concat(parts, '\30')
