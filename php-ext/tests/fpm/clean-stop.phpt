--TEST--
FPM: a graceful stop ends the connections with DISCONNECT, after what was published has left
--FILE--
<?php
require __DIR__ . '/fpm.inc';
// The server writes down the types of the packets it gets, and holds its acknowledgements back for a second.
$log = scratch_directory() . '/packets.txt';
touch($log);
$port = scripted_server(function ($connection) use ($log) {
    read_packet($connection);
    fwrite($connection, "\x20\x03\x00\x00\x00");
    while ($packet = read_packet($connection)) {
        file_put_contents($log, ($packet[0] >> 4) . ' ', FILE_APPEND);
        if ($packet[0] >> 4 === 3) {
            usleep(1000000);
            fwrite($connection, "\x40\x02" . substr($packet[1], 3, 2));
        }
    }
    file_put_contents($log, "end\n", FILE_APPEND);
});
$fpm = new Fpm();
$fpm->request($fpm->script("Mqtt\\Client::persistent('mqtt://127.0.0.1:$port?protocol=5')->connect();"));
$start = microtime(true);
$fpm->request($fpm->script("Mqtt\\Client::persistent('mqtt://127.0.0.1:$port?protocol=5')->publish('a', 'b');"));
echo microtime(true) - $start < 0.8 ? "the request did not wait\n" : "slow request\n";
$start = microtime(true);
$fpm->stop(SIGQUIT);
echo microtime(true) - $start < 5 ? "stopped in time\n" : "late\n";
eventually(fn() => str_contains(file_get_contents($log), 'end'), 'the end');
// PUBLISH, DISCONNECT, end of stream.
echo file_get_contents($log);
?>
--EXPECT--
the request did not wait
stopped in time
3 14 end
