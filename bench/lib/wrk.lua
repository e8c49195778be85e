-- Sends the requests of a benchmark and prints the result as one line of JSON.
-- Arguments: method, path, number of paths, body, name of this run, then names and values of header
-- fields. A path with %d in it stands for the given number of paths, which are used in turn. %u in
-- the value of a field becomes a value that no other request has.

local requests = {}
local turn = 0

local function each_unique(before, run, after)
  local sent = 0
  return function()
    sent = sent + 1
    return before .. run .. "-" .. sent .. after
  end
end

function init(args)
  local method, path, count, body, run = args[1], args[2], tonumber(args[3]), args[4], args[5]
  local headers = {}
  if body == "" then body = nil end
  if body then headers["Content-Type"] = "application/json" end
  for i = 6, #args - 1, 2 do headers[args[i]] = args[i + 1] end
  for i = 0, count - 1 do
    requests[i + 1] = wrk.format(method, (path:gsub("%%d", tostring(i))), headers, body)
  end
  local before, after = requests[1]:match("^(.-)%%u(.*)$")
  if before then
    request = each_unique(before, run, after)
  elseif count == 1 then
    local only = requests[1]
    request = function() return only end
  else
    request = function()
      turn = turn % count + 1
      return requests[turn]
    end
  end
end

function done(summary, latency)
  local e = summary.errors
  io.write(string.format(
    'RESULT {"requests":%d,"seconds":%.6f,"p50":%.3f,"p99":%.3f,"errors":%d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    e.connect + e.read + e.write + e.status + e.timeout))
end
