--TEST--
A server that speaks something else is a ProtocolException that names it
--FILE--
<?php
require __DIR__ . '/support.inc';
$port = scripted_server(fn($connection) => fwrite($connection, "HTTP/1.1 400 Bad Request\r\n\r\n"));
$client = new Mqtt\Client("mqtt://127.0.0.1:$port");
try {
    $client->connect(30);
} catch (Mqtt\Exception\ProtocolException $exception) {
    echo str_replace((string) $port, 'PORT', $exception->getMessage()), "\n";
}
?>
--EXPECTF--
127.0.0.1:PORT%A does not speak MQTT as it should: %s
