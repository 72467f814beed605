-- include: the end of a partition as it is stored, in append.lua and commit.lua.

-- Where a partition ends: seq, ms, ord, and how full the present dedupe generation is. Nothing where its log and its
-- meta do not fit: more entries than were counted, so others write here, or meta is lost or older than the log.
local function tipOf(log, meta)
  local entries = redis.call('XLEN', log)
  local stored = redis.call('HMGET', meta, 'seq', 'ms', 'ord', 'idn', 'ids0') -- guard: type of meta; without: local stored = {}
  local ordinal = tonumber(stored[3]) or 0
  if entries > ordinal then return nil end -- guard: counted entries
  return {
    seq = tonumber(stored[1]) or 0,
    ms = tonumber(stored[2]) or 0,
    ord = ordinal,
    idCount = tonumber(stored[4]) or 0,
    idsSince = tonumber(stored[5]) or 0,
  }
end

-- The ms since the epoch: as the caller says, or by the server's clock.
local function timeOr(now)
  if now then return now end
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- The ms in the ids of what comes behind an end.
local function msBehind(tip, now)
  if now < tip.ms then return tip.ms end -- guard: clock going back
  return now
end
