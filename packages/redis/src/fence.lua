-- Sets a fence before the channels of a name in one partition. Time decides who tries; the token, compared for equality
-- by append.lua, who may.
--
-- KEYS  1 channels   hash: fence:<name> -> token ("<counter>-<nonce>"); see append.lua
-- ARGV  1 field of the fence
--       2 token
-- RETURNS {"set"} | {"refused", token}: there is a later one, or another one of the same counter
--
-- Guards are marked as in append.lua.

local CHANNELS, field, token = KEYS[1], ARGV[1], ARGV[2]

local function counterOf(text) return tonumber(string.match(text, '^(%d+)-')) end

local before = redis.call('HGET', CHANNELS, field)
if before and before ~= token and counterOf(token) <= counterOf(before) then return { 'refused', before } end -- guard: later fence
redis.call('HSET', CHANNELS, field, token)
return { 'set' }
