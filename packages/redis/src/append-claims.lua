-- include: claims in append.lua: judged against the hashes and against what this call has accepted already.
-- Uses LOG, CLAIMS, OWNERS, CLAIMS_META and now; gives planClaims, followPlan, writeClaims.

if header.c then redis.call('HLEN', CLAIMS) end -- guard: type of claims

local owner, entry = {}, {}   -- what this call changes: claim -> key, constraint:key -> text; false = gone
local live, gate              -- keyring versions that every claim must be given under; when the gate opens
local settled                 -- true when this call settles which versions are live

local function ownerOf(name)
  if owner[name] ~= nil then return owner[name] end -- guard: owners within the call
  return redis.call('HGET', CLAIMS, name)
end

local function entryOf(slot)
  if entry[slot] ~= nil then return entry[slot] end -- guard: entries within the call
  local text = redis.call('HGET', OWNERS, slot) -- guard: type of owners; without: local text = false
  return text
end

local function readLive()
  local stored = redis.call('HMGET', CLAIMS_META, 'live', 'gate') -- guard: type of claims-meta; without: local stored = {}
  live, gate = {}, tonumber(stored[2])
  if stored[1] then for v in string.gmatch(stored[1], '[^,]+') do live[#live + 1] = v end end
end

-- The live versions, or those of a topic's first claim, which become the live ones if it stands.
local function versionsFor(changes)
  if #live > 0 then return live end
  local versions = {}
  for _, change in ipairs(changes) do
    if #versions == 0 and change[2] ~= 'release' then
      for v in pairs(change[3]) do versions[#versions + 1] = v end
    end
  end
  table.sort(versions)
  return versions
end

-- Judges the claim changes of a unit: a refusal, or else the writes they come to.
local function planClaims(changes, key)
  if not live then readLive() end
  if gate and now < gate then return { 'r', 'gated' } end -- guard: gate
  local versions = versionsFor(changes)
  local plan = { changed = false, versions = versions, free = {}, take = {}, entries = {} }
  for _, change in ipairs(changes) do
    local constraint, action, digests = change[1], change[2], change[3]
    local slot = constraint .. ':' .. key
    local present = entryOf(slot)
    if action == 'claim' and present then return { 'r', 'owner', constraint, 'holds' } end -- guard: claim by a holder
    if action ~= 'claim' and not present then return { 'r', 'owner', constraint, 'none' } end -- guard: change by a stranger
    local tagged = {}
    if action ~= 'release' and next(digests) then
      for i, v in ipairs(versions) do
        if not digests[v] then return { 'r', 'keyring', v } end -- guard: keyring
        tagged[i] = v .. ':' .. digests[v]
      end
    end
    for _, tag in ipairs(tagged) do
      local other = ownerOf(constraint .. ':' .. tag)
      if other and other ~= key then return { 'r', 'claimed', constraint } end -- guard: claim of another
    end
    local wanted = table.concat(tagged, ' ')
    if present ~= wanted or action ~= 'change' then
      plan.changed = true
      for tag in string.gmatch(present or '', '[^ ]+') do plan.free[#plan.free + 1] = constraint .. ':' .. tag end
      for _, tag in ipairs(tagged) do plan.take[#plan.take + 1] = constraint .. ':' .. tag end
      plan.entries[slot] = action ~= 'release' and wanted
    end
  end
  return nil, plan
end

local function followPlan(plan, key)
  if #live == 0 and #plan.versions > 0 then live, settled = plan.versions, true end
  for _, name in ipairs(plan.free) do owner[name] = false end
  for _, name in ipairs(plan.take) do owner[name] = key end
  for slot, text in pairs(plan.entries) do entry[slot] = text end
end

-- Lua's unpack holds some 8,000 values.
local SLICE = 4000

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
