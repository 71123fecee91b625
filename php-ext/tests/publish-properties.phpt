--TEST--
Properties, retain and the facts of a received message
--FILE--
<?php
require __DIR__ . '/support.inc';
use Mqtt\{Client, Properties, Qos};
$broker = new Broker();
$client = new Client($broker->uri());
$topic = fresh_topic();
$sent = new Properties(messageExpiry: 600, contentType: 'text/plain', payloadFormatUtf8: true, responseTopic: 'answer/here', correlationData: "\0\xFF", user: [['a', '1'], ['a', '2']]);
$client->publish($topic, 'x', Qos::AtLeastOnce, true, $sent)->wait(30);
$client->subscribe($topic)->wait(30);
foreach ($client->consume(30, 1) as $message) {
    $got = $message->properties;
    echo $message->topic === $topic ? 'topic ' : 'other ', json_encode([$message->retain, $message->dup, $message->qos]), "\n";
    echo json_encode([$got->messageExpiry <= 600 && $got->messageExpiry > 500, $got->contentType, $got->payloadFormatUtf8, $got->responseTopic, bin2hex($got->correlationData), $got->user]), "\n";
    echo abs($message->receivedAt - microtime(true)) < 5 ? "now\n" : "$message->receivedAt\n";
}
// Without properties there is no object.
$client->publish($topic, 'y', retain: false)->wait(30);
foreach ($client->consume(30, 1) as $message) {
    var_dump($message->properties, $message->retain);
}
?>
--EXPECT--
topic [true,false,1]
[true,"text\/plain",true,"answer\/here","00ff",[["a","1"],["a","2"]]]
now
NULL
bool(false)
