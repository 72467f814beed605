-- Acquires, renews or releases the lease of a group on a partition. Time decides who tries, the token who may.
--
-- KEYS  1 group   hash: counter, token ("<counter>-<nonce>"; empty = released), member, until (ms), n = number of the last
--                 commit, id and seq of the position, ahead = seqs settled beyond it; gid, gread = where Redis's own group
--                 stands; base, base-id = where the group began, withheld = seq up to which effects and emits are withheld,
--                 generation = number of the live one; done, parked, lined, deferred, dead = where its events are;
--                 e-recorded, e-pending, e-parked, e-dead, e-confirmed, e-ignored, e-withheld = where its effects are;
--                 e-forgotten = those of the withheld whose bodies are gone; fired = timers;
--                 o-written, o-forwarded = outbox entries; channel:<target> = last number of that channel
--       2 meta    hash: seq, ms, ord of the tip
--       3 log     stream
--       4… all other keys of an ephemeral group
-- ARGV  1 acquire | seize (acquire, whoever holds it) | renew | release
--       2 now     ms, or empty for the server's clock
--       3 length of the lease in ms
--       4 acquire: the member; else the token
--       5 acquire: a nonce for the token; renew: n
--       6 acquire: name of Redis's own group; empty = none
--       7 and 8 acquire: id and seq of where a group begins that has no record yet; empty = at the beginning
--       9 acquire: seq up to which effects and emits of such a group are withheld
--      10 ms after which an ephemeral group is gone; empty = it is kept
-- RETURNS acquire: {"leased", token, id, seq, n, ahead, tip, withheld, 1 when it began here, else 0} | {"held"}
--                  | {"refused", word, seq}: the log has no such start
--         renew: {"renewed", tip} | {"fenced"}      release: {"released"} | {"fenced"}
--
-- Guards are marked as in append.lua.

local GROUP, META, LOG = unpack(KEYS, 1, 3)
local word, who = ARGV[1], ARGV[4]

local stored = redis.call('HMGET', GROUP, 'counter', 'token', 'member', 'until', 'n', 'id', 'seq', 'ahead', 'gid', 'gread', 'withheld')
local counter, token, member, untilMs = tonumber(stored[1]) or 0, stored[2] or '', stored[3], tonumber(stored[4]) or 0
local n = tonumber(stored[5]) or 0
local meta = redis.call('HMGET', META, 'seq', 'ms', 'ord') -- guard: lease type of meta; without: local meta = {}
local tip = tonumber(meta[1]) or 0

local now = tonumber(ARGV[2])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
local deadline = string.format('%.0f', now + tonumber(ARGV[3]))

-- @include standing.lua

-- An ephemeral group lives on for its time.
local function lives()
  if ARGV[10] == '' then return end
  redis.call('PEXPIRE', GROUP, ARGV[10])
  for i = 4, #KEYS do redis.call('PEXPIRE', KEYS[i], ARGV[10]) end
end

local function acquire()
  if word == 'acquire' and now < untilMs and member ~= who then return { 'held' } end -- guard: live holder
  local known = hasGroup(ARGV[6])
  local id, seq, gid, read = stored[6] or '0-0', stored[7] or '0', stored[9] or '0-0', stored[10] or '0'
  local starts = not stored[7] and ARGV[7] ~= '' -- guard: start of a record that has begun; without: local starts = ARGV[7] ~= ''
  if starts then
    if tonumber(ARGV[8]) > tip then return { 'refused', 'beyond', tip } end -- guard: start beyond the tip
    local stand, entries = standing(ARGV[7], tonumber(ARGV[8]))
    if not stand then return { 'refused', 'other', tonumber(ARGV[8]) } end
    id, seq, gid, read = ARGV[7], ARGV[8], stand, string.format('%.0f', entries)
  end
  local fresh = string.format('%.0f', counter + 1) .. '-' .. ARGV[5]
  if hasLog and not known and ARGV[6] ~= '' then redis.call('XGROUP', 'CREATE', LOG, ARGV[6], gid, 'ENTRIESREAD', read) end
  redis.call('HSET', GROUP, 'counter', string.format('%.0f', counter + 1), 'token', fresh, 'member', who, 'until', deadline)
  local withheld = stored[11] or '0'
  if starts then
    withheld = ARGV[9]
    redis.call('HSET', GROUP, 'base', seq, 'base-id', id, 'withheld', withheld, 'id', id, 'seq', seq, 'gid', gid, 'gread', read)
  end
  lives()
  return { 'leased', fresh, id, seq, n, stored[8] or '', tip, tonumber(withheld), starts and 1 or 0 }
end

if word == 'acquire' or word == 'seize' then return acquire() end
if token == '' or token ~= who then return { 'fenced' } end -- guard: lease token
if word == 'renew' then
  if n ~= tonumber(ARGV[5]) then return { 'fenced' } end -- guard: renewal number
  redis.call('HSET', GROUP, 'until', deadline)
  lives()
  return { 'renewed', tip }
end
redis.call('HSET', GROUP, 'token', '', 'until', '0')
return { 'released' }
