--TEST--
Deliveries, batches, results and iterators cannot be made by PHP code other than as fakes, nor copied or stored
--FILE--
<?php
foreach (['Delivery', 'Batch', 'Subscription', 'MessageIterator', 'Connack', 'Status', 'BatchResult'] as $name) {
    try {
        new ("Mqtt\\$name")();
    } catch (Error $error) {
        echo $error->getMessage(), "\n";
    }
}
$client = new Mqtt\Client('mqtt://127.0.0.1');
foreach ([fn() => clone $client, fn() => serialize($client), fn() => $client->__construct('mqtt://127.0.0.1'), fn() => $client->x = 1,
    fn() => new class extends Mqtt\Exception\ClosedException {}] as $try) {
    try {
        $try();
        echo "fine\n";
    } catch (Throwable $error) {
        echo get_class($error), ': ', $error->getMessage(), "\n";
    }
}
?>
--EXPECT--
Call to private Mqtt\Delivery::__construct() from global scope
Call to private Mqtt\Batch::__construct() from global scope
Call to private Mqtt\Subscription::__construct() from global scope
Call to private Mqtt\MessageIterator::__construct() from global scope
Call to private Mqtt\Connack::__construct() from global scope
Call to private Mqtt\Status::__construct() from global scope
Call to private Mqtt\BatchResult::__construct() from global scope
Error: Trying to clone an uncloneable object of class Mqtt\Client
Exception: Serialization of 'Mqtt\Client' is not allowed
Mqtt\Exception\ClosedException: the client was constructed already
Error: Cannot create dynamic property Mqtt\Client::$x
fine
