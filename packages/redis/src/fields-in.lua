-- include: cuts a text into so many fields, which are separated by the character 30: JSON and keys hold none.

local function fieldsIn(text, count)
  local list, from = {}, 1
  for i = 1, count - 1 do
    local to = string.find(text, '\30', from, true)
    list[i] = string.sub(text, from, to - 1)
    from = to + 1
  end
  list[count] = string.sub(text, from)
  return list
end
