<?php
/**
 * A device that is a PHP script: it receives its pushes and acknowledges each one once it has dealt with it.
 *
 * `cargo xtask demo` starts it beside the Rust devices and ends it with a signal.
 */
declare(strict_types=1);

use Mqtt\AckMode;
use Mqtt\Client;
use Mqtt\Message;
use Mqtt\Options;
use Mqtt\Tls;

$device = getenv('DEVICE') ?: 'device-01';
$topic = str_replace('{id}', $device, getenv('PUSH_TOPIC') ?: 'devices/{id}/push');

// The same Client Identifier each time and a session that outlives the connection: what is pushed while this script is not
// running waits in the broker.
$options = Options::fromUri(getenv('MQTT_URL') ?: 'mqtt://localhost:1883')
    ->with(clientId: getenv('CLIENT_ID') ?: $device, cleanStart: false, sessionExpiry: 3600);
if ($authority = getenv('MQTT_CA_FILE')) {
    $options = $options->with(tls: new Tls(caFile: $authority));
}
$client = new Client($options);

$client->subscribe($topic, ack: AckMode::Manual, handler: function (Message $message): void {
    $push = json_decode($message->payload, true);
    $latency = microtime(true) - $push['sent'];
    echo json_encode(['id' => $push['id'], 'latency' => $latency]), "\n";
    $message->ack();
})->wait(timeout: 10.0);

// run() calls the handler for each message, and returns after a signal.
pcntl_async_signals(true);
$ending = false;
pcntl_signal(SIGTERM, function () use (&$ending): void {
    $ending = true;
});
echo "ready\n";
while (!$ending) {
    $client->run(timeout: 1.0);
}
$client->close();
