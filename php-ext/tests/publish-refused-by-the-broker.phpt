--TEST--
A refusal by the broker: wait() throws with its reason code and text, the delivery has failed
--FILE--
<?php
require __DIR__ . '/support.inc';
// PUBACK with 0x97 Quota exceeded and the Reason String "full".
$port = scripted_server(function ($connection) {
    read_packet($connection);
    fwrite($connection, "\x20\x03\x00\x00\x00");
    while ($packet = read_packet($connection)) {
        if ($packet[0] >> 4 === 3) {
            $id = substr($packet[1], 3, 2);
            fwrite($connection, "\x40\x0B$id\x97\x07\x1F\x00\x04full");
        }
    }
});
$client = new Mqtt\Client("mqtt://127.0.0.1:$port?protocol=5");
$delivery = $client->publish('a', 'x');
try {
    $delivery->wait(30);
} catch (Mqtt\Exception\PublishException $exception) {
    echo $exception->getMessage(), ' / ', $exception->reasonCode, ' ', $exception->getCode(), "\n";
}
echo $delivery->state()->value, ' ', $delivery->reasonCode(), ' ', $delivery->reasonString(), ' ', json_encode($delivery->matched()), "\n";
$batch = $client->publishMany(['k' => ['a', 'x']]);
echo json_encode($batch->wait(30)), "\n";
?>
--EXPECT--
the broker refused the message: 0x97 Quota exceeded (full) / 151 151
failed 151 the broker refused the message: 0x97 Quota exceeded (full) null
{"done":[],"failed":["k"],"pending":[],"unmatched":[]}
