--TEST--
Client::persistent() gives a new connection where the old one has ended for good, also in a request that never ends
--FILE--
<?php
require __DIR__ . '/support.inc';
use Mqtt\{Client, State};
$broker = new Broker();
$uri = $broker->uri() . '?clientId=worker';
$client = Client::persistent($uri);
$client->connect(30);
// A second client with this identifier takes the session over, which ends the first for good.
(new Client($uri))->connect(30);
eventually(fn() => $client->state() === State::Closed, 'the client is closed');
foreach ([fn() => $client->publish('a', 'b'), fn() => $client->publishMany([['a', 'b']])] as $publish) {
    try {
        $publish();
    } catch (Mqtt\Exception\ConnectionException $exception) {
        echo $exception->reasonCode, "\n";
    }
}
$next = Client::persistent($uri);
echo $next === $client ? 'the same' : 'a new one', ' ', $next->publish('a', 'b')->wait(30)->state()->value, "\n";
echo Client::persistent($uri) === $next ? 'the same' : 'a new one', "\n";
?>
--EXPECT--
142
142
a new one done
the same
