-- include: marks of commits in commit.lua: when a position was reached, by its seq, so that it can be told when ordinary
-- events were settled. Uses KEYS, c; gives judgeMark, writeMark. c.mark = [index into KEYS of story-marks, text,
-- 1 = also before the end of the log, how many are kept].

local marks = 0

local function judgeMark()
  if c.mark then marks = redis.call('ZCARD', KEYS[c.mark[1]]) end -- guard: type of story-marks
end

local function writeMark(atEnd)
  if not c.mark or not (atEnd or c.mark[3] == 1) then return end
  local MARKS = KEYS[c.mark[1]]
  redis.call('ZADD', MARKS, string.format('%.0f', c.seq), c.mark[2])
  local beyond = marks + 1 - c.mark[4]
  if beyond > 0 then redis.call('ZREMRANGEBYRANK', MARKS, 0, beyond - 1) end
end
