-- POSTs one JSON body to one path, over and over, for wrk:
--
--   wrk -t1 -c50 -d3s -s bench/load/publish.lua http://127.0.0.1:8082 -- /api/publish '{"subject":"a","data":"b"}'
--
-- and prints one line of JSON at the end. It has neither request() nor response(): wrk would call
-- Lua for each, and it would be Lua that is measured. wrk itself counts the answers that are not
-- 2xx or 3xx.
function init(arguments)
  wrk.method = "POST"
  wrk.path = arguments[1]
  wrk.body = arguments[2]
  wrk.headers["Content-Type"] = "application/json"
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\n{"requests":%d,"seconds":%.6f,"refused":%d,"broken":%d,"p50_us":%d,"p99_us":%d,"max_us":%d}\n',
    summary.requests, summary.duration / 1e6, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50), latency:percentile(99), latency.max))
end
