--TEST--
flush() tells what is pending and what failed, and never throws for the time
--FILE--
<?php
require __DIR__ . '/support.inc';
use Mqtt\{Client, Options, Overflow};
$broker = new Broker();
$client = new Client($broker->uri());
for ($i = 0; $i < 100; $i++) {
    $client->publish('flush/nobody', 'x');
}
echo json_encode($client->flush(30)), "\n";
$start = microtime(true);
$away = new Client(new Options('127.0.0.1', free_port(), queueMaxMessages: 2, overflow: Overflow::DropOldest));
foreach (['1', '2', '3', '4', '5'] as $payload) {
    $away->publish('a', $payload);
}
echo json_encode($away->flush(0.3)), ' ', took($start, 0.3), "\n";
echo json_encode($away->flush(0)), "\n";
?>
--EXPECT--
{"pending":0,"failed":0}
{"pending":2,"failed":3} after 0.3 s
{"pending":2,"failed":0}
