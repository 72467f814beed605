-- include: keys that are taken over from another system, in commit.lua: once each.
-- Uses c; gives judgeMigrations, writeMigrations.
-- Their hash is KEYS[c.journal]: key -> JSON of the entry without its state, a line, JSON of the state.

local function judgeMigrations()
  if not c.migrate then return nil end
  local keys = {}
  for i, one in ipairs(c.migrate) do keys[i] = one[1] end
  local known = redis.call('HMGET', KEYS[c.journal], unpack(keys)) -- guard: type of migrations; without: local known = redis.pcall('HMGET', KEYS[c.journal], unpack(keys))
  for i, one in ipairs(c.migrate) do
    if known[i] then return { 'refused', 'migrated', one[2] } end -- guard: taken over once
  end
end

local function writeMigrations()
  if not c.migrate then return end
  for _, one in ipairs(c.migrate) do redis.call('HSET', KEYS[c.journal], one[1], one[3]) end
  if c.expire then redis.call('PEXPIRE', KEYS[c.journal], c.expire) end
end
