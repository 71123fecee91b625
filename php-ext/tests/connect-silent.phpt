--TEST--
A server that says nothing: the connect timeout ends the attempt with an error that names it; a shorter timeout of the call ends the call
--FILE--
<?php
require __DIR__ . '/support.inc';
$port = scripted_server(fn($connection) => sleep(300));
// Which of the two limits it was is told by what is thrown; the other one is far away.
foreach (['connectTimeout=0.4' => 30, 'connectTimeout=300' => 0.9] as $query => $timeout) {
    $client = new Mqtt\Client("mqtt://127.0.0.1:$port?$query");
    try {
        $client->connect($timeout);
    } catch (Mqtt\Exception\MqttException $exception) {
        echo get_class($exception), ': ', str_replace((string) $port, 'PORT', $exception->getMessage()), "\n";
    }
    $client->close(0);
}
?>
--EXPECTF--
Mqtt\Exception\ConnectionException: 127.0.0.1:PORT%A did not answer within 400ms: timed out waiting for its CONNACK
Mqtt\Exception\TimeoutException: no connection to 127.0.0.1:PORT within 0.9 s: it has not answered yet
