--TEST--
An exception of a handler ends consume() and comes out of foreach; a new consume() goes on behind it
--FILE--
<?php
require __DIR__ . '/support.inc';
$broker = new Broker();
$client = new Mqtt\Client($broker->uri());
[$handled, $plain] = [fresh_topic(), fresh_topic()];
$client->subscribe($handled, fn() => throw new DomainException('mine'))->wait(30);
$client->subscribe($plain)->wait(30);
foreach ([[$plain, 'a'], [$handled, 'x'], [$plain, 'b']] as [$topic, $payload]) {
    $client->publish($topic, $payload)->wait(30);
}
eventually(fn() => $client->status()->received === 3, 'three messages');
$messages = $client->consume(30);
try {
    foreach ($messages as $message) {
        echo "$message->payload\n";
    }
} catch (DomainException $thrown) {
    echo get_class($thrown), "\n";
}
var_dump($messages->valid());
foreach ($client->consume(30, 1) as $message) {
    echo "$message->payload\n";
}
?>
--EXPECT--
a
DomainException
bool(false)
b
