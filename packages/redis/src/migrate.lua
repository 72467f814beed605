-- Journals what another system says of a key that the group has nothing of, so that its first event goes on from there.
-- Needs no token: it writes no state, and an owner that has asked by itself meanwhile is refused with its commit.
--
-- KEYS  1 states   2 migrations   see commit.lua and commit-migrations.lua
-- ARGV  1 key      2 text of the entry
-- RETURNS kept | known: there is a record of the key, or an entry
--
-- Guards are marked as in append.lua.

local STATES, MIGRATIONS = unpack(KEYS, 1, 2)

if redis.call('HEXISTS', STATES, ARGV[1]) == 1 then return 'known' end -- guard: key with a record
if redis.call('HEXISTS', MIGRATIONS, ARGV[1]) == 1 then return 'known' end -- guard: key with an entry
redis.call('HSET', MIGRATIONS, ARGV[1], ARGV[2])
return 'kept'
