-- Marks a parked key as due, so that the owner of the partition runs it. Needs no token: it changes no record.
--
-- KEYS  1 parked      hash, see commit.lua
--       2 parked-due  sorted set: parked keys by the ms when they were marked
-- ARGV  1 key   2 number of its head   3 who asks: clock or operator   4 time in ms
-- RETURNS due | already: it is marked | stale: the key is not parked with this number, or waits for an operator and the
--         clock asks
--
-- Guards are marked as in append.lua.

local PARKED, PARKED_DUE = KEYS[1], KEYS[2]
local key, number, by, now = ARGV[1], ARGV[2], ARGV[3], ARGV[4]

local no, note = string.match(redis.call('HGET', PARKED, key) or '', '^(%d+) %d+ %d+ %d+\n(.*)$')
if no ~= number then return 'stale' end -- guard: number of the head
if by == 'clock' and cjson.decode(note).why ~= 'retry' then return 'stale' end -- guard: waits for an operator
if redis.call('ZSCORE', PARKED_DUE, key) then return 'already' end -- guard: marked before
redis.call('ZADD', PARKED_DUE, now, key)
return 'due'
