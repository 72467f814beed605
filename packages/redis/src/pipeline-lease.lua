-- Takes, renews or releases the lease of a pipeline, and keeps what is known of it. Time decides who tries to read; the fence
-- that is set with the token (fence.lua), who may write.
--
-- KEYS  1 pipeline  hash: counter, token ("<counter>-<nonce>"; empty = released), holder, until (ms), status = JSON that the
--                   holder says last; paused = 1, resumed, restarted = counts, run:<table> = snapshots ordered beyond the first
-- ARGV  1 take | renew | release
--       2 length of the lease in ms
--       3 take: the holder; else the token
--       4 take: a nonce for the token; else the status
--       5 take: the counter must become greater than this
--       6 now     ms, or empty for the server's clock
-- RETURNS take: {"leased", token} | {"held", holder, ms left}
--         renew: {"renewed", [field, value, …]} | {"lost"}      release: {"released"} | {"lost"}
--
-- Guards are marked as in append.lua.

local PIPELINE, word, who = KEYS[1], ARGV[1], ARGV[3]

local stored = redis.call('HMGET', PIPELINE, 'counter', 'token', 'holder', 'until')
local counter, token, holder, untilMs = tonumber(stored[1]) or 0, stored[2] or '', stored[3], tonumber(stored[4]) or 0
local now = tonumber(ARGV[6])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
local deadline = string.format('%.0f', now + tonumber(ARGV[2]))

if word == 'take' then
  if now < untilMs and holder ~= who then return { 'held', holder, string.format('%.0f', untilMs - now) } end -- guard: live reader
  counter = math.max(counter, tonumber(ARGV[5])) -- guard: fence that was seen
  counter = string.format('%.0f', counter + 1)
  local fresh = counter .. '-' .. ARGV[4]
  redis.call('HSET', PIPELINE, 'counter', counter, 'token', fresh, 'holder', who, 'until', deadline)
  return { 'leased', fresh }
end
if token == '' or token ~= who then return { 'lost' } end -- guard: lease of another
redis.call('HSET', PIPELINE, 'status', ARGV[4])
if word == 'renew' then
  redis.call('HSET', PIPELINE, 'until', deadline)
  return { 'renewed', redis.call('HGETALL', PIPELINE) }
end
redis.call('HSET', PIPELINE, 'token', '', 'until', '0')
return { 'released' }
