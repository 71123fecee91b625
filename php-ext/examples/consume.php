<?php
/*
 * Prints messages as they come, until a minute has passed or the process gets SIGTERM or SIGINT.
 *
 *     php -d extension=/path/to/libphp_mqtt.so consume.php mqtt://127.0.0.1:1883 "devices/+/push"
 */

use Mqtt\AckMode;
use Mqtt\Client;
use Mqtt\Message;
use Mqtt\Options;

[, $uri, $filter] = $argv + [1 => 'mqtt://127.0.0.1:1883', 2 => 'devices/+/push'];

// An identifier of its own and a session that outlives the process: what comes while it is down is delivered later.
$options = Options::fromUri($uri)->with(clientId: 'example-' . gethostname(), cleanStart: false, sessionExpiry: 3600);
$client = new Client($options);

if (function_exists('pcntl_async_signals')) {
    pcntl_async_signals(true);
    foreach ([SIGTERM, SIGINT] as $signal) {
        pcntl_signal($signal, fn() => $client->stop());
    }
}

// The broker hears that a message was taken when the handler has returned, not before.
$client->subscribe($filter, function (Message $message): void {
    printf("%s  %s\n", $message->topic, $message->payload);
}, ack: AckMode::AfterHandler)->wait(timeout: 30.0);

$count = $client->run(timeout: 60.0);

echo "$count messages\n";
$client->close();
