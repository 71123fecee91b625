--TEST--
Settings: connect timeout, queue bounds and the prefix of client ids come from php.ini where options say nothing
--INI--
mqtt.connect_timeout=0.3
mqtt.queue_max_messages=1
mqtt.client_id_prefix=shop-
--FILE--
<?php
require __DIR__ . '/support.inc';
use Mqtt\{Client, Options};
$silent = scripted_server(fn($connection) => sleep(300));
$client = new Client("mqtt://127.0.0.1:$silent");
try {
    $client->connect(30);
} catch (Mqtt\Exception\ConnectionException $exception) {
    echo preg_match('/within (\S+):/', $exception->getMessage(), $found) ? $found[1] : $exception->getMessage(), "\n";
}
$client->publish('a', '1');
try {
    $client->publish('a', '2');
} catch (Mqtt\Exception\QueueFullException) {
    echo "full\n";
}
(new Client(new Options('127.0.0.1', $silent, queueMaxMessages: 2)))->publish('a', '1');
$broker = new Broker();
echo substr((new Client($broker->uri()))->connect(30)->clientId, 0, 5), "\n";
ini_set('mqtt.queue_max_messages', '0');
try {
    new Client($broker->uri());
} catch (Mqtt\Exception\InvalidOptionException $exception) {
    echo $exception->getMessage(), "\n";
}
?>
--EXPECT--
300ms
full
shop-
mqtt.queue_max_messages must be 1 or more, 0 given
