--TEST--
AckMode::OnReceive, the default: acknowledged although the handler throws
--FILE--
<?php
require __DIR__ . '/support.inc';
$log = scratch_directory() . '/acks.txt';
touch($log);
$port = scripted_server(function ($connection) use ($log) {
    read_packet($connection);
    fwrite($connection, "\x20\x03\x00\x00\x00");
    while ($packet = read_packet($connection)) {
        if ($packet[0] >> 4 === 8) {
            fwrite($connection, "\x90\x04" . substr($packet[1], 0, 2) . "\x00\x01" . "\x32\x07\x00\x01t\x00\x01\x00p");
        } elseif ($packet[0] >> 4 === 4) {
            file_put_contents($log, bin2hex($packet[1]) . "\n", FILE_APPEND);
        }
    }
});
$client = new Mqtt\Client("mqtt://127.0.0.1:$port?protocol=5");
$client->subscribe('t', fn() => throw new DomainException('no'))->wait(30);
try {
    $client->run(30);
} catch (DomainException) {
    echo "thrown\n";
}
eventually(fn() => file_get_contents($log) === "0001\n", 'the acknowledgement');
echo "acknowledged\n";
?>
--EXPECT--
thrown
acknowledged
