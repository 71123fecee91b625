--TEST--
Message::reply() answers to the response topic with the correlation data
--FILE--
<?php
require __DIR__ . '/support.inc';
use Mqtt\{Client, Properties};
$broker = new Broker();
$asking = new Client($broker->uri());
$device = new Client($broker->uri());
[$topic, $answers] = [fresh_topic(), fresh_topic()];
$asking->subscribe($answers)->wait(30);
$device->subscribe($topic, fn($message) => $message->reply("re: $message")->wait(30))->wait(30);
$asking->publish($topic, 'hello', properties: new Properties(responseTopic: $answers, correlationData: "\x01\x02"));
$device->run(30, 1);
foreach ($asking->consume(30, 1) as $message) {
    echo $message->payload, ' ', bin2hex($message->properties->correlationData), "\n";
    try {
        $message->reply('again');
    } catch (Mqtt\Exception\InvalidTopicException $exception) {
        echo $exception->getMessage(), "\n";
    }
}
$made = new Mqtt\Message('a', 'b');
$made->ack();
echo "$made->topic $made {$made->qos->name}\n";
?>
--EXPECT--
re: hello 0102
the message names no response topic
a b AtMostOnce
