--TEST--
poll(): handles what is here and never waits; messages without a handler are counted
--FILE--
<?php
require __DIR__ . '/support.inc';
$broker = new Broker();
$client = new Mqtt\Client($broker->uri());
[$handled, $loose] = [fresh_topic(), fresh_topic()];
$count = 0;
$client->subscribe($handled, function () use (&$count) { $count++; })->wait(30);
$client->subscribe([$loose])->wait(30);
echo $client->poll(), "\n";
foreach ([$handled, $loose, $handled] as $topic) {
    $client->publish($topic, 'x')->wait(30);
}
eventually(fn() => $client->status()->received === 3, 'three messages');
echo $client->poll(), " $count ", $client->status()->unhandled, "\n";
?>
--EXPECT--
0
3 2 1
