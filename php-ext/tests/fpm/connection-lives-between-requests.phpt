--TEST--
FPM: the connection is kept alive between requests, and what a request did not wait for leaves after it
--FILE--
<?php
require __DIR__ . '/fpm.inc';
$broker = new Broker();
$listener = new Mqtt\Client($broker->uri());
$topic = fresh_topic();
$listener->subscribe($topic)->wait();
$fpm = new Fpm();
$uri = $broker->uri('keepAlive=1');
// The first request does not even wait for the connection.
$publish = $fpm->script("Mqtt\\Client::persistent('$uri')->publish('$topic', 'x'); echo 'sent';");
echo $fpm->request($publish), "\n";
echo count(iterator_to_array($listener->consume(5, 1))), " arrived\n";
// The broker would drop a client that is silent for one and a half keep-alives.
usleep(2500000);
$status = $fpm->script("\$status = Mqtt\\Client::persistent('$uri')->status(); echo \$status->state->value, ' ', \$status->connections, ' ', \$status->acknowledged;");
echo $fpm->request($status), "\n";
?>
--EXPECT--
sent
1 arrived
connected 1 1
