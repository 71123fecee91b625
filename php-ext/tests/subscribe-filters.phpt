--TEST--
subscribe(): a filter, a list, a map to Qos; bad ones are refused at the call; refusals of the broker by wait()
--FILE--
<?php
require __DIR__ . '/support.inc';
use Mqtt\{Client, Qos, RetainHandling};
$broker = new Broker();
$client = new Client($broker->uri());
foreach (['a/b', ['a/b', 'c/#'], ['a' => Qos::AtMostOnce, 'b' => Qos::ExactlyOnce, '7' => Qos::AtLeastOnce]] as $filters) {
    $subscription = $client->subscribe($filters, retainHandling: RetainHandling::DontSend, retainAsPublished: true)->wait(30);
    echo json_encode($subscription->filters()), ' ', json_encode((object) $subscription->reasonCodes()), "\n";
}
foreach (['', 'a/#/b', 'a+', "a\0", "\xFF", '$share/a', '$share//a', ['ok', 'b#']] as $filters) {
    try {
        $client->subscribe($filters);
        echo "nothing thrown\n";
    } catch (Mqtt\Exception\InvalidTopicException $exception) {
        echo 'refused: ', substr($exception->getMessage(), 0, 24), "\n";
    }
}
// SUBACK: granted 1. Not every broker has shared subscriptions.
$port = scripted_server(function ($connection) {
    read_packet($connection);
    fwrite($connection, "\x20\x03\x00\x00\x00");
    fwrite($connection, "\x90\x04" . substr(read_packet($connection)[1], 0, 2) . "\x00\x01");
    read_packet($connection);
});
echo json_encode((new Client("mqtt://127.0.0.1:$port?protocol=5"))->subscribe('$share/group/x/+')->wait(30)->reasonCodes()), "\n";
// SUBACK: granted 1, 0x87 Not authorized.
$port = scripted_server(function ($connection) {
    read_packet($connection);
    fwrite($connection, "\x20\x03\x00\x00\x00");
    $id = substr(read_packet($connection)[1], 0, 2);
    fwrite($connection, "\x90\x05$id\x00\x01\x87");
    read_packet($connection);
});
$subscription = (new Client("mqtt://127.0.0.1:$port?protocol=5"))->subscribe(['yes', 'no']);
try {
    $subscription->wait(30);
} catch (Mqtt\Exception\SubscribeException $exception) {
    echo $exception->getMessage(), ' ', $exception->reasonCode, ' ', json_encode($subscription->reasonCodes()), "\n";
}
?>
--EXPECTF--
["a\/b"] {"a\/b":1}
["a\/b","c\/#"] {"a\/b":1,"c\/#":1}
["a","b","7"] {"a":0,"b":2,"7":1}
refused: topic filter ""%S
refused: topic filter "a/#/b"%S
refused: topic filter "a+"%S
refused: topic filter "a\0"%S
refused: the topic filter is not 
refused: topic filter "$share/a"%S
refused: topic filter "$share//a"%S
refused: topic filter "b#"%S
{"$share\/group\/x\/+":1}
the broker refused the topic filter "no": 0x87 Not authorized 135 {"yes":1,"no":135}
