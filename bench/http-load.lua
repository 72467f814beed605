-- For wrk: sends one request text, with a number of its own in each, and says in JSON what came of it.
--
-- Argument: a file with the text of the request; @@@@@@@@ stands for eight hexadecimal digits
-- RETURNS nothing; prints {"events", "seconds", "wrong"}

local template, pieces, sent = '', {}, 0

function init(args)
  local file = assert(io.open(args[1], 'rb'))
  template = file:read('*a')
  file:close()
  local from = 1
  while true do
    local at = template:find('@@@@@@@@', from, true)
    pieces[#pieces + 1] = template:sub(from, at and at - 1)
    if not at then break end
    from = at + 8
  end
end

function request()
  sent = sent + 1
  return table.concat(pieces, string.format('%08x', sent))
end

function done(summary)
  local errors = summary.errors
  local wrong = errors.connect + errors.read + errors.write + errors.timeout + errors.status
  print(string.format('{"events":%d,"seconds":%f,"wrong":%d}', summary.requests, summary.duration / 1e6, wrong))
end
