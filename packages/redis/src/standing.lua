-- include: where Redis's own group stands when a group of ours has reached an event.
-- Uses LOG and meta (seq, ms, ord of the tip); gives hasLog, hasGroup, standing.

local hasLog = redis.call('EXISTS', LOG) == 1

local function hasGroup(name)
  if not hasLog then return false end
  for _, group in ipairs(redis.call('XINFO', 'GROUPS', LOG)) do
    if group[2] == name then return true end
  end
  return false
end

-- The id that Redis's group stands at, and how many entries that is; nothing where the log has no such event.
-- A position may lie inside an entry, as an entry holds several events: the group then stands at the entry before.
local function standing(id, seq)
  if seq == 0 then return '0-0', 0 end
  local ms = string.match(id, '^(%d+)-')
  local entry = hasLog and redis.call('XRANGE', LOG, id, '+', 'COUNT', 1)[1]
  if not entry then
    -- All entries up to the tip were trimmed.
    if hasLog and seq == tonumber(meta[1]) and ms == meta[2] then return id, tonumber(meta[3]) end -- guard: trimmed tip; without: if hasLog then return id, tonumber(meta[3]) or 0 end
    return nil
  end
  local entryMs, entrySeq = string.match(entry[1], '^(%d+)-(%d+)$')
  local ordinal, events = string.match(entry[2][4], '^(%d+) (%d+)$')
  entrySeq, ordinal = tonumber(entrySeq), tonumber(ordinal)
  if seq == entrySeq and ms == entryMs then return entry[1], ordinal end
  local before = redis.call('XREVRANGE', LOG, '(' .. entry[1], '-', 'COUNT', 1)[1]
  local first = entrySeq - tonumber(events) + 1
  if seq < first then
    -- Its own entry was trimmed: possible only when nothing is left before this one.
    if before then return nil end -- guard: missing event
    return id, ordinal - 1
  end
  if ms ~= entryMs then return nil end -- guard: other event
  return before and before[1] or entryMs .. '-' .. string.format('%.0f', first - 1), ordinal - 1
end
