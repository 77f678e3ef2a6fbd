-- How a TrackingServer is, from its conditions, in the order of kstatus.
local function condition(kind)
  for _, one in ipairs((obj.status or {}).conditions or {}) do
    if one.type == kind then
      return one
    end
  end
  return { status = "Unknown", reason = "", message = "" }
end

local stalled, reconciling, ready = condition("Stalled"), condition("Reconciling"), condition("Ready")

if obj.status == nil or obj.status.observedGeneration ~= obj.metadata.generation then
  return { status = "Progressing", message = "Waiting for the operator" }
end
if reconciling.status == "True" then
  return { status = "Progressing", message = reconciling.message }
end
if stalled.status == "True" then
  return { status = "Degraded", message = stalled.message }
end
if ready.status == "True" then
  return { status = ready.reason == "Suspended" and "Suspended" or "Healthy", message = ready.message }
end
if ready.status == "False" then
  return { status = "Degraded", message = ready.message }
end
return { status = "Progressing", message = ready.message }
