-- Sends the requests of a benchmark and prints the result as one line of JSON.
-- Arguments: method, path, number of paths, body. A path with %d in it stands for this many paths,
-- which are used in turn.

local requests = {}
local turn = 0

function init(args)
  local method, path, count, body = args[1], args[2], tonumber(args[3]), args[4]
  local headers = {}
  if body == "" then body = nil end
  if body then headers["Content-Type"] = "application/json" end
  for i = 0, count - 1 do
    requests[i + 1] = wrk.format(method, (path:gsub("%%d", tostring(i))), headers, body)
  end
  if count == 1 then
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
