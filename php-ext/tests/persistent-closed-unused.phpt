--TEST--
A persistent client that was closed before its first use leaves the next one of its id alone
--FILE--
<?php
require __DIR__ . '/support.inc';
use Mqtt\Client;
use Mqtt\Options;

$broker = new Broker();
$options = new Options(host: '127.0.0.1', port: $broker->port);
$first = Client::persistent($options, 'pusher');
$first->close();

$second = Client::persistent($options, 'pusher');
$states = [];
$second->onState(function ($state) use (&$states) {
    $states[] = $state->name;
});
$second->connect(60);
$stream = $second->stream();
var_dump($first->state()->name);
$first = null;

$second->subscribe('t')->wait(60);
$second->publish('t', 'x')->wait(60);
$readable = [$stream];
$none = null;
var_dump(stream_select($readable, $none, $none, 60));
var_dump($second->poll());
$second->close();
echo implode(' ', $states), "\n";
?>
--EXPECT--
string(6) "Closed"
int(1)
int(1)
Connecting Connected Closed
