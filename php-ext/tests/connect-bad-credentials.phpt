--TEST--
Refused credentials: an AuthException with the reason code from whatever waits, no further attempt, and publish() says so as well
--FILE--
<?php
require __DIR__ . '/support.inc';
$gate = new Gate();
$attempts = scratch_directory() . '/attempts.txt';
$port = scripted_server(function ($connection) use ($gate, $attempts) {
    read_packet($connection);
    file_put_contents($attempts, 'x', FILE_APPEND);
    $gate->pass();
    fwrite($connection, "\x20\x03\x00\x86\x00");
});
$client = new Mqtt\Client("mqtt://user:wrong@127.0.0.1:$port");
$delivery = $client->publish('a', 'b');
$gate->open();
// Closed is for good: nothing is tried any more, and so nothing has to be waited for.
foreach ([fn() => $client->connect(300), fn() => $client->publish('a', 'c'), fn() => $client->run()] as $use) {
    try {
        $use();
        echo "nothing thrown\n";
    } catch (Mqtt\Exception\AuthException $exception) {
        echo $exception->reasonCode, ' ', str_replace((string) $port, 'PORT', $exception->getMessage()), "\n";
    }
}
try {
    $delivery->wait(300);
} catch (Mqtt\Exception\PublishException $exception) {
    echo $exception->getMessage(), "\n";
}
echo $client->state()->value, ' ', $delivery->state()->value, ' attempts: ', strlen(file_get_contents($attempts)), "\n";
?>
--EXPECTF--
134 127.0.0.1:PORT%A refused the client: 0x86 Bad User Name or Password
134 127.0.0.1:PORT%A refused the client: 0x86 Bad User Name or Password
134 127.0.0.1:PORT%A refused the client: 0x86 Bad User Name or Password
the client was closed before the message was delivered
closed failed attempts: 1
