<?php
/*
 * Pushes a message to some devices and prints which of them it reached.
 *
 *     php -d extension=/path/to/libphp_mqtt.so publish.php mqtt://127.0.0.1:1883 "Hello" device-1 device-2 ...
 *
 * Works unchanged in a web request: the connection is then kept for the next one.
 */

use Mqtt\Client;
use Mqtt\Outgoing;
use Mqtt\Properties;

[, $uri, $text] = $argv + [1 => 'mqtt://127.0.0.1:1883', 2 => 'Hello'];
$devices = array_slice($argv, 3) ?: ['device-1', 'device-2'];

$client = Client::persistent($uri);

// A message that nobody fetched within an hour is of no use any more.
$properties = new Properties(messageExpiry: 3600, contentType: 'text/plain', payloadFormatUtf8: true);

$messages = [];
foreach ($devices as $device) {
    $messages[$device] = new Outgoing("devices/$device/push", $text, properties: $properties);
}

// Queued at once; the background thread sends. Nothing here has touched the network yet.
$batch = $client->publishMany($messages);

$result = $batch->wait(timeout: 5.0);

foreach ($batch as $device => $delivery) {
    echo str_pad((string) $device, 20), match (true) {
        in_array($device, $result->unmatched) => 'the broker has it, but no such device subscribes',
        in_array($device, $result->done) => 'the broker has it for the device',
        in_array($device, $result->failed) => 'failed: ' . $delivery->reasonString(),
        default => 'no answer yet; it stays under way',
    }, "\n";
}

exit($result->failed || $result->pending ? 1 : 0);
