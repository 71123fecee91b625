--TEST--
subscribe() sends user properties and takes no others; the broker's words about a refusal are in the exception
--FILE--
<?php
require __DIR__ . '/support.inc';
use Mqtt\{Client, Properties};
$user = new Properties(user: [['a', '1'], ['a', '2']]);
$log = scratch_directory() . '/subscribe.txt';
// SUBACK: Reason String "why", 0x87 Not authorized.
$port = scripted_server(function ($connection) use ($log) {
    read_packet($connection);
    fwrite($connection, "\x20\x03\x00\x00\x00");
    [, $body] = read_packet($connection);
    file_put_contents($log, bin2hex(substr($body, 2)));
    fwrite($connection, "\x90\x0A" . substr($body, 0, 2) . "\x06\x1F\x00\x03why\x87");
    read_packet($connection);
});
$client = new Client("mqtt://127.0.0.1:$port?protocol=5");
foreach ([new Properties(messageExpiry: 1), new Properties(correlationData: 'x', user: [['a', '1']])] as $properties) {
    try {
        $client->subscribe('t', properties: $properties);
        echo "nothing thrown\n";
    } catch (Mqtt\Exception\InvalidOptionException $exception) {
        echo $exception->getMessage(), "\n";
    }
}
$subscription = $client->subscribe('t', properties: $user);
try {
    $subscription->wait(30);
} catch (Mqtt\Exception\SubscribeException $exception) {
    echo $exception->getMessage(), ' ', $exception->reasonCode, "\n";
}
// Subscription Identifier 3, of the third call, and the two pairs, then the filter and QoS 1.
echo file_get_contents($log), "\n";
// Without any, nothing is wrong with an object.
$broker = new Broker();
foreach ([[5, $user], [4, $user], [4, new Properties()]] as [$protocol, $properties]) {
    $client = new Client($broker->uri("protocol=$protocol"));
    try {
        echo json_encode($client->subscribe('t', properties: $properties)->wait(30)->reasonCodes()), "\n";
    } catch (Mqtt\Exception\SubscribeException $exception) {
        echo $exception->getMessage(), "\n";
    }
}
?>
--EXPECT--
properties: property 0x02 MessageExpiryInterval in SUBSCRIBE
properties: property 0x09 CorrelationData in SUBSCRIBE
the broker refused the topic filter "t": 0x87 Not authorized (why) 135
100b03260001610001312600016100013200017401
{"t":1}
SUBSCRIBE with properties in 3.1.1
{"t":1}
