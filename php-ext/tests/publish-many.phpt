--TEST--
publishMany(): arrays, generators and Outgoing; keys come back; who is not there is named
--FILE--
<?php
require __DIR__ . '/support.inc';
use Mqtt\{Client, Outgoing, Qos};
$broker = new Broker();
$client = new Client($broker->uri());
$base = fresh_topic();
$client->subscribe("$base/there")->wait(30);
function messages(string $base): Generator
{
    yield 'there' => ["$base/there", 'a'];
    yield 'gone' => new Outgoing("$base/gone", 'b');
    yield 7 => new Outgoing("$base/there", 'c', Qos::ExactlyOnce);
    yield "bin\xFF" => ["$base/there", 5];
}
$batch = $client->publishMany(messages($base));
$result = $batch->wait(30);
echo count($batch), ' ', json_encode(array_map(bin2hex(...), array_map(strval(...), $result->done))), ' ', json_encode([$result->failed, $result->pending, $result->unmatched]), "\n";
foreach ($batch as $key => $delivery) {
    echo get_class($delivery), ' ', is_int($key) ? 'int' : 'string', " {$delivery->state()->value} ", json_encode($delivery->matched()), "\n";
}
// The broker passes a QoS 2 message on when its handshake is done, so the order is its own.
$received = array_map(fn($message) => $message->payload, iterator_to_array($client->consume(30, 3)));
sort($received);
echo implode(' ', $received), "\n";
echo json_encode($client->publishMany([])->wait(30)), ' ', count($client->publishMany([])), "\n";
$many = $client->publishMany((function () { for ($i = 0; $i < 5000; $i++) { yield ['bulk/nobody', (string) $i]; } })());
$result = $many->wait(30);
echo count($result->done), ' ', count($result->unmatched), ' ', $result->done === range(0, 4999) ? 'in order' : 'mixed', "\n";
?>
--EXPECT--
4 ["7468657265","676f6e65","37","62696eff"] [[],[],["gone"]]
Mqtt\Delivery string done true
Mqtt\Delivery string done false
Mqtt\Delivery int done true
Mqtt\Delivery string done true
5 a c
{"done":[],"failed":[],"pending":[],"unmatched":[]} 0
5000 5000 in order
