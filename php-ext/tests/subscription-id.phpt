--TEST--
A subscriptionId of the application comes back with the messages of that call
--FILE--
<?php
require __DIR__ . '/support.inc';
use Mqtt\{Client, Message};
$broker = new Broker();
foreach (['5', '4'] as $protocol) {
    $client = new Client($broker->uri("protocol=$protocol"));
    $base = fresh_topic();
    $client->subscribe("$base/#", subscriptionId: 7)->wait(30);
    $client->subscribe("$base/a", subscriptionId: 268435455)->wait(30);
    $client->subscribe("$base/c")->wait(30);
    foreach (['a', 'b', 'c'] as $level) {
        $client->publish("$base/$level", $level)->wait(30);
        // Where subscriptions overlap, some brokers send a copy for each.
        foreach ($client->consume(30, 1) as $message) {
            echo $message, json_encode($message->subscriptionIds), ' ';
        }
        eventually(fn() => $client->run(0) === 0, 'all copies are taken');
    }
    echo "\n";
}
foreach ([0, -1, 268435456] as $id) {
    try {
        $client->subscribe('a', subscriptionId: $id);
    } catch (ValueError $error) {
        echo $error->getMessage(), "\n";
    }
}
echo json_encode((new Message('a', 'b', subscriptionIds: [1]))->subscriptionIds), "\n";
?>
--EXPECT--
a[7,268435455] b[7] c[7] 
a[7,268435455] b[7] c[7] 
Mqtt\Client::subscribe(): Argument #8 ($subscriptionId) must be 1 to 268435455
Mqtt\Client::subscribe(): Argument #8 ($subscriptionId) must be 1 to 268435455
Mqtt\Client::subscribe(): Argument #8 ($subscriptionId) must be 1 to 268435455
[1]
