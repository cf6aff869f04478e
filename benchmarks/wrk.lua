-- The requests of a run of wrk, and its result as one line of JSON.
-- Arguments: method, path, body with @ for a unique number, headers as Name=value.

local method, path, body, headers, sent

function setup(thread)
  thread:set("seed", os.time())
end

function init(args)
  method, path, body = args[1], args[2], args[3]
  headers = {}
  for index = 4, #args do
    local name, value = args[index]:match("^([^=]+)=(.*)$")
    headers[name] = value
  end
  sent = 0
end

function request()
  sent = sent + 1
  local text = nil
  if body ~= "" then
    text = body:gsub("@", seed .. "-" .. sent)
  end
  return wrk.format(method, path, headers, text)
end

function done(summary, latency, requests)
  local errors = summary.errors
  print(string.format(
    '{"requests": %d, "seconds": %.6f, "p50": %.3f, "p99": %.3f, "max": %.3f, "errors": %d}',
    summary.requests, summary.duration / 1e6,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, latency.max / 1e3,
    errors.status + errors.connect + errors.read + errors.write + errors.timeout
  ))
end
