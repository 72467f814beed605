-- include: the stream ids of events, in append.lua and commit.lua.

local DIGITS = { [0] = '0', '1', '2', '3', '4', '5', '6', '7', '8', '9' }

-- Makes the stream id of an event from its seq. Making text of a number is the dearest part of it, so it is made for
-- ten at a time.
local function idsAt(msText)
  local tens, stem = -1, ''
  return function(seq)
    local digit = seq % 10
    if seq - digit ~= tens then
      tens = seq - digit
      stem = msText .. '-' .. (tens > 0 and tens / 10 or '')
    end
    return stem .. DIGITS[digit]
  end
end
