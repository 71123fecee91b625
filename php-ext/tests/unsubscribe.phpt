--TEST--
unsubscribe() ends messages and handlers; Subscription::unsubscribe() too
--FILE--
<?php
require __DIR__ . '/support.inc';
$broker = new Broker();
$client = new Mqtt\Client($broker->uri());
[$one, $two] = [fresh_topic(), fresh_topic()];
$handler = fn($message) => print("$message\n");
$client->subscribe([$one, $two], $handler)->wait();
$client->unsubscribe($one);
$client->publish($one, 'one')->wait();
$client->publish($two, 'two')->wait();
echo $client->run(0.5), "\n";
$third = $client->subscribe(fresh_topic(), $handler)->wait();
$third->unsubscribe();
echo $client->publish($third->filters()[0], 'x')->wait()->reasonCode(), "\n";
$client->unsubscribe([$two]);
echo $client->publish($two, 'x')->wait()->reasonCode(), ' ', $client->run(0.2), "\n";
?>
--EXPECT--
two
1
16
16 0
