-- include: emitted events that the commit appends to their topics itself, in commit.lua. A partition takes them at once
-- where its keys may be in the call (see at-once.ts) and its channel stands where the group's record says; in doubt
-- they go into the outbox as all others do, and the forwarder finds out.
-- Uses c, tip.lua, stream-ids.lua, channel-record.lua; gives judgeAtOnce, isAtOnce, writeAtOnce.

local ends = {} -- by number of the target: its end, where it takes events at once

-- Nothing of later writes may fail, so everything is touched once. Called by pcall: a foreign type refuses the target alone.
local function endOf(target)
  local log, meta, channels = KEYS[target[1]], KEYS[target[1] + 1], KEYS[target[1] + 5]
  local tip = tipOf(log, meta)
  if not tip then return nil end
  local incarnation, last = channelIn(redis.call('HGET', channels, c.channel)) -- guard: type of channels; without: local incarnation, last = 0, 0
  if incarnation > 1 then return nil end -- guard: foreign incarnation
  local call, before = redis.call, target[1] + 8
  for i = before + 1, before + target[2] do
    call('LLEN', KEYS[i]) -- guard: type of the key index
  end
  local ms = msBehind(tip, timeOr(c.now))
  if redis.call('EXISTS', log) == 1 then
    local info = redis.call('XINFO', 'STREAM', log)
    for i = 1, #info, 2 do
      if info[i] == 'last-generated-id' then
        local lastMs, lastSeq = string.match(info[i + 1], '^(%d+)-(%d+)$')
        lastMs, lastSeq = tonumber(lastMs), tonumber(lastSeq)
        if lastMs > ms or lastMs == ms and lastSeq > tip.seq then return nil end -- guard: foreign end
      end
    end
  end
  tip.last, tip.msText, tip.pushes = last, string.format('%.0f', ms), {}
  tip.idOf = idsAt(tip.msText)
  return tip
end

local function isAtOnce(entry)
  return ends[entry[3]] ~= nil
end

-- `numbers`: of the first event of each entry. What the channel has not got yet lies in the outbox, and goes first.
local function judgeAtOnce(numbers)
  local looked, last = {}, {}
  for i, entry in ipairs(c.outbox or {}) do
    local t = entry[3]
    if t and not looked[t] then
      looked[t] = true
      local fine, tip = pcall(endOf, c.targets[t])
      if fine and tip then ends[t], last[t] = tip, tip.last end
    end
    if ends[t] then
      if numbers[i] ~= last[t] + 1 then ends[t] = nil end -- guard: channel in step
      last[t] = last[t] + entry[2]
    end
  end
end

local function writeAtOnce()
  for i, entry in ipairs(c.outbox or {}) do
    local tip = ends[entry[3]]
    if tip then
      local before = tip.seq
      tip.seq, tip.ord, tip.last, tip.mark = before + entry[2], tip.ord + 1, tip.last + entry[2], entry[4]
      redis.call('XADD', KEYS[c.targets[entry[3]][1]], tip.idOf(tip.seq), 'e', ARGV[3 + i], 'n', tip.ord .. ' ' .. entry[2])
      local pushes, idOf = tip.pushes, tip.idOf
      for event, key in ipairs(entry[5]) do
        -- Most keys have one event: a list for each would take as long as making its id.
        local ids, id = pushes[key], idOf(before + event)
        if not ids then pushes[key] = id
        elseif type(ids) == 'table' then ids[#ids + 1] = id
        else pushes[key] = { ids, id } end
      end
    end
  end
  for t, tip in pairs(ends) do
    local at, call = c.targets[t][1], redis.call
    for key, ids in pairs(tip.pushes) do
      if type(ids) == 'table' then call('RPUSH', KEYS[at + 8 + key], unpack(ids)) else call('RPUSH', KEYS[at + 8 + key], ids) end
    end
    redis.call('HSET', KEYS[at + 1], 'seq', tip.seq, 'ms', tip.msText, 'ord', tip.ord)
    redis.call('HSET', KEYS[at + 5], c.channel, channelText(1, tip.last, tip.mark))
  end
end
