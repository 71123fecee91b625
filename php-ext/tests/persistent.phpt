--TEST--
Client::persistent(): the same object for the same options, another for others; ids; the limit; the default URI
--INI--
mqtt.max_persistent=4
--FILE--
<?php
require __DIR__ . '/support.inc';
use Mqtt\{Client, Options};
$port = free_port();
$uri = "mqtt://127.0.0.1:$port";
$one = Client::persistent($uri);
var_dump($one === Client::persistent($uri), $one === Client::persistent(new Options('127.0.0.1', $port)), $one === Client::persistent("$uri?keepAlive=5"));
var_dump(Client::persistent($uri, 'named') === $one, Client::persistent($uri, 'named') === Client::persistent($uri, 'named'));
try {
    Client::persistent("$uri?keepAlive=6", 'named');
} catch (Mqtt\Exception\InvalidOptionException $exception) {
    echo $exception->getMessage(), "\n";
}
try {
    Client::persistent();
} catch (Mqtt\Exception\InvalidOptionException $exception) {
    echo $exception->getMessage(), "\n";
}
ini_set('mqtt.default_uri', $uri);
var_dump(Client::persistent() === $one, Client::persistent('') === $one);
Client::persistent("$uri?keepAlive=7");
try {
    Client::persistent("$uri?keepAlive=8");
} catch (Mqtt\Exception\ConnectionException $exception) {
    echo $exception->getMessage(), "\n";
}
foreach ([$one, Client::persistent("$uri?keepAlive=7"), Client::persistent($uri, 'named'), new Client($uri)] as $client) {
    $status = $client->status();
    echo json_encode([$status->persistent, $status->persistentId]), "\n";
}
$one->close(0);
var_dump(Client::persistent($uri) === $one, Client::persistent($uri)->state()->value);
?>
--EXPECT--
bool(true)
bool(true)
bool(false)
bool(false)
bool(true)
this id is in use with other options
no broker was given, and mqtt.default_uri is empty
bool(true)
bool(true)
there are 4 persistent clients here already (mqtt.max_persistent)
[true,"#1"]
[true,"#4"]
[true,"named"]
[false,null]
bool(false)
string(4) "idle"
