--TEST--
Nobody listens: connect() throws within its time and names address and cause; wait() too
--FILE--
<?php
require __DIR__ . '/support.inc';
$port = free_port();
$client = new Mqtt\Client("mqtt://127.0.0.1:$port");
$start = microtime(true);
try {
    $client->connect(0.5);
} catch (Mqtt\Exception\ConnectionException $exception) {
    echo get_class($exception), ': ', str_replace((string) $port, 'PORT', $exception->getMessage()), ' ', json_encode($exception->reasonCode), "\n";
}
try {
    $client->publish('a', 'b')->wait(0.3);
} catch (Mqtt\Exception\TimeoutException $exception) {
    echo str_replace((string) $port, 'PORT', $exception->getMessage()), "\n";
}
echo microtime(true) - $start < 3 ? 'in time' : 'late', ' ', $client->state()->value, ' ', str_contains($client->status()->lastError, 'refused') ? 'refused' : '', "\n";
?>
--EXPECTF--
Mqtt\Exception\ConnectionException: cannot connect to 127.0.0.1:PORT%A refused%A null
no acknowledgement from 127.0.0.1:PORT within 0.3 s: cannot connect to 127.0.0.1:PORT%A refused%A
in time backoff refused
