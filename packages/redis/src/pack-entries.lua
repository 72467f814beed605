-- include: cuts the text of a call's events into entries, in append.lua and append-creates.lua.

-- Calls add(body, events) for each entry that the standing events make: their places among all of the text, in order.
-- most = events, mostBytes = bytes of an entry; sizes = JSON array of the bytes of each event, read only where needed.
local function packEntries(payload, all, standing, sizes, most, mostBytes, add)
  local count = #standing
  if count == all and count <= most and #payload - count - 1 <= mostBytes then return add(payload, count) end
  local bytes, offset, at = cjson.decode(sizes), {}, 2
  for i = 1, #bytes do
    offset[i] = at
    at = at + bytes[i] + 1
  end
  local parts, held, size, first = {}, 0, 0, standing[1]
  for i = 1, count do
    local event, following = standing[i], standing[i + 1]
    held, size = held + 1, size + bytes[event]
    local full = not following or held == most or size + bytes[following] > mostBytes
    if full or following ~= event + 1 then
      -- Neighbours are cut out in one piece, commas and all.
      parts[#parts + 1] = string.sub(payload, offset[first], offset[event] + bytes[event] - 1)
      first = following
    end
    if full then
      add('[' .. table.concat(parts, ',') .. ']', held)
      parts, held, size = {}, 0, 0
    end
  end
end
