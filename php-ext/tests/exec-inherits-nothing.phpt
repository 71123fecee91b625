--TEST--
A program that is started inherits neither the connection nor the descriptor that waits are made on
--FILE--
<?php
require __DIR__ . '/support.inc';
$broker = new Broker();
$kinds = fn(string $listing) => preg_match_all('/(socket|eventfd|eventpoll)/', $listing);
$list = 'ls -l /proc/self/fd';
$before = $kinds(shell_exec($list));
$client = new Mqtt\Client($broker->uri());
$client->connect(30);
$client->publish('a', 'b')->wait(30);
$own = $kinds(implode(' ', array_map(fn($fd) => (string) @readlink($fd), glob('/proc/self/fd/*'))));
echo $own > $before ? 'this process has some' : 'this process has none', ', the other ', $kinds(shell_exec($list)) - $before, " more\n";
?>
--EXPECT--
this process has some, the other 0 more
