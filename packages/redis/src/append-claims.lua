-- include: claims in append.lua: judged against the hashes and against what this call has accepted already.
-- Uses header, keyOf, LOG, CLAIMS, OWNERS, CLAIMS_META and now; gives planClaims, followPlan, writeClaims.

-- Lua's unpack holds some 8,000 values.
local SLICE, TAG = 4000, '[^ ]+'

-- What a hash holds under these fields; false = nothing.
local function heldIn(hash, fields)
  local held = {}
  for from = 1, #fields, SLICE do
    local texts = redis.call('HMGET', hash, unpack(fields, from, math.min(from + SLICE - 1, #fields)))
    for i = 1, #texts do held[fields[from + i - 1]] = texts[i] end
  end
  return held
end

-- All that the call's claims could meet is read at once, because a command costs more than what it asks for.
local first, slots, names = {}, {}, {}   -- by unit: its first change; by change: constraint:key; constraint:version:digest
for unit = 1, header.c and #keyOf or 0 do
  first[unit] = #slots + 1
  for change = #slots + 1, #slots + header.c[unit] do
    local constraint = header.cc[change] .. ':'
    slots[change] = constraint .. header.keys[keyOf[unit]]
    for tag in string.gmatch(header.ct[change], TAG) do names[#names + 1] = constraint .. tag end
  end
end
if #names == 0 and #slots > 0 then redis.call('HLEN', CLAIMS) end -- guard: type of claims
local owners = heldIn(CLAIMS, names)
local entries = heldIn(OWNERS, slots) -- guard: type of owners; without: local entries = {}

local owner, entry = {}, {}   -- what this call changes: claim -> key, constraint:key -> text; false = gone
local live, gate              -- keyring versions that every claim must be given under; when the gate opens
local settled                 -- true when this call settles which versions are live
local versions, wanted = {}, {} -- of the unit that was planned last; by change: its claims as text, if they are new

local function ownerOf(name)
  if owner[name] ~= nil then return owner[name] end -- guard: owners within the call
  return owners[name]
end

local function entryOf(slot)
  if entry[slot] ~= nil then return entry[slot] end -- guard: entries within the call
  return entries[slot]
end

local function readLive()
  local stored = redis.call('HMGET', CLAIMS_META, 'live', 'gate') -- guard: type of claims-meta; without: local stored = {}
  live, gate = {}, tonumber(stored[2])
  if stored[1] then for v in string.gmatch(stored[1], '[^,]+') do live[#live + 1] = v end end
end

-- The live versions, or those of a topic's first claim, which become the live ones if it stands.
local function versionsFor(from, to)
  if #live > 0 then return live end
  local given = {}
  for change = from, to do
    if #given == 0 and header.ca[change] ~= 'release' then
      for v in string.gmatch(header.ct[change], '([^ :]+):') do given[#given + 1] = v end
    end
  end
  table.sort(given)
  return given
end

-- Of the given tags those of the live versions, in their order; or nothing, and a version that has none.
local function tagsOfLive(text)
  if #versions == 1 and not string.find(text, ' ', 1, true) and string.find(text, versions[1] .. ':', 1, true) == 1 then
    return text
  end
  local tags, byVersion = {}, {}
  for tag in string.gmatch(text, TAG) do byVersion[string.match(tag, '^[^:]+')] = tag end
  for i, v in ipairs(versions) do
    if not byVersion[v] then return nil, v end
    tags[i] = byVersion[v]
  end
  return table.concat(tags, ' ')
end

-- Judges the claim changes of a unit: a refusal, or else whether they change anything.
local function planClaims(unit, key)
  if not live then readLive() end
  if gate and now < gate then return { 'r', 'gated' } end -- guard: gate
  local from, to, changed = first[unit], first[unit] + header.c[unit] - 1, false
  versions = versionsFor(from, to)
  for change = from, to do
    local constraint, action, tags, missing = header.cc[change], header.ca[change], '', nil
    local present = entryOf(slots[change])
    if action == 'claim' and present then return { 'r', 'owner', constraint, 'holds' } end -- guard: claim by a holder
    if action ~= 'claim' and not present then return { 'r', 'owner', constraint, 'none' } end -- guard: change by a stranger
    if action ~= 'release' and header.ct[change] ~= '' then tags, missing = tagsOfLive(header.ct[change]) end
    if missing then return { 'r', 'keyring', missing } end -- guard: keyring
    for tag in string.gmatch(tags, TAG) do
      local other = ownerOf(constraint .. ':' .. tag)
      if other and other ~= key then return { 'r', 'claimed', constraint } end -- guard: claim of another
    end
    wanted[change] = nil
    if present ~= tags or action ~= 'change' then changed, wanted[change] = true, tags end
  end
  return nil, changed
end

-- Takes over what was planned for a unit.
local function followPlan(unit, key)
  if #live == 0 and #versions > 0 then live, settled = versions, true end
  for change = first[unit], first[unit] + header.c[unit] - 1 do
    local constraint, slot, tags = header.cc[change] .. ':', slots[change], wanted[change]
    if tags then
      for tag in string.gmatch(entryOf(slot) or '', TAG) do owner[constraint .. tag] = false end
      for tag in string.gmatch(tags, TAG) do owner[constraint .. tag] = key end
      entry[slot] = header.ca[change] ~= 'release' and tags
    end
  end
end

local function writeHash(hash, changes)
  local set, gone = {}, {}
  for field, value in pairs(changes) do
    if value then
      set[#set + 1] = field
      set[#set + 1] = value
    else
      gone[#gone + 1] = field
    end
  end
  for from = 1, #gone, SLICE do redis.call('HDEL', hash, unpack(gone, from, math.min(from + SLICE - 1, #gone))) end
  for from = 1, #set, SLICE do redis.call('HSET', hash, unpack(set, from, math.min(from + SLICE - 1, #set))) end
end

local function writeClaims(seq)
  if settled then redis.call('HSET', CLAIMS_META, 'live', table.concat(live, ',')) end
  -- What a rebuild must have read before it may be swapped in.
  redis.call('HSET', CLAIMS_META, LOG, seq)
  writeHash(CLAIMS, owner)
  writeHash(OWNERS, entry)
end
