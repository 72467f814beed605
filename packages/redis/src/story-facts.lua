-- include: what became of events, in commit.lua, confirm.lua, rule.lua and effects-rule.lua: facts by the seq of their event,
-- bounded. Uses KEYS, hset-all.lua; gives judgeStory, writeStory, tellRuling. A story is {at = index into KEYS of story and
-- story-times, now = ms or absent, facts = [[seq, JSON], …], bytes, stories, kept = what storyBounds says}.

-- Nothing of later writes may fail, so everything is touched once.
local function judgeStory(story)
  if not story then return end
  redis.call('HLEN', KEYS[story.at]) -- guard: type of story
  redis.call('ZCARD', KEYS[story.at + 1]) -- guard: type of story-times
end

local function storyTime(story)
  if story.now then return story.now end
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

local function forgetStories(story, now)
  local STORY, TIMES = KEYS[story.at], KEYS[story.at + 1]
  local gone = redis.call('ZRANGEBYSCORE', TIMES, '-inf', string.format('(%.0f', now - story.kept), 'LIMIT', 0, 1000)
  local beyond = redis.call('ZCARD', TIMES) - story.stories
  if #gone == 0 and beyond > 0 then gone = redis.call('ZRANGE', TIMES, 0, beyond - 1) end
  if #gone == 0 then return end
  redis.call('HDEL', STORY, unpack(gone))
  redis.call('ZREM', TIMES, unpack(gone))
end

-- The last whole facts that fit.
local function boundedStory(text, most)
  if #text <= most then return text end
  local cut = string.find(text, '\n', #text - most, true)
  return string.sub(text, cut + 1)
end

local function writeFacts(story)
  local order, more = {}, {}
  for _, fact in ipairs(story.facts) do
    local field = string.format('%.0f', fact[1])
    if not more[field] then order[#order + 1] = field end
    more[field] = (more[field] and more[field] .. '\n' or '') .. fact[2]
  end
  local STORY, now = KEYS[story.at], storyTime(story)
  local texts, values, times = redis.call('HMGET', STORY, unpack(order)), {}, {}
  for i, field in ipairs(order) do
    local text = (texts[i] and texts[i] .. '\n' or '') .. more[field]
    values[2 * i - 1], values[2 * i] = field, boundedStory(text, story.bytes)
    times[2 * i - 1], times[2 * i] = string.format('%.0f', now), field
  end
  hsetAll(STORY, values)
  redis.call('ZADD', KEYS[story.at + 1], unpack(times))
  forgetStories(story, now)
end

-- Notes a ruling, whose text lacks when it was made and on what.
local function tellRuling(story, now, on)
  if not story then return end
  local fact = story.facts[1]
  fact[2] = string.format('{"atMs":%.0f,"on":"%s",', now, on) .. string.sub(fact[2], 2)
  writeFacts(story)
end

local function writeStory(story)
  if story and #story.facts > 0 then writeFacts(story) end
end
