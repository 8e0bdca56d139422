<?php
// Fibers of PHP.  Prints three figures, see yardsticks.py.

const REPEATS = 7;
const ROUNDS = 100000;
const PARKED = 10000;

function best(callable $measure): float
{
    $figures = [];
    for ($repeat = 0; $repeat < REPEATS; $repeat++) {
        $start = hrtime(true);
        $measure();
        $figures[] = (hrtime(true) - $start) / ROUNDS;
    }
    return min($figures);
}

function resident(): int
{
    return (int) explode(' ', file_get_contents('/proc/self/statm'))[1] * 4096;
}

$endless = new Fiber(function () {
    while (true) {
        Fiber::suspend();
    }
});
$endless->start();
$switch = best(function () use ($endless) {
    for ($i = 0; $i < ROUNDS; $i++) {
        $endless->resume();
    }
}) / 2;

$life = best(function () {
    for ($i = 0; $i < ROUNDS; $i++) {
        (new Fiber(function () {}))->start();
    }
});

$parked = array_fill(0, PARKED, null);
$before = resident();
for ($i = 0; $i < PARKED; $i++) {
    $parked[$i] = new Fiber(function () { Fiber::suspend(); });
    $parked[$i]->start();
}
$bytes = (resident() - $before) / PARKED;

echo "$switch $life $bytes\n";
