--TEST--
Handlers that receive inside each other without end meet an Error, not the end of the stack; what came meanwhile stays
--FILE--
<?php
require __DIR__ . '/support.inc';
use Mqtt\{Client, Message};
const MESSAGES = 300;
$broker = new Broker();

/** How deep the handlers get that receive by `$receive`, and how that ends. */
function dive(Broker $broker, callable $receive): string
{
    $client = new Client($broker->uri('receiveMaximum=1000'));
    $topic = fresh_topic();
    $depth = 0;
    $deepest = 0;
    $calls = 0;
    $client->subscribe($topic, function (Message $message, Client $client) use (&$depth, &$deepest, &$calls, $receive) {
        $calls++;
        $deepest = max($deepest, ++$depth);
        try {
            $receive($client);
        } finally {
            $depth--;
        }
    })->wait(30);
    $client->publishMany(array_fill(0, MESSAGES, [$topic, 'x']))->wait(30);
    eventually(fn() => $client->status()->received === MESSAGES, 'all messages');
    try {
        $receive($client);
        return "no end at $deepest";
    } catch (Error $error) {
        $before = $calls;
        $receive($client);
        return get_class($error) . " at $deepest: {$error->getMessage()} After $before of $calls";
    }
}

echo dive($broker, fn($client) => $client->poll()), "\n";
echo dive($broker, fn($client) => $client->run(0, 1)), "\n";
echo dive($broker, fn($client) => iterator_to_array($client->consume(0))), "\n";
$fiber = new Fiber(fn() => dive($broker, fn($client) => $client->poll()));
$fiber->start();
echo 'fiber: ', $fiber->getReturn(), "\n";

// Handlers that are suspended, each in a fiber of its own, are not on top of each other.
$client = new Client($broker->uri());
$topic = fresh_topic();
$client->subscribe($topic, fn() => Fiber::suspend())->wait(30);
$client->publishMany(array_fill(0, MESSAGES, [$topic, 'x']))->wait(30);
eventually(fn() => $client->status()->received === MESSAGES, 'all messages');
$fibers = [];
for ($i = 0; $i < MESSAGES; $i++) {
    $fibers[] = $fiber = new Fiber(fn() => $client->run(0, 1));
    $fiber->start();
}
echo count(array_filter($fibers, fn($fiber) => $fiber->isSuspended())), " suspended\n";
?>
--EXPECT--
Error at 256: Handlers are nested too deep: each of them receives messages inside another. Infinite recursion? After 256 of 300
Error at 256: Handlers are nested too deep: each of them receives messages inside another. Infinite recursion? After 256 of 300
Error at 256: Handlers are nested too deep: each of them receives messages inside another. Infinite recursion? After 256 of 300
fiber: Error at 256: Handlers are nested too deep: each of them receives messages inside another. Infinite recursion? After 256 of 300
300 suspended
