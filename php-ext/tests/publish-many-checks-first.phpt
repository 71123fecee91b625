--TEST--
publishMany(): a bad message or an exception of the generator queues nothing; a full queue fails only what has no room
--FILE--
<?php
require __DIR__ . '/support.inc';
use Mqtt\{Client, Options};
$client = new Client(new Options('127.0.0.1', free_port(), queueMaxMessages: 2));
foreach ([
    [['a', '1'], ['a/#', '2']],
    (function () { yield ['a', '1']; throw new DomainException('mine'); })(),
    (function () { yield ['a', '1']; yield 'nonsense'; })(),
    [['a', new class { public function __toString(): string { throw new DomainException('from __toString'); } }]],
] as $messages) {
    try {
        $client->publishMany($messages);
    } catch (Throwable $thrown) {
        echo get_class($thrown), ': ', $thrown->getMessage(), '; ', $client->status()->queuedMessages, " queued\n";
    }
}
$batch = $client->publishMany(['one' => ['a', '1'], 'two' => ['a', '2'], 'three' => ['a', '3']]);
$result = $batch->wait(0);
echo json_encode($result), "\n";
echo iterator_to_array($batch)['three']->reasonString(), "\n";
?>
--EXPECTF--
Mqtt\Exception\InvalidTopicException: topic "a/#": %s; 0 queued
DomainException: mine; 0 queued
TypeError: Mqtt\Client::publishMany(): each message must be of type Mqtt\Outgoing or array{string, string}; 0 queued
DomainException: from __toString; 0 queued
{"done":[],"failed":["three"],"pending":["one","two"],"unmatched":[]}
the queue is full: 2 messages and %d bytes have no outcome yet
