--TEST--
inboxMaxBytes bounds what waits for PHP: of QoS 0 the rest is dropped and counted, of QoS 1 nothing is lost
--FILE--
<?php
require __DIR__ . '/support.inc';
use Mqtt\{Client, Options, Qos};
$broker = new Broker();
$publisher = new Client($broker->uri());
// Two messages fit, three do not.
$receiver = new Client(new Options(port: $broker->port, inboxMaxBytes: 10_000));
$topic = fresh_topic();
$receiver->subscribe($topic)->wait(30);
$publish = function (Qos $qos) use ($publisher, $topic) {
    for ($i = 0; $i < 10; $i++) {
        $publisher->publish($topic, $i . str_repeat('x', 4000), $qos)->wait(30);
    }
};
$take = function (int $count) use ($receiver) {
    foreach ($receiver->consume(30, $count) as $message) {
        echo $message->payload[0];
    }
    echo ", {$receiver->status()->dropped} dropped\n";
};
$publish(Qos::AtLeastOnce);
eventually(fn() => $receiver->status()->received === 10, 'ten messages');
$take(10);
$publish(Qos::AtMostOnce);
eventually(fn() => $receiver->status()->dropped === 8, 'eight dropped');
$take(2);
?>
--EXPECT--
0123456789, 0 dropped
01, 8 dropped
