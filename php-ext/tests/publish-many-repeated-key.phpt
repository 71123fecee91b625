--TEST--
publishMany(): a key that comes twice is refused before anything is queued, also where only an array takes the two for one
--FILE--
<?php
require __DIR__ . '/support.inc';
use Mqtt\{Client, Options};
$client = new Client(new Options('127.0.0.1', free_port()));
function again(mixed $first, mixed $second): Generator
{
    yield $first => ['a', '1'];
    yield 'other' => ['a', '2'];
    yield $second => ['a', '3'];
}
function lists(): Generator
{
    yield from [['a', '1'], ['a', '2']];
    yield from [['a', '3']];
}
foreach ([again('phone', 'phone'), again(7, '7'), again('-8', -8), lists()] as $messages) {
    try {
        $client->publishMany($messages);
        echo "not refused\n";
    } catch (Mqtt\Exception\InvalidOptionException $exception) {
        echo $exception->getMessage(), '; ', $client->status()->queuedMessages, " queued\n";
    }
}
// These are two keys for an array as well.
$batch = $client->publishMany(again('07', '7'));
echo count($batch), ' ', count(iterator_to_array($batch)), ' ', $client->status()->queuedMessages, " queued\n";
?>
--EXPECT--
the key "phone" comes twice; each message needs a key of its own; 0 queued
the key "7" comes twice; each message needs a key of its own; 0 queued
the key -8 comes twice; each message needs a key of its own; 0 queued
the key 0 comes twice; each message needs a key of its own; 0 queued
3 3 3 queued
