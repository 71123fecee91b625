--TEST--
Bad topic, full queue, too large: refused at the call by an exception of their own, and nothing is queued
--FILE--
<?php
require __DIR__ . '/support.inc';
use Mqtt\{Client, Options, Overflow};
use Mqtt\Exception as E;
$client = new Client(new Options('127.0.0.1', free_port(), queueMaxMessages: 2, queueMaxBytes: 2000));
foreach (['', 'a/+', '#', "a\0b", "\xFF", str_repeat('x', 65536)] as $topic) {
    try {
        $client->publish($topic, 'x');
        echo "nothing thrown\n";
    } catch (E\InvalidTopicException $exception) {
        echo substr($exception->getMessage(), 0, 40), "\n";
    }
}
echo $client->status()->queuedMessages, " queued\n";
try {
    $client->publish('a', str_repeat('x', 5000));
} catch (E\PublishException $exception) {
    echo get_class($exception), ': ', $exception->getMessage(), "\n";
}
echo $client->status()->queuedMessages, " queued\n";
$first = $client->publish('a', '1');
$client->publish('a', '2');
try {
    $client->publish('a', '3');
} catch (E\QueueFullException $exception) {
    echo get_class($exception), ': ', $exception->getMessage(), "\n";
}
echo $client->status()->queuedMessages, " queued, first {$first->state()->value}\n";
$client = new Client(new Options('127.0.0.1', free_port(), queueMaxMessages: 1, overflow: Overflow::DropNewest));
[$first, $second] = [$client->publish('a', '1'), $client->publish('a', '2')];
echo "newest: {$first->state()->value} {$second->state()->value} {$second->reasonString()}\n";
$client = new Client(new Options('127.0.0.1', free_port(), queueMaxMessages: 1, overflow: Overflow::DropOldest));
[$first, $second] = [$client->publish('a', '1'), $client->publish('a', '2')];
echo "oldest: {$first->state()->value} {$second->state()->value}\n";
?>
--EXPECTF--
topic "": %s
topic "a/+": %s
topic "#": %s
topic "a\0b": %s
the topic is not UTF-8
topic "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
0 queued
Mqtt\Exception\PublishException: the packet of %d bytes is over the limit of %d
0 queued
Mqtt\Exception\QueueFullException: the queue is full: 2 messages and %d bytes have no outcome yet
2 queued, first queued
newest: queued failed the message was dropped because the queue was full
oldest: failed queued
