--TEST--
A message above the Maximum Packet Size that the broker told is refused at the call
--FILE--
<?php
require __DIR__ . '/support.inc';
// CONNACK: success, Maximum Packet Size 100.
$port = scripted_server(function ($connection) {
    read_packet($connection);
    fwrite($connection, "\x20\x08\x00\x00\x05\x27\x00\x00\x00\x64");
    read_packet($connection);
});
$client = new Mqtt\Client("mqtt://127.0.0.1:$port?protocol=5");
echo $client->connect(30)->maximumPacketSize, "\n";
try {
    $client->publish('a', str_repeat('x', 200));
} catch (Mqtt\Exception\PublishException $exception) {
    echo $exception->getMessage(), "\n";
}
echo $client->status()->queuedMessages, " queued\n";
?>
--EXPECTF--
100
the packet of %d bytes is over the limit of 100
0 queued
