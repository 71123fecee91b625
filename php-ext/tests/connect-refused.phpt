--TEST--
Nobody listens: connect() throws when its time is over and names address and cause; wait() too
--FILE--
<?php
require __DIR__ . '/support.inc';
use Mqtt\{Client, State};
$port = free_port();
$client = new Client("mqtt://127.0.0.1:$port");
$delivery = $client->publish('a', 'b');
// From here on the cause is known, however long the first attempt took.
eventually(fn() => $client->state() === State::Backoff, 'the first attempt failed');
try {
    $client->connect(0.2);
} catch (Mqtt\Exception\ConnectionException $exception) {
    echo get_class($exception), ': ', str_replace((string) $port, 'PORT', $exception->getMessage()), ' ', json_encode($exception->reasonCode), "\n";
}
try {
    $delivery->wait(0.2);
} catch (Mqtt\Exception\TimeoutException $exception) {
    echo str_replace((string) $port, 'PORT', $exception->getMessage()), "\n";
}
// It goes on trying.
eventually(fn() => $client->state() === State::Backoff, 'another attempt failed');
echo str_contains($client->status()->lastError, 'refused') ? 'refused' : $client->status()->lastError, "\n";
?>
--EXPECTF--
Mqtt\Exception\ConnectionException: cannot connect to 127.0.0.1:PORT%A refused%A null
no acknowledgement from 127.0.0.1:PORT within 0.2 s: cannot connect to 127.0.0.1:PORT%A refused%A
refused
