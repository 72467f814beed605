-- Counts where all events and effects of a group are: what its record says, and what lies in the structures.
--
-- KEYS  1 group   2 meta   3 dead   4 parked   5 parked-heads   6 deferred   7 deferred-heads   8 timers   9 outbox
--      10 effects   11 effects-pending   12 effects-parked   13 effects-dead; see commit.lua and confirm.lua
--      14 requeued   15 dead-index   16 effects-index; see rule.lua and effect-index.lua
--      17 withheld; see commit-withheld.lua
-- ARGV  1 most parked keys, and keys with deferred events, whose lists are counted one by one
-- RETURNS { counters, structures }
--   counters    tip, base, seq, ahead (text), done, parked, lined, deferred, dead, requeued, e-recorded, e-pending, e-parked, e-dead,
--               e-confirmed, e-ignored, o-written, o-forwarded, e-withheld, e-forgotten; false where the record has none
--   structures  parked, parked-heads, lined (-1: too many to count), keys with deferred events, deferred-heads,
--               deferred (-1), dead, timers, outbox, effects, pending, parked, dead, requeued, held keys (-1),
--               members of the index, members of the index of dead effects, withheld

local GROUP, META, DEAD, PARKED, PARKED_HEADS, DEFERRED, DEFERRED_HEADS, TIMERS, OUTBOX, EFFECTS, E_PENDING, E_PARKED,
  E_DEAD, REQUEUED, DEAD_INDEX, E_INDEX, WITHHELD = unpack(KEYS, 1, 17)
local most = tonumber(ARGV[1])

-- Sums what the texts of a hash say with the pattern.
local function sumOf(hash, pattern)
  if redis.call('HLEN', hash) > most then return -1 end
  local sum = 0
  for _, text in ipairs(redis.call('HVALS', hash)) do sum = sum + tonumber(string.match(text, pattern)) end
  return sum
end

-- A quote inside of a text is written with a backslash before it, so that this finds the member alone.
local function heldKeys()
  if redis.call('HLEN', PARKED) > most then return -1 end
  local held = 0
  for _, text in ipairs(redis.call('HVALS', PARKED)) do
    if string.find(text, '"why":"operator"', 1, true) then held = held + 1 end
  end
  return held
end

local counters = redis.call('HMGET', GROUP, 'base', 'seq', 'ahead', 'done', 'parked', 'lined', 'deferred', 'dead',
  'requeued', 'e-recorded', 'e-pending', 'e-parked', 'e-dead', 'e-confirmed', 'e-ignored', 'o-written', 'o-forwarded',
  'e-withheld', 'e-forgotten')
table.insert(counters, 1, redis.call('HGET', META, 'seq'))
return {
  counters,
  {
    redis.call('HLEN', PARKED),
    redis.call('ZCARD', PARKED_HEADS),
    sumOf(PARKED, '^%d+ %d+ %d+ (%d+)\n'),
    redis.call('HLEN', DEFERRED),
    redis.call('ZCARD', DEFERRED_HEADS),
    sumOf(DEFERRED, '^(%d+)\n'),
    redis.call('ZCARD', DEAD),
    redis.call('ZCARD', TIMERS),
    redis.call('XLEN', OUTBOX),
    redis.call('HLEN', EFFECTS),
    redis.call('ZCARD', E_PENDING),
    redis.call('ZCARD', E_PARKED),
    redis.call('ZCARD', E_DEAD),
    redis.call('ZCARD', REQUEUED),
    heldKeys(),
    redis.call('ZCARD', DEAD_INDEX),
    redis.call('ZCARD', E_INDEX),
    redis.call('HLEN', WITHHELD),
  },
}
