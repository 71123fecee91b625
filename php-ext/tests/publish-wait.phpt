--TEST--
publish(): a delivery that can be asked and waited for, at each QoS
--FILE--
<?php
require __DIR__ . '/support.inc';
use Mqtt\{Client, Qos};
$broker = new Broker();
$client = new Client($broker->uri());
$listener = new Client($broker->uri());
$topic = fresh_topic();
$listener->subscribe($topic, qos: Qos::ExactlyOnce)->wait(30);
foreach (Qos::cases() as $qos) {
    $delivery = $client->publish($topic, $qos->name, $qos);
    echo get_class($delivery->wait(30)), ' ', $delivery->wait(0) === $delivery ? 'itself' : 'another', ' ', $delivery->state()->value, ' ',
        json_encode([$delivery->isDone(), $delivery->reasonCode(), $delivery->reasonString(), $delivery->matched()]), "\n";
}
foreach ($listener->consume(30, 3) as $i => $message) {
    echo "$i $message->payload {$message->qos->name}\n";
}
?>
--EXPECT--
Mqtt\Delivery itself done [true,null,null,null]
Mqtt\Delivery itself done [true,0,null,true]
Mqtt\Delivery itself done [true,0,null,true]
0 AtMostOnce AtMostOnce
1 AtLeastOnce AtLeastOnce
2 ExactlyOnce ExactlyOnce
