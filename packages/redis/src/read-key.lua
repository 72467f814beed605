-- Reads a part of one key's history: its ids from the index, and the entries that hold them.
--
-- KEYS  1 log        stream
--       2 key index  list of stream ids
-- ARGV  1 how many of the key's first events to leave out
--       2 most events
--       3 most bytes of entries; at least one entry is answered
-- RETURNS { version, ids as one text, [entry id, body, …] }: each entry once, in order; an id without its entry was trimmed

local version = redis.call('LLEN', KEYS[2])
local from, most, bytes = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local ids = redis.call('LRANGE', KEYS[2], from, from + most - 1)
local entries, taken, size = {}, {}, 0
local lastSeq = -1

for i = 1, #ids do
  local seq = tonumber(string.match(ids[i], '%-(%d+)$'))
  if seq > lastSeq then
    -- The id of an entry is that of its last event: the first entry from an event's id on holds it.
    local found = redis.call('XRANGE', KEYS[1], ids[i], '+', 'COUNT', 1)[1]
    if found then
      size = size + #found[2][2]
      if size > bytes and #entries > 0 then break end
      entries[#entries + 1] = found[1]
      entries[#entries + 1] = found[2][2]
      lastSeq = tonumber(string.match(found[1], '%-(%d+)$'))
    end
  end
  taken[#taken + 1] = ids[i]
end

return { version, table.concat(taken, ' '), entries }
