-- Keeps the list of a group's members, and which one is to own which partition. Everything is read and checked before the
-- first write.
--
-- KEYS  1 members     hash: member -> "<since> <seen> <ttl> <declined partitions, comma separated>"; ms, by the server's clock
--       2 assignment  hash: revision, owners (a text that the script only keeps)
-- ARGV  1 heartbeat | look | leave | assign
--       2 now      ms, or empty for the server's clock
--       3 heartbeat, leave: the member; assign: the revision that the assignment was made out of
--       4 heartbeat: for how many ms it counts as live; assign: owners
--       5 heartbeat: declined partitions
--       6 heartbeat: for how many ms a silent member is kept
--       7 heartbeat: most members
-- RETURNS {"seen", now, revision, owners, [member, record, …]} | {"full"}
--
-- A heartbeat also takes out whoever has been silent for too long. An assignment made out of another revision than the
-- stored one changes nothing. Guards are marked as in append.lua.

local MEMBERS, ASSIGNMENT = KEYS[1], KEYS[2]
local word = ARGV[1]

-- READ

local list = redis.call('HGETALL', MEMBERS)
local stored = redis.call('HMGET', ASSIGNMENT, 'revision', 'owners') -- guard: type of assignment; without: local stored = {}
local now = tonumber(ARGV[2])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
local nowText = string.format('%.0f', now)

-- JUDGE

local gone, others, since = {}, 0, nowText
if word == 'heartbeat' then
  for i = 1, #list, 2 do
    local first, seen = string.match(list[i + 1], '^(%d+) (%d+) ')
    if list[i] == ARGV[3] then
      since = first -- guard: first heartbeat
    elseif now - tonumber(seen) > tonumber(ARGV[6]) then -- guard: silent for too long; without: elseif false then
      gone[#gone + 1] = list[i]
    else
      others = others + 1
    end
  end
  if others >= tonumber(ARGV[7]) then return { 'full' } end -- guard: most members
end

-- WRITE

if word == 'heartbeat' then
  -- One by one: there may be more of them than unpack can hold.
  for i = 1, #gone do redis.call('HDEL', MEMBERS, gone[i]) end
  redis.call('HSET', MEMBERS, ARGV[3], since .. ' ' .. nowText .. ' ' .. ARGV[4] .. ' ' .. ARGV[5])
elseif word == 'leave' then
  redis.call('HDEL', MEMBERS, ARGV[3])
elseif word == 'assign' and (stored[1] or '0') == ARGV[3] then -- guard: revision; without: elseif word == 'assign' then
  local nextRevision = string.format('%.0f', tonumber(ARGV[3]) + 1)
  redis.call('HSET', ASSIGNMENT, 'revision', nextRevision, 'owners', ARGV[4])
  stored = { nextRevision, ARGV[4] }
end
if word == 'heartbeat' or word == 'leave' then list = redis.call('HGETALL', MEMBERS) end
return { 'seen', nowText, stored[1] or '0', stored[2] or '', list }
