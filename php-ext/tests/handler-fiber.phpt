--TEST--
A handler may suspend the fiber it runs in; others use the client meanwhile
--FILE--
<?php
require __DIR__ . '/support.inc';
$broker = new Broker();
$client = new Mqtt\Client($broker->uri());
$topic = fresh_topic();
$client->subscribe($topic, function ($message) {
    echo "begin $message->payload\n";
    echo Fiber::suspend($message->payload), "\n";
    echo "end $message->payload\n";
})->wait(30);
foreach (['1', '2'] as $payload) {
    $client->publish($topic, $payload)->wait(30);
}
eventually(fn() => $client->status()->received === 2, 'two messages');
$fiber = new Fiber(fn() => $client->poll());
$given = $fiber->start();
echo "suspended with $given\n";
echo 'meanwhile ', $client->publish('other/topic', 'x')->wait(30)->state()->value, "\n";
$given = $fiber->resume('go on');
echo "suspended with $given\n";
// The second handler never ends: the fiber is destroyed in it.
unset($fiber);
echo 'still ', $client->publish('other/topic', 'x')->wait(30)->state()->value, "\n";
?>
--EXPECT--
begin 1
suspended with 1
meanwhile done
go on
end 1
begin 2
suspended with 2
still done
