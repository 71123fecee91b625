--TEST--
Loading, options and new clients start no thread and no connection; the first publish does
--FILE--
<?php
require __DIR__ . '/support.inc';
$sockets = fn() => count(array_filter(glob('/proc/self/fd/*'), fn($fd) => str_starts_with((string) @readlink($fd), 'socket:')));
$before = [threads(), $sockets()];
$client = new Mqtt\Client('mqtt://127.0.0.1:' . free_port());
$persistent = Mqtt\Client::persistent('mqtt://127.0.0.1:' . free_port());
echo $client->state()->value, ' ', $persistent->state()->value, "\n";
echo [threads(), $sockets()] === $before ? "nothing started\n" : "started\n";
$client->publish('a', 'b');
echo threads() - $before[0], " thread more\n";
?>
--EXPECT--
idle idle
nothing started
1 thread more
