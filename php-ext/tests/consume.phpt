--TEST--
consume(): an iterator that ends at limit, time, stop() and close(), and works in yield from and LimitIterator
--FILE--
<?php
require __DIR__ . '/support.inc';
use Mqtt\Client;
$broker = new Broker();
$client = new Client($broker->uri());
$topic = fresh_topic();
$client->subscribe($topic)->wait(30);
$publish = function (string ...$payloads) use ($client, $topic) {
    foreach ($payloads as $payload) {
        $client->publish($topic, $payload)->wait(30);
    }
};
$publish('1', '2', '3');
$messages = $client->consume(30, 2);
foreach ($messages as $key => $message) {
    echo "$key=>$message ";
}
var_dump($messages->valid());
function all(Client $client) { yield from $client->consume(30, 1); }
foreach (all($client) as $message) {
    echo "yield from $message\n";
}
$publish('4', '5', '6', '7', '8');
// LimitIterator asks for one more than it gives: 7 is taken and let go. consume(limit:) does not do that.
foreach (new LimitIterator($client->consume(30), 1, 2) as $message) {
    echo "limited $message\n";
}
foreach ($client->consume(30) as $message) {
    echo "stopped at $message\n";
    $client->stop();
}
$start = microtime(true);
foreach ($client->consume(0.3) as $message) {
    echo "nothing should come\n";
}
echo took($start, 0.3), "\n";
$publish('9', '10');
foreach ($client->consume(30) as $message) {
    echo "closed at $message\n";
    $client->close(30);
}
try {
    $messages->rewind();
} catch (Mqtt\Exception\ClosedException $exception) {
    echo $exception->getMessage(), "\n";
}
?>
--EXPECT--
0=>1 1=>2 bool(false)
yield from 3
limited 5
limited 6
stopped at 8
after 0.3 s
closed at 9
messages can be walked once; call consume() again
