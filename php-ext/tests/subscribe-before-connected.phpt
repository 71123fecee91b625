--TEST--
A subscription made before the connection is up is sent once
--FILE--
<?php
require __DIR__ . '/support.inc';
$log = scratch_directory() . '/packets.txt';
touch($log);
$gate = new Gate();
$port = scripted_server(function ($connection) use ($log, $gate) {
    read_packet($connection);
    $gate->pass();
    fwrite($connection, "\x20\x03\x00\x00\x00");
    while ($packet = read_packet($connection)) {
        file_put_contents($log, dechex($packet[0]) . ' ', FILE_APPEND);
        if ($packet[0] >> 4 === 8) {
            fwrite($connection, "\x90\x04" . substr($packet[1], 0, 2) . "\x00\x01");
        } elseif ($packet[0] >> 4 === 3) {
            fwrite($connection, "\x40\x02" . substr($packet[1], 3, 2));
        }
    }
});
$client = new Mqtt\Client("mqtt://127.0.0.1:$port?protocol=5");
$subscription = $client->subscribe('t');
$gate->open();
$subscription->wait(30);
$client->publish('a', 'x')->wait(30);
echo file_get_contents($log), "\n";
?>
--EXPECT--
82 32 
