--TEST--
resubscribe: where the broker lost the session, subscriptions come back by themselves, or are left to the application
--FILE--
<?php
require __DIR__ . '/support.inc';
use Mqtt\{Client, Options, Protocol, Qos};
// Each connection is cut by the first message of QoS 0; no session is kept. The types of the packets that come are written down.
$log = scratch_directory() . '/packets.txt';
touch($log);
$port = scripted_server(function ($connection) use ($log) {
    while ($packet = read_packet($connection)) {
        file_put_contents($log, $packet[0] >> 4 . ' ', FILE_APPEND);
        match ($packet[0] >> 4) {
            1 => fwrite($connection, "\x20\x03\x00\x00\x00"),
            3 => fwrite($connection, "\x40\x02" . substr($packet[1], 3, 2)),
            8 => fwrite($connection, "\x90\x04" . substr($packet[1], 0, 2) . "\x00\x01"),
            default => null,
        };
        if ($packet[0] === 0x30) {
            break;
        }
    }
    fclose($connection);
});
$options = new Options(port: $port, protocol: Protocol::V5, reconnectMin: 0.01, reconnectMax: 0.01);
var_dump($options->resubscribe);
foreach ([$options, $options->with(resubscribe: false), Options::fromUri("mqtt://127.0.0.1:$port?protocol=5&reconnectMin=0.01&reconnectMax=0.01&resubscribe=0")] as $options) {
    file_put_contents($log, '');
    $client = new Client($options);
    $client->subscribe('t')->wait(30);
    $client->publish('a', 'b', Qos::AtMostOnce);
    eventually(fn() => $client->status()->connections === 2, 'the second connection');
    // What comes back by itself stands in front of this.
    $client->publish('a', 'b', Qos::AtLeastOnce)->wait(30);
    $client->subscribe('t')->wait(30);
    $client->close(30);
    eventually(fn() => str_ends_with(file_get_contents($log), ' 14 '), 'the end');
    echo trim(file_get_contents($log)), "\n";
}
?>
--EXPECT--
bool(true)
1 8 3 1 8 3 8 14
1 8 3 1 3 8 14
1 8 3 1 3 8 14
