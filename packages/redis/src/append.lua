-- Appends units to one partition: judges each, then writes all that stand, in one atomic step.
-- Everything that can fail is read and checked before the first write, because Redis does not roll back;
-- XADD is the first write, so a foreign entry at the tip refuses the whole call.
--
-- KEYS  1 log        stream: entries e = JSON array of events, n = "<entry ordinal> <events>"; id = <ms>-<seq of its last event>
--       2 meta       hash: seq, ms, ord of the tip; idn, ids0 = size and start of the present dedupe generation
--       3 ids        hash: identity -> "<id> <fingerprint>", present generation
--       4 ids-old    hash: the generation before
--       5 ids-kept   hash: the same for units with claims, without end
--       6 channels   hash: channel -> JSON [incarnation, last, mark]
--       7 claims     hash: constraint:version:digest -> key
--       8 owners     hash: constraint:key -> "version:digest …"; empty text = owns an entry that holds nothing
--       9 claims-meta hash: live = versions, comma separated; gate = closed until (ms); for each log: seq of its last claim change
--       10… key index, one list for each distinct key of the call: stream ids of its events
-- ARGV  1 JSON header:
--         now      ms, or absent for the server's clock
--         window, most  the dedupe generation ends after so many ms, or ids
--         pack, packBytes  most events, bytes in an entry
--         lens     bytes of each event
--         keys     the distinct keys, in the order of KEYS 10…
--         k        index into keys, by unit (channel: by event)
--         u        events in each unit; absent for a channel batch
--         ids      identity of each event; absent for a channel batch
--         x        { unit -> expected version }    f { unit -> fingerprint }    s { unit -> true: skip if unchanged }
--         c        { unit -> [[constraint, action, { version -> digest }], …] }
--         kept     true when the topic has constraints: identities are looked up in ids-kept too
--         ch       [channel, incarnation, first, mark]
--       2 JSON array of the events, as one text
-- RETURNS { ms, first seq written, JSON of one result a unit }
--         ["a", version] appended · ["d", id, …] duplicate · ["u", id] unchanged
--         ["r", word, …] refused: version n | claimed constraint | owner constraint | fingerprint | partial | keyring version | gated
--       channel: ["a", taken, last] | ["r", "gap", last] | ["r", "stale", last, incarnation]

local header, payload = cjson.decode(ARGV[1]), ARGV[2]
local LOG, META, IDS, OLD, KEPT, CHANNELS, CLAIMS, OWNERS, CLAIMS_META = unpack(KEYS, 1, 9)
local FIRST_KEY = 9
local lens, keys, keyOf = header.lens, header.keys, header.k

-- Lua's unpack holds some 8,000 values; hashes are read and written in slices.
local SLICE = 4000

local function hmget(key, fields)
  local values = {}
  for from = 1, #fields, SLICE do
    local part = redis.call('HMGET', key, unpack(fields, from, math.min(from + SLICE - 1, #fields)))
    for i = 1, #part do values[from + i - 1] = part[i] end
  end
  return values
end

local function hset(key, pairsList)
  for from = 1, #pairsList, SLICE do
    redis.call('HSET', key, unpack(pairsList, from, math.min(from + SLICE - 1, #pairsList)))
  end
end

-- READ

local entries = redis.call('XLEN', LOG)
local meta = redis.call('HMGET', META, 'seq', 'ms', 'ord', 'idn', 'ids0')
local tipSeq, ms, ordinal = tonumber(meta[1]) or 0, tonumber(meta[2]) or 0, tonumber(meta[3]) or 0
local idCount, idsSince = tonumber(meta[4]) or 0, tonumber(meta[5]) or 0
if entries > 0 and not meta[1] then return redis.error_reply('CORRUPT the log has entries but no meta: ' .. META) end
local now = header.now
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
-- The clock may step back; stream ids may not.
if now > ms then ms = now end
local msText = string.format('%.0f', ms)

local version = {}
for i = 1, #keys do version[i] = redis.call('LLEN', KEYS[FIRST_KEY + i]) end

if header.c then
  redis.call('HLEN', CLAIMS)
  redis.call('HLEN', OWNERS)
end

local recent, old, kept = {}, {}, {}
local rotate, oldest = false, false
if header.ids then
  recent, old = hmget(IDS, header.ids), hmget(OLD, header.ids)
  if header.kept then kept = hmget(KEPT, header.ids) end
  rotate = now - idsSince >= header.window or idCount >= header.most
  if rotate then oldest = redis.call('EXISTS', IDS) == 1 end
end

-- JUDGE

local accepted = {}        -- events that will be written: index into lens
local writtenKey = {}      -- their key
local results = {}
local fresh = {}           -- identities accepted in this call: identity -> text as it will be stored
local toRecent, toKept = {}, {}
local lastId = {}          -- of each key, where this call accepted an event of it

local function accept(event, key)
  local n = #accepted + 1
  accepted[n], writtenKey[n] = event, key
  version[key] = version[key] + 1
  lastId[key] = msText .. '-' .. string.format('%.0f', tipSeq + n)
  return lastId[key]
end

local claims = { owner = {}, entry = {}, touchedOwner = {}, touchedEntry = {}, live = nil, settled = nil }

local function ownerOf(name)
  if claims.touchedOwner[name] then return claims.owner[name] end
  return redis.call('HGET', CLAIMS, name)
end

local function entryOf(slot)
  if claims.touchedEntry[slot] then return claims.entry[slot] end
  return redis.call('HGET', OWNERS, slot)
end

-- Judges the claim changes of a unit; answers a refusal, or the writes they come to.
local function planClaims(changes, key)
  if not claims.live then
    local m = redis.call('HMGET', CLAIMS_META, 'live', 'gate')
    if m[2] and now < tonumber(m[2]) then return { 'r', 'gated' } end
    claims.live = {}
    if m[1] then for v in string.gmatch(m[1], '[^,]+') do table.insert(claims.live, v) end end
  end
  if #claims.live == 0 then
    -- The first claim of a topic settles which versions are live.
    for _, change in ipairs(changes) do
      if #claims.live == 0 then for v in pairs(change[3]) do table.insert(claims.live, v) end end
    end
    table.sort(claims.live)
    if #claims.live > 0 then claims.settled = table.concat(claims.live, ',') end
  end
  local plan = { changed = false, free = {}, take = {}, entries = {} }
  for _, change in ipairs(changes) do
    local constraint, action, digests = change[1], change[2], change[3]
    local slot = constraint .. ':' .. key
    local present = entryOf(slot)
    if (action == 'claim') == (present ~= false) then return { 'r', 'owner', constraint, present ~= false } end
    local tagged = {}
    if action ~= 'release' and next(digests) then
      for _, v in ipairs(claims.live) do
        if not digests[v] then return { 'r', 'keyring', v } end
        table.insert(tagged, v .. ':' .. digests[v])
      end
    end
    for _, tag in ipairs(tagged) do
      local owner = ownerOf(constraint .. ':' .. tag)
      if owner and owner ~= key then return { 'r', 'claimed', constraint } end
    end
    local wanted = table.concat(tagged, ' ')
    if present ~= wanted or action ~= 'change' then
      plan.changed = true
      if present then for tag in string.gmatch(present, '[^ ]+') do table.insert(plan.free, constraint .. ':' .. tag) end end
      for _, tag in ipairs(tagged) do table.insert(plan.take, constraint .. ':' .. tag) end
      plan.entries[slot] = action ~= 'release' and wanted
    end
  end
  return nil, plan
end

local function touchClaims(plan, key)
  for _, name in ipairs(plan.free) do claims.owner[name], claims.touchedOwner[name] = false, true end
  for _, name in ipairs(plan.take) do claims.owner[name], claims.touchedOwner[name] = key, true end
  for slot, value in pairs(plan.entries) do claims.entry[slot], claims.touchedEntry[slot] = value, true end
end

-- What the log knows of a unit's events already: a result, or nothing.
local function known(from, to, fingerprint)
  local found, other = { 'd' }, false
  for i = from, to do
    local text = recent[i] or old[i] or kept[i] or fresh[header.ids[i]]
    if text then
      local space = string.find(text, ' ', 1, true)
      table.insert(found, string.sub(text, 1, space - 1))
      local stored = string.sub(text, space + 1)
      if fingerprint and stored ~= '' and stored ~= fingerprint then other = true end
    end
  end
  if #found == 1 then return nil end
  if #found - 1 < to - from + 1 then return { 'r', 'partial' } end
  if other then return { 'r', 'fingerprint' } end
  return found
end

local function judge(unit, from, to)
  local name = tostring(unit)
  local key = keyOf[unit]
  local fingerprint = header.f and header.f[name]
  local repeated = known(from, to, fingerprint)
  if repeated then return repeated end
  local expected = header.x and header.x[name]
  if expected and expected ~= version[key] then return { 'r', 'version', version[key] } end
  local changes = header.c and header.c[name]
  if changes then
    local refusal, plan = planClaims(changes, keys[key])
    if refusal then return refusal end
    if header.s and header.s[name] and not plan.changed and version[key] > 0 then
      return { 'u', lastId[key] or redis.call('LINDEX', KEYS[FIRST_KEY + key], -1) }
    end
    touchClaims(plan, keys[key])
  end
  local remember = changes and toKept or toRecent
  for i = from, to do
    local id = accept(i, key)
    local text = id .. ' ' .. (fingerprint or '')
    fresh[header.ids[i]] = text
    table.insert(remember, header.ids[i])
    table.insert(remember, text)
  end
  return { 'a', version[key] }
end

local channel
if header.ch then
  local name, incarnation, first, mark = unpack(header.ch)
  local stored = redis.call('HGET', CHANNELS, name)
  local state = stored and cjson.decode(stored) or { 0, 0, '' }
  local last = incarnation > state[1] and 0 or state[2]
  if incarnation < state[1] then
    results = { 'r', 'stale', state[2], state[1] }
  elseif first > last + 1 then
    results = { 'r', 'gap', last }
  else
    local skip = last + 1 - first
    for i = skip + 1, #lens do accept(i, keyOf[i]) end
    last = last + #accepted
    results = { 'a', #accepted, last }
    if #accepted > 0 then channel = { name, cjson.encode({ incarnation, last, mark or state[3] }) } end
  end
else
  local from = 1
  for unit = 1, #header.u do
    local to = from + header.u[unit] - 1
    results[unit] = judge(unit, from, to)
    from = to + 1
  end
end

local count = #accepted
if count == 0 then return { msText, 0, cjson.encode(results) } end

-- WRITE

local offset, at = {}, 2
for i = 1, #lens do
  offset[i] = at
  at = at + lens[i] + 1
end

local from = 1
while from <= count do
  local to, bytes = from, lens[accepted[from]]
  while to < count and to - from + 1 < header.pack and bytes + lens[accepted[to + 1]] <= header.packBytes do
    to = to + 1
    bytes = bytes + lens[accepted[to]]
  end
  local body
  if to - from + 1 == #lens then
    body = payload
  else
    local parts = {}
    for i = from, to do
      local event = accepted[i]
      parts[#parts + 1] = string.sub(payload, offset[event], offset[event] + lens[event] - 1)
    end
    body = '[' .. table.concat(parts, ',') .. ']'
  end
  ordinal = ordinal + 1
  redis.call('XADD', LOG, msText .. '-' .. string.format('%.0f', tipSeq + to), 'e', body, 'n', ordinal .. ' ' .. (to - from + 1))
  from = to + 1
end

if rotate and #toRecent > 0 then
  if oldest then redis.call('RENAME', IDS, OLD) else redis.call('UNLINK', OLD) end
  idCount, idsSince = 0, now
end
hset(IDS, toRecent)
hset(KEPT, toKept)
redis.call('HSET', META, 'seq', string.format('%.0f', tipSeq + count), 'ms', msText, 'ord', ordinal,
  'idn', idCount + #toRecent / 2, 'ids0', string.format('%.0f', idsSince))

local index = {}
for i = 1, count do
  local key = writtenKey[i]
  local ids = index[key]
  if not ids then
    ids = {}
    index[key] = ids
  end
  ids[#ids + 1] = msText .. '-' .. string.format('%.0f', tipSeq + i)
end
for key, ids in pairs(index) do redis.call('RPUSH', KEYS[FIRST_KEY + key], unpack(ids)) end

if channel then redis.call('HSET', CHANNELS, channel[1], channel[2]) end
if claims.settled then redis.call('HSET', CLAIMS_META, 'live', claims.settled) end
-- What a rebuild must have read before it may be swapped in.
if #toKept > 0 then redis.call('HSET', CLAIMS_META, LOG, string.format('%.0f', tipSeq + count)) end
for name in pairs(claims.touchedOwner) do
  if claims.owner[name] then redis.call('HSET', CLAIMS, name, claims.owner[name]) else redis.call('HDEL', CLAIMS, name) end
end
for slot in pairs(claims.touchedEntry) do
  if claims.entry[slot] then redis.call('HSET', OWNERS, slot, claims.entry[slot]) else redis.call('HDEL', OWNERS, slot) end
end

return { msText, string.format('%.0f', tipSeq + 1), cjson.encode(results) }
