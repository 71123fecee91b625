--TEST--
A server that says nothing: an error within the connect timeout that names it, or a timeout of the call if that is shorter
--FILE--
<?php
require __DIR__ . '/support.inc';
$port = scripted_server(fn($connection) => sleep(20));
foreach (['connectTimeout=0.4', 'connectTimeout=10'] as $query) {
    $client = new Mqtt\Client("mqtt://127.0.0.1:$port?$query");
    $start = microtime(true);
    try {
        $client->connect(0.9);
    } catch (Mqtt\Exception\MqttException $exception) {
        echo get_class($exception), ': ', str_replace((string) $port, 'PORT', $exception->getMessage()), microtime(true) - $start < 3 ? '' : ' (late)', "\n";
    }
}
?>
--EXPECTF--
Mqtt\Exception\ConnectionException: 127.0.0.1:PORT%A did not answer within 400ms: timed out waiting for its CONNACK
Mqtt\Exception\TimeoutException: no connection to 127.0.0.1:PORT within 0.9 s: it has not answered yet
