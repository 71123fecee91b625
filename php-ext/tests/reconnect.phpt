--TEST--
The broker is killed and comes back: the client returns by itself, subscribes anew, and every publish has its outcome
--FILE--
<?php
require __DIR__ . '/support.inc';
use Mqtt\{Client, Options};
$broker = new Broker();
$client = new Client(new Options('127.0.0.1', $broker->port, reconnectMin: 0.05, reconnectMax: 0.2));
$topic = fresh_topic();
$client->subscribe($topic)->wait(30);
$before = $client->publish($topic, 'before')->wait(30);
$broker->stop(9);
$meanwhile = $client->publish($topic, 'meanwhile');
eventually(fn() => $client->state()->value !== 'connected', 'the loss is seen');
echo $meanwhile->state()->value === 'done' ? 'done without a broker' : 'pending', "\n";
$broker->start();
echo $meanwhile->wait(30)->state()->value, ' ', $client->status()->connections, "\n";
$client->publish($topic, 'after')->wait(30);
$received = [];
foreach ($client->consume(30) as $message) {
    $received[] = $message->payload;
    if ($message->payload === 'after') {
        break;
    }
}
echo implode(' ', array_diff($received, ['meanwhile'])), "\n";
?>
--EXPECT--
pending
done 2
before after
