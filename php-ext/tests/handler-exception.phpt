--TEST--
An exception of a handler comes out as the same object, and what is behind it stays queued
--FILE--
<?php
require __DIR__ . '/support.inc';
$broker = new Broker();
$client = new Mqtt\Client($broker->uri());
$topic = fresh_topic();
$mine = new DomainException('mine', 42);
$client->subscribe($topic, function ($message) use ($mine) {
    echo "handler $message->payload\n";
    if ($message->payload === '2') {
        throw $mine;
    }
})->wait(30);
foreach (['1', '2', '3'] as $payload) {
    $client->publish($topic, $payload)->wait(30);
}
eventually(fn() => $client->status()->received === 3, 'three messages');
foreach (['run', 'poll'] as $how) {
    try {
        echo $how === 'run' ? $client->run(30) : $client->poll(), " handled\n";
    } catch (DomainException $thrown) {
        echo $thrown === $mine ? 'the same' : 'another', ' ', $thrown->getMessage(), ' ', $thrown->getCode(), "\n";
    }
}
?>
--EXPECT--
handler 1
handler 2
the same mine 42
handler 3
1 handled
