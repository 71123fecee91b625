--TEST--
Payloads are binary-safe both ways, empty and large
--FILE--
<?php
require __DIR__ . '/support.inc';
use Mqtt\Client;
$broker = new Broker();
$client = new Client($broker->uri());
$topic = fresh_topic();
$client->subscribe($topic)->wait(30);
$payloads = ['', "\0", implode('', array_map('chr', range(0, 255))), random_bytes(300000)];
foreach ($payloads as $payload) {
    $client->publish($topic, $payload);
}
foreach ($client->consume(30, count($payloads)) as $i => $message) {
    echo strlen($message->payload), ' ', $message->payload === $payloads[$i] && (string) $message === $payloads[$i] ? 'same' : 'different', "\n";
}
?>
--EXPECT--
0 same
1 same
256 same
300000 same
