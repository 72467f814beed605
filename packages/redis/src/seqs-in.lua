-- include: reads a list of sequence numbers, comma separated.

local function seqsIn(text)
  local list = {}
  for seq in string.gmatch(text or '', '%d+') do list[#list + 1] = tonumber(seq) end
  return list
end
