-- Appends the commonest units: one event that begins its key and claims one value. Looks for all of them at once at what
-- could stand against them, and writes those that nothing stands against, in one atomic step. What is left over for any
-- reason is for append.lua, which alone says why; of that nothing is written here.
--
-- KEYS  1 claims   2 owners   3 claims-meta   as in append.lua
--       4… for each partition: log, meta, ids, ids-old, ids-kept   as in append.lua
--       then the key index of each unit, those of the first partition first
-- ARGV  1 JSON header
--         now      ms, or absent for the server's clock
--         pack, packBytes  most events, bytes in an entry
--         n        by partition: how many units, together at most 1,000
--         v, c     keyring version and constraint of all claims
--         keys, ids, f, t  by unit: key, identity, fingerprint or empty text, "version:digest"
--       2… for each partition: JSON array of the events as one text, JSON array of the bytes of each event
-- RETURNS JSON array, one text: for each partition [ms, first seq written, places of the units that are left over], or 0
--         where that is all of them
--
-- Guards are marked as in append.lua.

local header = cjson.decode(ARGV[1])
local counts, keys, identities, fingerprints, tags = header.n, header.keys, header.ids, header.f, header.t
local CLAIMS, OWNERS, CLAIMS_META = KEYS[1], KEYS[2], KEYS[3]
local FIRST_KEY = 3 + 5 * #counts

-- READ

-- @include tip.lua
-- @include stream-ids.lua
-- @include pack-entries.lua

local now = timeOr(header.now)
local meta = redis.call('HMGET', CLAIMS_META, 'live', 'gate') -- guard: type of claims-meta; without: local meta = { header.v }
local open = true
if meta[1] ~= header.v then open = false end -- guard: live version
if now < (tonumber(meta[2]) or 0) then open = false end -- guard: gate

local names, slots, stem = {}, {}, header.c .. ':'
for unit = 1, #keys do
  names[unit], slots[unit] = stem .. tags[unit], stem .. keys[unit]
end
local owners = redis.call('HMGET', CLAIMS, unpack(names)) -- guard: claim of another; without: local owners = {}
local entries = redis.call('HMGET', OWNERS, unpack(slots)) -- guard: claim by a holder; without: local entries = {}
-- Nearly always every key is new, which one command tells of all.
local begun = {}
if redis.call('EXISTS', unpack(KEYS, FIRST_KEY + 1)) > 0 then -- guard: key that has begun; without: if false then
  for unit = 1, #keys do begun[unit] = redis.call('EXISTS', KEYS[FIRST_KEY + unit]) == 1 end
end

-- JUDGE

local taken = {}   -- keys and claims of the units before; none of one kind looks like one of the other

-- Whether a unit stands; what stands is taken. `seen`: the identities of the units before in its partition.
local function stands(unit, known, seen)
  local name, identity, key = names[unit], identities[unit], keys[unit]
  if known or begun[unit] or owners[unit] or entries[unit] then return false end
  if taken[name] then return false end -- guard: claims within the call
  if seen[identity] then return false end -- guard: ids within the call
  if taken[key] then return false end -- guard: keys within the call
  taken[name], taken[key], seen[identity] = true, true, true
  return true
end

-- Texts that a hash holds for identities; an empty hash is not asked for each.
local function textsIn(hash, list)
  if redis.call('HLEN', hash) == 0 then return {} end
  return redis.call('HMGET', hash, unpack(list))
end

-- What of the units behind `before` stands: their places, and the places of those that are left over.
local function judge(before, count, IDS, OLD, KEPT)
  local own, recent, old, kept = {}, {}, {}, {}
  for place = 1, count do own[place] = identities[before + place] end
  recent = textsIn(IDS, own) -- guard: present ids
  old = textsIn(OLD, own) -- guard: old ids
  kept = textsIn(KEPT, own) -- guard: kept ids
  local standing, left, seen = {}, {}, {}
  for place = 1, count do
    local known = kept[place] or recent[place] or old[place]
    if open and stands(before + place, known, seen) then standing[#standing + 1] = place else left[#left + 1] = place end
  end
  return standing, left
end

local parts, before = {}, 0
for at, count in ipairs(counts) do
  local LOG, META, IDS, OLD, KEPT = unpack(KEYS, 5 * at - 1, 5 * at + 3)
  local tip = tipOf(LOG, META)
  local standing, left = {}, nil
  if tip then standing, left = judge(before, count, IDS, OLD, KEPT) end
  parts[at] = { at = at, before = before, tip = tip, standing = standing, left = left, names = { LOG, META, KEPT } }
  before = before + count
end

-- WRITE

local toClaims, toOwners, toMeta = {}, {}, {}

-- Writes what stands of a partition, and answers for it. XADD comes first: where it fails, nothing is written of it.
local function write(part)
  local standing, at, tip, before = part.standing, part.at, part.tip, part.before
  local LOG, META, KEPT = unpack(part.names)
  local msText, seq, ordinal = string.format('%.0f', msBehind(tip, now)), tip.seq, tip.ord
  local failed
  packEntries(ARGV[2 * at], counts[at], standing, ARGV[2 * at + 1], header.pack, header.packBytes, function(body, size)
    if failed then return end
    seq, ordinal = seq + size, ordinal + 1
    local added = redis.pcall('XADD', LOG, msText .. '-' .. seq, 'e', body, 'n', ordinal .. ' ' .. size)
    failed = type(added) == 'table' and added.err
  end)
  if failed then return end -- guard: refused entry
  local toKept, idOf, claim = {}, idsAt(msText), #toClaims
  for i = 1, #standing do
    local unit = before + standing[i]
    local id, fingerprint = idOf(tip.seq + i), fingerprints[unit]
    toKept[2 * i - 1] = identities[unit]
    toKept[2 * i] = fingerprint == '' and id or id .. ' ' .. fingerprint
    toClaims[claim + 1], toClaims[claim + 2] = names[unit], keys[unit]
    toOwners[claim + 1], toOwners[claim + 2] = slots[unit], tags[unit]
    claim = claim + 2
    redis.call('RPUSH', KEYS[FIRST_KEY + unit], id)
  end
  redis.call('HSET', KEPT, unpack(toKept))
  redis.call('HSET', META, 'seq', seq, 'ms', msText, 'ord', ordinal)
  toMeta[#toMeta + 1], toMeta[#toMeta + 2] = LOG, seq
  return '["' .. msText .. '",' .. string.format('%.0f', tip.seq + 1) .. ',[' .. table.concat(part.left, ',') .. ']]'
end

local answers = {}
for at, part in ipairs(parts) do
  answers[at] = #part.standing > 0 and write(part) or '0'
end
if #toClaims > 0 then
  redis.call('HSET', CLAIMS, unpack(toClaims))
  redis.call('HSET', OWNERS, unpack(toOwners))
  -- What a rebuild must have read before it may be swapped in.
  redis.call('HSET', CLAIMS_META, unpack(toMeta))
end
return '[' .. table.concat(answers, ',') .. ']'
