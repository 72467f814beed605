-- Appends units to one partition: judges each, then writes all that stand, in one atomic step.
-- Everything that can fail is read and checked before the first write, because Redis does not roll back;
-- XADD is the first write, so a foreign entry at the tip refuses the whole call.
--
-- KEYS  1 log        stream: entries e = JSON array of events, n = "<entry ordinal> <events>"; id = <ms>-<seq of its last event>
--       2 meta       hash: seq, ms, ord of the tip; idn, ids0 = size and start of the present dedupe generation
--       3 ids        hash: identity -> "<id>" or "<id> <fingerprint>", present generation
--       4 ids-old    hash: the generation before
--       5 ids-kept   hash: the same for units with claims, without end
--       6 channels   hash: channel -> JSON [incarnation, last, mark]; fence:<name> -> token that its batches must carry
--       7 claims     hash: constraint:version:digest -> key
--       8 owners     hash: constraint:key -> "version:digest …"; empty text = owns an entry that holds nothing
--       9 claims-meta hash: live = versions, comma separated; gate = closed until (ms); for each log: seq of its last claim change
--       10… key index, one list for each distinct key of the call: stream ids of its events
-- ARGV  1 JSON header; lists by unit hold false where a unit says nothing, and are absent where none says anything
--         now      ms, or absent for the server's clock
--         window, most  the dedupe generation ends after so many ms, or ids
--         pack, packBytes  most events, bytes in an entry
--         n        events, at most 1,000: Lua's unpack holds some 8,000 values
--         k        index into KEYS 10…, by unit (channel: by event)
--         u        events in each unit; absent where each has one, and for a channel batch
--         ids      identity of each event; absent for a channel batch
--         x, f, s  by unit: expected version, fingerprint, true = skip if unchanged
--         c        by unit: how many claim changes it has; by change, those of the first unit first:
--         cc, ca   constraint, action
--         ct       "version:digest version:digest …"; empty for a release, and for an optional value that is absent
--         keys     with c: the distinct keys, in the order of KEYS 10…
--         kept     true when the topic has constraints: identities are looked up in ids-kept too
--         ch       [channel, incarnation, first, mark or false, field of the fence or false, token]; n = 0: the mark alone
--       2 JSON array of the events, as one text
--       3 JSON array of the bytes of each event; read only where the events become several entries, or not all stand
--       4 ms of the server's clock, if it was asked already
-- RETURNS JSON array, one text because a reply of many pieces is dear to take apart: ms, first seq written, results; one result a unit:
--         version appended · ["d", id, …] duplicate · ["u", id] unchanged
--         ["r", word, …] refused: version n | claimed constraint | owner constraint holds/none | fingerprint | partial | keyring version | gated
--       channel: ["a", taken, "last"] | ["r", "gap", "last"] | ["r", "stale", "last", "incarnation"] | ["r", "fenced", "last"]
--
-- The tests can take out each line that is marked as a guard (or put in its place what follows `without:`), and
-- prove that something breaks then.

local header, payload = cjson.decode(ARGV[1]), ARGV[2]
local LOG, META, IDS, OLD, KEPT, CHANNELS, CLAIMS, OWNERS, CLAIMS_META = unpack(KEYS, 1, 9)
local FIRST_KEY = 9
local keyOf, identities = header.k, header.ids

local function hset(hash, pairsList)
  if #pairsList > 0 then redis.call('HSET', hash, unpack(pairsList)) end
end

-- READ

-- @include tip.lua
-- @include stream-ids.lua
-- @include channel-record.lua

local tip = tipOf(LOG, META)
if not tip then return redis.error_reply('CORRUPT foreign entries, or none counted in ' .. META) end
local tipSeq, ordinal, idCount, idsSince = tip.seq, tip.ord, tip.idCount, tip.idsSince
local now = timeOr(header.now or tonumber(ARGV[4]))
local msText = string.format('%.0f', msBehind(tip, now))
local idOf = idsAt(msText)

-- Where units state versions most keys are new, which one command tells of all.
local version, indexed = {}, true
if header.x and #KEYS > FIRST_KEY then indexed = redis.call('EXISTS', unpack(KEYS, FIRST_KEY + 1)) > 0 end
for i = 1, #KEYS - FIRST_KEY do
  version[i] = 0
  if indexed then version[i] = redis.call('LLEN', KEYS[FIRST_KEY + i]) end -- guard: type of the key index
end

-- Texts that a hash holds for the identities of this call; an empty hash is not asked for each.
local function textsIn(hash)
  if redis.call('HLEN', hash) == 0 then return {} end
  return redis.call('HMGET', hash, unpack(identities))
end

local recent, old, kept, rotate = {}, {}, {}, false
if identities then
  recent = textsIn(IDS) -- guard: present ids
  old = textsIn(OLD) -- guard: old ids
  if header.kept then kept = textsIn(KEPT) end -- guard: kept ids
  rotate = now - idsSince >= header.window or idCount >= header.most
end

-- JUDGE

local count = 0
local standing = {}        -- events that will be written, in order
local pushes = {}          -- index of key -> stream ids of its events of this call
local fresh = {}           -- identities accepted in this call -> text as it will be stored
local toRecent, toKept = {}, {}

local function accept(event, key)
  count = count + 1
  standing[count] = event
  local id = idOf(tipSeq + count)
  local list = pushes[key]
  if list then list[#list + 1] = id else pushes[key] = { id } end
  version[key] = version[key] + 1 -- guard: version within the call
  return id
end

-- @include append-claims.lua

-- What the log knows of a unit's events already: a result, or nothing.
local function known(from, to, fingerprint)
  local found, other
  for i = from, to do
    local text = recent[i] or old[i] or kept[i]
    if not text then text = fresh[identities[i]] end -- guard: ids within the call
    if text then
      found = found or { 'd' }
      local id, stored = string.match(text, '^([^ ]+) ?(.*)$')
      found[#found + 1] = id
      if fingerprint and stored ~= '' and stored ~= fingerprint then other = true end
    end
  end
  if not found then return nil end
  if #found - 1 < to - from + 1 then return { 'r', 'partial' } end -- guard: partial repeat
  if other then return { 'r', 'fingerprint' } end -- guard: fingerprint
  return found
end

local function judge(unit, from, to)
  local key = keyOf[unit]
  local fingerprint = header.f and header.f[unit]
  local repeated = known(from, to, fingerprint)
  if repeated then return repeated end
  local expected = header.x and header.x[unit]
  if expected and expected ~= version[key] then return { 'r', 'version', version[key] } end -- guard: expected version
  local changes = header.c and header.c[unit] > 0
  if changes then
    local refusal, changed = planClaims(unit, header.keys[key])
    if refusal then return refusal end
    if header.s and header.s[unit] and not changed then
      local list = pushes[key]
      local last = list and list[#list] or redis.call('LINDEX', KEYS[FIRST_KEY + key], -1)
      if last then return { 'u', last } end -- guard: unchanged has an event; without: return { 'u', last }
    end
    followPlan(unit, header.keys[key])
  end
  local remember = changes and toKept or toRecent
  for i = from, to do
    local text = accept(i, key)
    if fingerprint then text = text .. ' ' .. fingerprint end
    fresh[identities[i]] = text
    remember[#remember + 1] = identities[i]
    remember[#remember + 1] = text
  end
  return version[key]
end

local toChannel, markAlone

-- A number for the reply: cjson keeps 14 digits of one.
local function exact(number) return string.format('%.0f', number) end

local function judgeChannel(name, incarnation, first, mark, fence, token)
  local stored = redis.call('HGET', CHANNELS, name) -- guard: type of channels; without: local stored = false
  local held, last, before = channelIn(stored)
  if fence and redis.call('HGET', CHANNELS, fence) ~= token then return { 'r', 'fenced', exact(last) } end -- guard: channel fence
  if incarnation < held then return { 'r', 'stale', exact(last), exact(held) } end -- guard: stale incarnation
  if incarnation > held then last = 0 end -- guard: newer incarnation
  if first > last + 1 then return { 'r', 'gap', exact(last) } end -- guard: channel gap
  local from = 1
  if first <= last then from = last + 2 - first end -- guard: channel overlap
  for event = from, header.n do accept(event, keyOf[event]) end
  last = last + count
  markAlone = header.n == 0 and first == last + 1 -- guard: mark of one who is behind; without: markAlone = header.n == 0
  toChannel = { name, channelText(incarnation, last, mark or before) }
  return { 'a', count, exact(last) }
end

local results = {}
if header.ch then
  results = judgeChannel(unpack(header.ch))
else
  local from = 1
  for unit = 1, #keyOf do
    local to = from
    if header.u then to = from + header.u[unit] - 1 end
    results[unit] = judge(unit, from, to)
    from = to + 1
  end
end

local function answer(first) return '["' .. msText .. '",' .. exact(first) .. ',' .. cjson.encode(results) .. ']' end
if markAlone then redis.call('HSET', CHANNELS, toChannel[1], toChannel[2]) end
if count == 0 then return answer(0) end -- guard: nothing to write

-- WRITE

-- @include pack-entries.lua

local seq = tipSeq
packEntries(payload, header.n, standing, ARGV[3], header.pack, header.packBytes, function(body, size)
  seq, ordinal = seq + size, ordinal + 1
  redis.call('XADD', LOG, msText .. '-' .. seq, 'e', body, 'n', ordinal .. ' ' .. size) -- guard: refused entry; without: redis.pcall('XADD', LOG, msText .. '-' .. seq, 'e', body, 'n', ordinal .. ' ' .. size)
end)

if rotate and #toRecent > 0 then
  -- Freed in the background: a rename onto a large hash would free it at once.
  redis.call('UNLINK', OLD)
  if redis.call('EXISTS', IDS) == 1 then redis.call('RENAME', IDS, OLD) end -- guard: rotation without ids; without: redis.call('RENAME', IDS, OLD)
  idCount, idsSince = 0, now
end
hset(IDS, toRecent)
hset(KEPT, toKept)
redis.call('HSET', META, 'seq', seq, 'ms', msText, 'ord', ordinal, 'idn', idCount + #toRecent / 2, 'ids0', idsSince)
for key, ids in pairs(pushes) do redis.call('RPUSH', KEYS[FIRST_KEY + key], unpack(ids)) end
if toChannel then redis.call('HSET', CHANNELS, toChannel[1], toChannel[2]) end
if #toKept > 0 then writeClaims(seq) end

return answer(tipSeq + 1)
