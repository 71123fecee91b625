--TEST--
Delivery::matched() is false where nobody subscribes, and null before MQTT 5.0
--FILE--
<?php
require __DIR__ . '/support.inc';
use Mqtt\Client;
$broker = new Broker();
$client = new Client($broker->uri());
$delivery = $client->publish(fresh_topic('nobody'), 'x');
var_dump($delivery->wait(30)->matched(), $delivery->reasonCode(), $delivery->state()->value);
$old = new Client($broker->uri('protocol=4'));
$delivery = $old->publish(fresh_topic('nobody'), 'x')->wait(30);
var_dump($delivery->matched(), $delivery->reasonCode(), $old->connect(30)->protocol->name);
?>
--EXPECT--
bool(false)
int(16)
string(4) "done"
NULL
int(0)
string(4) "V311"
