-- Acquires, renews or releases the lease of a group on a partition. Time decides who tries, the token who may.
--
-- KEYS  1 group   hash: counter, token ("<counter>-<nonce>"; empty = released), member, until (ms), n = number of the last
--                 commit, id and seq of the position, ahead = seqs settled beyond it; gid, gread = where Redis's own group stands
--       2 meta    hash: seq of the tip
--       3 log     stream
-- ARGV  1 acquire | renew | release
--       2 now     ms, or empty for the server's clock
--       3 length of the lease in ms
--       4 acquire: the member; else the token
--       5 acquire: a nonce for the token; renew: n
--       6 acquire: name of Redis's own group
-- RETURNS acquire: {"leased", token, id, seq, n, ahead, tip} | {"held"}
--         renew: {"renewed", tip} | {"fenced"}      release: {"released"} | {"fenced"}
--
-- Guards are marked as in append.lua.

local GROUP, META, LOG = unpack(KEYS, 1, 3)
local word, who = ARGV[1], ARGV[4]

local stored = redis.call('HMGET', GROUP, 'counter', 'token', 'member', 'until', 'n', 'id', 'seq', 'ahead', 'gid', 'gread')
local counter, token, member, untilMs = tonumber(stored[1]) or 0, stored[2] or '', stored[3], tonumber(stored[4]) or 0
local n = tonumber(stored[5]) or 0
local tip = tonumber(redis.call('HGET', META, 'seq') or '0') -- guard: lease type of meta; without: local tip = 0

local now = tonumber(ARGV[2])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
local deadline = string.format('%.0f', now + tonumber(ARGV[3]))

if word == 'acquire' then
  if now < untilMs and member ~= who then return { 'held' } end -- guard: live holder
  local missing = false
  if redis.call('EXISTS', LOG) == 1 then
    missing = true
    for _, group in ipairs(redis.call('XINFO', 'GROUPS', LOG)) do
      if group[2] == ARGV[6] then missing = false end
    end
  end
  local fresh = string.format('%.0f', counter + 1) .. '-' .. ARGV[5]
  if missing then redis.call('XGROUP', 'CREATE', LOG, ARGV[6], stored[9] or '0-0', 'ENTRIESREAD', stored[10] or '0') end
  redis.call('HSET', GROUP, 'counter', string.format('%.0f', counter + 1), 'token', fresh, 'member', who, 'until', deadline)
  return { 'leased', fresh, stored[6] or '0-0', stored[7] or '0', n, stored[8] or '', tip }
end

if token == '' or token ~= who then return { 'fenced' } end -- guard: lease token
if word == 'renew' then
  if n ~= tonumber(ARGV[5]) then return { 'fenced' } end -- guard: renewal number
  redis.call('HSET', GROUP, 'until', deadline)
  return { 'renewed', tip }
end
redis.call('HSET', GROUP, 'token', '', 'until', '0')
return { 'released' }
