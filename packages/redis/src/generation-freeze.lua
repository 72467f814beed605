-- Takes the lease of a live partition for the owner of a generation that is to replace it: the holder is fenced.
--
-- KEYS  1 group    hash of the live generation, see lease.lua
--       2 built    hash of the building one
--       3 meta     hash: seq of the tip
-- ARGV  1 now      ms, or empty for the server's clock
--       2 length of the lease in ms
--       3 member   4 a nonce for the token
--       5 token of the building generation   6 its n
--       7 how many events it may be behind
-- RETURNS {"frozen", token, id, seq, n, ahead, tip} | {"behind", live seq} | {"fenced"}
--
-- Guards are marked as in append.lua.

local GROUP, BUILT, META = unpack(KEYS, 1, 3)
local live = redis.call('HMGET', GROUP, 'counter', 'id', 'seq', 'n', 'ahead')
local built = redis.call('HMGET', BUILT, 'token', 'n', 'seq')
local tip = tonumber(redis.call('HGET', META, 'seq')) or 0 -- guard: freeze type of meta; without: local tip = 0

if ARGV[5] == '' or built[1] ~= ARGV[5] then return { 'fenced' } end -- guard: freeze token
if (tonumber(built[2]) or 0) ~= tonumber(ARGV[6]) then return { 'fenced' } end -- guard: freeze number
local seq = tonumber(live[3]) or 0
if seq - (tonumber(built[3]) or 0) > tonumber(ARGV[7]) then return { 'behind', seq } end -- guard: freeze behind

local now = tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
local counter = string.format('%.0f', (tonumber(live[1]) or 0) + 1)
local token = counter .. '-' .. ARGV[4]
redis.call('HSET', GROUP, 'counter', counter, 'token', token, 'member', ARGV[3], 'until', string.format('%.0f', now + tonumber(ARGV[2])))
return { 'frozen', token, live[2] or '0-0', seq, tonumber(live[4]) or 0, live[5] or '', tip }
