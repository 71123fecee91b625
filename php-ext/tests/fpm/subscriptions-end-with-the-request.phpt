--TEST--
FPM: what a request subscribed to on a persistent client ends with that request
--FILE--
<?php
require __DIR__ . '/fpm.inc';
$broker = new Broker();
$fpm = new Fpm();
$uri = $broker->uri();
$topic = fresh_topic();
$subscribe = $fpm->script("
    \$client = Mqtt\\Client::persistent('$uri');
    \$client->subscribe('$topic', function () {})->wait(30);
    echo \$client->publish('$topic', 'left behind')->wait(30)->reasonCode();");
echo $fpm->request($subscribe), "\n";
$other = new Mqtt\Client($uri);
eventually(fn() => $other->publish($topic, 'x')->wait(30)->matched() === false, 'the subscription is gone');
$look = $fpm->script("
    \$client = Mqtt\\Client::persistent('$uri');
    \$messages = iterator_to_array(\$client->consume(0.2));
    echo count(\$messages), ' ', \$client->status()->connections;");
echo $fpm->request($look), "\n";
?>
--EXPECT--
0
0 1
