-- include: what a log knows of a channel, in append.lua and commit.lua: JSON [incarnation, last, mark].

local function channelIn(text)
  if not text then return 0, 0, '' end
  return unpack(cjson.decode(text))
end

-- Not encoded by cjson, which keeps 14 digits of a number.
local function channelText(incarnation, last, mark)
  return string.format('[%.0f,%.0f,%s]', incarnation, last, cjson.encode(mark))
end
