--TEST--
FPM: what a request did not wait for leaves after it, and the connection is kept alive between requests
--FILE--
<?php
require __DIR__ . '/fpm.inc';
// The server writes down the packets it gets: CONNECT, PUBLISH, PINGREQ.
$log = scratch_directory() . '/packets.txt';
touch($log);
$port = scripted_server(function ($connection) use ($log) {
    while ($packet = read_packet($connection)) {
        file_put_contents($log, ($packet[0] >> 4) . ' ', FILE_APPEND);
        fwrite($connection, match ($packet[0] >> 4) {
            1 => "\x20\x03\x00\x00\x00",
            3 => "\x40\x02" . substr($packet[1], 3, 2),
            12 => "\xD0\x00",
            default => '',
        });
    }
});
$fpm = new Fpm();
$uri = "mqtt://127.0.0.1:$port?protocol=5&keepAlive=1";
// The request does not even wait for the connection.
echo $fpm->request($fpm->script("Mqtt\\Client::persistent('$uri')->publish('a', 'x'); echo 'sent';")), "\n";
// No request runs meanwhile.
eventually(fn() => str_contains(file_get_contents($log), '12 12'), 'two PINGREQ');
echo substr(file_get_contents($log), 0, 9), "\n";
echo $fpm->request($fpm->script("\$status = Mqtt\\Client::persistent('$uri')->status(); echo \$status->state->value, ' ', \$status->connections, ' ', \$status->acknowledged;")), "\n";
?>
--EXPECT--
sent
1 3 12 12
connected 1 1
