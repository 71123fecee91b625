--TEST--
A handler may publish and wait, subscribe, unsubscribe itself, poll and close
--FILE--
<?php
require __DIR__ . '/support.inc';
use Mqtt\{Client, Message};
$broker = new Broker();
$client = new Client($broker->uri());
$base = fresh_topic();
$log = [];
$subscription = $client->subscribe("$base/a", function (Message $message, Client $client) use (&$log, &$subscription, $base) {
    $log[] = "a:$message->payload";
    $log[] = $client->publish("$base/nobody", 'x')->wait(30)->state()->value;
    $client->subscribe("$base/b", function (Message $message, Client $client) use (&$log) {
        $log[] = "b:$message->payload";
        $client->close(30);
    })->wait(30);
    $subscription->unsubscribe();
    $client->publish("$base/a", 'too late')->wait(30);
    $client->publish("$base/b", '2')->wait(30);
    $log[] = 'inner poll';
    $client->poll();
})->wait(30);
$client->publish("$base/a", '1')->wait(30);
echo $client->run(30, 2), ' ', implode(' ', $log), "\n";
try {
    $client->publish('a', 'b');
} catch (Mqtt\Exception\ClosedException $exception) {
    echo $exception->getMessage(), "\n";
}
?>
--EXPECTREGEX--
[12] a:1 done inner poll b:2
the client was closed
