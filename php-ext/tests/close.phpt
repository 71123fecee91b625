--TEST--
close() says whether everything was acknowledged; afterwards the client is closed, and its deliveries have their outcome
--FILE--
<?php
require __DIR__ . '/support.inc';
use Mqtt\Client;
$broker = new Broker();
$client = new Client($broker->uri());
$deliveries = [];
for ($i = 0; $i < 500; $i++) {
    $deliveries[] = $client->publish('close/nobody', 'x');
}
var_dump($client->close(30));
echo count(array_filter($deliveries, fn($delivery) => $delivery->state()->value === 'done')), " done, {$client->state()->value}\n";
foreach ([fn() => $client->publish('a', 'b'), fn() => $client->poll(), fn() => $client->connect(30), fn() => $client->subscribe('a'), fn() => $client->flush()] as $use) {
    try {
        $use();
        echo "nothing thrown\n";
    } catch (Mqtt\Exception\ClosedException $exception) {
        echo $exception->getMessage(), "\n";
    }
}
var_dump($client->close());
$lost = new Client('mqtt://127.0.0.1:' . free_port());
$delivery = $lost->publish('a', 'b');
var_dump($lost->close(0.2));
eventually(fn() => $delivery->isDone(), 'the outcome');
echo $delivery->state()->value, ' ', $delivery->reasonString(), "\n";
var_dump((new Client($broker->uri()))->close());
?>
--EXPECT--
bool(true)
500 done, closed
the client was closed
the client was closed
the client was closed
the client was closed
the client was closed
bool(true)
bool(false)
failed the client was closed before the message was delivered
bool(true)
