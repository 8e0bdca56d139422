-- Coroutines of Lua or LuaJIT.  Prints three figures, see yardsticks.py.

local REPEATS, ROUNDS, PARKED = 7, 200000, 100000
local clock = os.clock

local function best(statement)
    local least = math.huge
    for _ = 1, REPEATS do
        local start = clock()
        for _ = 1, ROUNDS do
            statement()
        end
        least = math.min(least, (clock() - start) / ROUNDS * 1e9)
    end
    return least
end

local create, resume, yield = coroutine.create, coroutine.resume, coroutine.yield

local endless = create(function()
    while true do
        yield()
    end
end)
local switch = best(function() resume(endless) end) / 2

local life = best(function() resume(create(function() end)) end)

collectgarbage()
local parked = {}
for i = 1, PARKED do
    parked[i] = false
end
collectgarbage()
local before = collectgarbage("count")
for i = 1, PARKED do
    parked[i] = create(function() yield() end)
    resume(parked[i])
end
collectgarbage()
local bytes = (collectgarbage("count") - before) * 1024 / PARKED

print(switch, life, bytes)
