--TEST--
A Client Identifier that is used twice: the first client is told by 0x8E and ends, so that the two do not take turns for ever
--FILE--
<?php
require __DIR__ . '/support.inc';
use Mqtt\{Client, Options, State};
$broker = new Broker();
$options = new Options(port: $broker->port, clientId: 'the-same');
$first = new Client($options);
$first->connect(30);
$second = new Client($options);
$second->connect(30);
eventually(fn() => $first->state() === State::Closed, 'the first one ends');
try {
    $first->publish('a', 'b');
} catch (Mqtt\Exception\ConnectionException $exception) {
    echo get_class($exception), ' ', dechex($exception->reasonCode), "\n";
}
echo $second->publish('a', 'b')->wait(30)->state()->value, ', ', $second->status()->connections, " connection\n";
?>
--EXPECT--
Mqtt\Exception\ConnectionException 8e
done, 1 connection
