# Fibers of Ruby.  Prints three figures, see yardsticks.py.

REPEATS, ROUNDS, PARKED = 7, 100_000, 10_000

def now
  Process.clock_gettime(Process::CLOCK_MONOTONIC, :nanosecond)
end

def resident
  File.read("/proc/self/statm").split[1].to_i * 4096
end

switch = Array.new(REPEATS) do
  endless = Fiber.new { loop { Fiber.yield } }
  endless.resume
  start = now
  i = 0
  while i < ROUNDS
    endless.resume
    i += 1
  end
  (now - start) / ROUNDS.to_f / 2
end.min

life = Array.new(REPEATS) do
  start = now
  i = 0
  while i < ROUNDS
    Fiber.new {}.resume
    i += 1
  end
  (now - start) / ROUNDS.to_f
end.min

before = resident
parked = Array.new(PARKED) { Fiber.new { Fiber.yield }.tap(&:resume) }
bytes = (resident - before) / parked.size.to_f

puts "#{switch} #{life} #{bytes}"
