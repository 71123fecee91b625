--TEST--
Settings take numbers as PHP's own do: 64M is 64 MiB, and nonsense is warned of
--INI--
mqtt.queue_max_bytes=1M
mqtt.queue_max_messages=1K
--FILE--
<?php
require __DIR__ . '/support.inc';
$client = new Mqtt\Client('mqtt://127.0.0.1:1');
for ($n = 0; $n < 1024; $n++) {
    $client->publish('a', '1');
}
try {
    $client->publish('a', '2');
} catch (Mqtt\Exception\QueueFullException) {
    echo "full\n";
}
ini_set('mqtt.queue_max_bytes', 'lots');
?>
--EXPECTF--
full

Warning: Invalid "mqtt.queue_max_bytes" setting. Invalid quantity "lots": no valid leading digits, interpreting as "0" for backwards compatibility in %s on line %d
