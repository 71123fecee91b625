--TEST--
run(): handlers get message and client, in order; it ends at its limit, its time, and at stop()
--FILE--
<?php
require __DIR__ . '/support.inc';
use Mqtt\{Client, Message, Qos};
$broker = new Broker();
$client = new Client($broker->uri());
$base = fresh_topic();
$seen = [];
$subscription = $client->subscribe("$base/+", function (Message $message, Client $same) use (&$seen, $client, $base) {
    $seen[] = substr($message->topic, strlen($base) + 1) . '=' . $message->payload;
    if ($message->payload === 'stop') {
        $same->stop();
    }
    assert($same === $client);
});
echo implode(',', array_keys($subscription->wait(30)->reasonCodes())) === "$base/+" ? 'granted ' . implode(array_values($subscription->reasonCodes())) : 'other', "\n";
foreach (['1', '2', '3', 'stop', '5'] as $payload) {
    $client->publish("$base/a", $payload)->wait(30);
}
echo $client->run(30, 2), ' ', implode(' ', $seen), "\n";
echo $client->run(30), ' ', implode(' ', $seen), "\n";
echo $client->run(30, 1), ' ', implode(' ', $seen), "\n";
$start = microtime(true);
echo $client->run(0.3), ' ', took($start, 0.3), "\n";
echo $client->poll(), ' ', $client->run(0), ' ', $client->run(limit: 0), "\n";
?>
--EXPECT--
granted 1
2 a=1 a=2
2 a=1 a=2 a=3 a=stop
1 a=1 a=2 a=3 a=stop a=5
0 after 0.3 s
0 0 0
