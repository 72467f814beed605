-- include: timers in commit.lua: those that have fired are journalled and gone, then others are set or cancelled.
-- Uses TIMERS, JOURNAL, c, record; gives judgeTimers, writeTimers.

local function judgeTimers()
  if c.set or c.cancel or c.fire then redis.call('ZCARD', TIMERS) end -- guard: type of timers
  if not c.fire then return nil end
  redis.call('ZCARD', JOURNAL) -- guard: type of journal
  for _, firing in ipairs(c.fire) do
    local due = tonumber(redis.call('ZSCORE', TIMERS, firing[1]) or nil)
    if due ~= firing[2] then return { 'refused', 'timer', firing[3] } end -- guard: timer as it is set
  end
end

local function writeTimers()
  if c.fire or c.ran then
    -- Firings and late runs share their numbers, in the order in which they came.
    local fired = tonumber(redis.call('HGET', GROUP, 'fired')) or 0
    local firings, runs, before = c.fire or {}, c.ran or {}, 0
    for at, firing in ipairs(firings) do
      while runs[before + 1] and (runs[before + 1][3] or 0) < at do before = before + 1 end
      redis.call('ZREM', TIMERS, firing[1])
      redis.call('ZADD', JOURNAL, 0, string.format('%015.0f %015.0f %s', firing[3], fired + at + before, firing[4]))
    end
    record[#record + 1] = 'fired'
    record[#record + 1] = string.format('%.0f', fired + #firings + #runs)
  end
  for _, timer in ipairs(c.cancel or {}) do redis.call('ZREM', TIMERS, timer) end
  for _, timer in ipairs(c.set or {}) do redis.call('ZADD', TIMERS, string.format('%.0f', timer[2]), timer[1]) end
end
