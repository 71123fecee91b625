<?php
/*
 * Two brokers and standard input in one loop: each line of input becomes a message, and messages are printed as they come.
 * Ends with the input. Any event loop that takes a stream does what stream_select() does here.
 *
 *     php -d extension=/path/to/libphp_mqtt.so event-loop.php mqtt://127.0.0.1:1883 mqtt://127.0.0.1:1884 chat
 */

use Mqtt\Client;
use Mqtt\Message;
use Mqtt\State;

[, $first, $second, $topic] = $argv + [1 => 'mqtt://127.0.0.1:1883', 2 => 'mqtt://127.0.0.1:1884', 3 => 'chat'];

$clients = ['first' => new Client($first), 'second' => new Client($second)];
$streams = ['input' => STDIN];
foreach ($clients as $name => $client) {
    $client->onState(function (State $state, ?string $cause) use ($name): void {
        echo "$name: $state->value", $cause === null ? '' : " ($cause)", "\n";
    });
    $client->subscribe($topic, function (Message $message) use ($name): void {
        echo "$name: $message\n";
    });
    $streams[$name] = $client->stream();
}

while (true) {
    [$readable, $none] = [$streams, null];
    stream_select($readable, $none, $none, null);
    foreach (array_intersect_key($clients, $readable) as $client) {
        $client->poll();
    }
    if (isset($readable['input'])) {
        $line = fgets(STDIN);
        if ($line === false) {
            break;
        }
        foreach ($clients as $client) {
            $client->publish($topic, rtrim($line));
        }
    }
}
foreach ($clients as $client) {
    $client->close();
}
