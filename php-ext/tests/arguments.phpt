--TEST--
Wrong arguments get PHP's own errors; numbers and Stringable become strings as everywhere
--FILE--
<?php
use Mqtt\{Client, Qos};
$client = new Client('mqtt://127.0.0.1:1');
foreach ([
    fn() => new Client(),
    fn() => new Client(5),
    fn() => new Client(new stdClass()),
    fn() => Client::persistent([]),
    fn() => $client->publish('a'),
    fn() => $client->publish('a', []),
    fn() => $client->publish('a', 'b', 1),
    fn() => $client->publish('a', 'b', Qos::AtMostOnce, false, 'p'),
    fn() => $client->publishMany('x'),
    fn() => $client->publishMany([['a']]),
    fn() => $client->publishMany([5]),
    fn() => $client->publishMany([['a', []]]),
    fn() => $client->subscribe(5.5 <=> 1 ? new stdClass() : ''),
    fn() => $client->subscribe([]),
    fn() => $client->subscribe([5]),
    fn() => $client->subscribe('a', 'no such function'),
    fn() => $client->connect(-1),
    fn() => $client->flush(NAN),
    fn() => $client->run('soon'),
    fn() => $client->run(limit: -1),
    fn() => $client->consume(-0.5),
] as $i => $wrong) {
    try {
        $wrong();
        echo "$i: nothing thrown\n";
    } catch (Error $error) {
        echo $i, ' ', get_class($error), ': ', $error->getMessage(), "\n";
    }
}
$text = new class { public function __toString(): string { return 'seven'; } };
foreach ([7, 7.5, true, $text] as $payload) {
    echo get_class($client->publish('a', $payload)), "\n";
}
?>
--EXPECTF--
0 ArgumentCountError: Mqtt\Client::__construct() expects exactly 1 argument, 0 given
1 TypeError: Mqtt\Client::__construct(): Argument #1 ($broker) must be of type Mqtt\Options|string, int given
2 TypeError: Mqtt\Client::__construct(): Argument #1 ($broker) must be of type Mqtt\Options|string, stdClass given
3 TypeError: Mqtt\Client::persistent(): Argument #1 ($broker) must be of type Mqtt\Options|string, array given
4 ArgumentCountError: Mqtt\Client::publish() expects at least 2 arguments, 1 given
5 TypeError: Mqtt\Client::publish(): Argument #2 ($payload) must be of type string, array given
6 TypeError: Mqtt\Client::publish(): Argument #3 ($qos) must be of type ?Mqtt\Qos, int given
7 TypeError: Mqtt\Client::publish(): Argument #5 ($properties) must be of type ?Mqtt\Properties, string given
8 TypeError: Mqtt\Client::publishMany(): Argument #1 ($messages) must be of type Traversable|array, string given
9 TypeError: Mqtt\Client::publishMany(): each message must be of type Mqtt\Outgoing or array{string, string}
10 TypeError: Mqtt\Client::publishMany(): each message must be of type Mqtt\Outgoing or array{string, string}
11 TypeError: Mqtt\Client::publishMany(): each message must be of type Mqtt\Outgoing or array{string, string}
12 TypeError: Mqtt\Client::subscribe(): Argument #1 ($filters) must be of type array|string, stdClass given
13 ValueError: Mqtt\Client::subscribe(): Argument #1 ($filters) must not be empty
14 TypeError: $filters must be a string, a list of strings, or a map from string to Mqtt\Qos
15 TypeError: Mqtt\Client::subscribe(): Argument #2 ($handler) must be a valid callback or null, function "no such function" not found or invalid function name
16 ValueError: Mqtt\Client::connect(): Argument #1 ($timeout) must be zero or more seconds
17 ValueError: Mqtt\Client::flush(): Argument #1 ($timeout) must be zero or more seconds
18 TypeError: Mqtt\Client::run(): Argument #1 ($timeout) must be of type ?float, string given
19 ValueError: Mqtt\Client::run(): Argument #2 ($limit) must not be negative
20 ValueError: Mqtt\Client::consume(): Argument #1 ($timeout) must be zero or more seconds
Mqtt\Delivery
Mqtt\Delivery
Mqtt\Delivery
Mqtt\Delivery
