--TEST--
Refused credentials: an AuthException with the reason code at once, no further attempt, and publish() says so as well
--FILE--
<?php
require __DIR__ . '/support.inc';
$port = scripted_server(function ($connection) {
    read_packet($connection);
    // Time for the first publish() to get into the queue.
    usleep(100000);
    fwrite($connection, "\x20\x03\x00\x86\x00");
});
$client = new Mqtt\Client("mqtt://user:wrong@127.0.0.1:$port");
$delivery = $client->publish('a', 'b');
$start = microtime(true);
foreach ([fn() => $client->connect(10), fn() => $client->publish('a', 'c'), fn() => $client->run(5)] as $use) {
    try {
        $use();
        echo "nothing thrown\n";
    } catch (Mqtt\Exception\AuthException $exception) {
        echo $exception->reasonCode, ' ', str_replace((string) $port, 'PORT', $exception->getMessage()), "\n";
    }
}
try {
    $delivery->wait();
} catch (Mqtt\Exception\PublishException $exception) {
    echo $exception->getMessage(), "\n";
}
echo $client->state()->value, ' ', $delivery->state()->value, ' ', microtime(true) - $start < 3 ? 'at once' : 'late', "\n";
?>
--EXPECTF--
134 127.0.0.1:PORT%A refused the client: 0x86 Bad User Name or Password
134 127.0.0.1:PORT%A refused the client: 0x86 Bad User Name or Password
134 127.0.0.1:PORT%A refused the client: 0x86 Bad User Name or Password
the client was closed before the message was delivered
closed failed at once
