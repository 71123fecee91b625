--TEST--
unsubscribe() ends messages and handlers; Subscription::unsubscribe() too
--FILE--
<?php
require __DIR__ . '/support.inc';
$broker = new Broker();
$client = new Mqtt\Client($broker->uri());
[$one, $two] = [fresh_topic(), fresh_topic()];
$handler = fn($message) => print("$message\n");
$client->subscribe([$one, $two], $handler)->wait(30);
$client->unsubscribe($one);
$client->publish($one, 'one')->wait(30);
$client->publish($two, 'two')->wait(30);
// What came of the other topic would be first.
echo $client->run(30, 1), "\n";
$third = $client->subscribe(fresh_topic(), $handler)->wait(30);
$third->unsubscribe();
echo $client->publish($third->filters()[0], 'x')->wait(30)->reasonCode(), "\n";
$client->unsubscribe([$two]);
echo $client->publish($two, 'x')->wait(30)->reasonCode(), ' ', $client->run(0.2), "\n";
?>
--EXPECT--
two
1
16
16 0
