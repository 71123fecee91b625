--TEST--
FPM: mqtt.flush_on_request_end_ms holds the request until messages are acknowledged, and no longer than it says
--FILE--
<?php
require __DIR__ . '/fpm.inc';
// A broker that takes its time to acknowledge, and notes that it did.
$log = scratch_directory() . '/acknowledged.txt';
$port = scripted_server(function ($connection) use ($log) {
    read_packet($connection);
    fwrite($connection, "\x20\x03\x00\x00\x00");
    while ($packet = read_packet($connection)) {
        if ($packet[0] >> 4 === 3) {
            usleep(300000);
            file_put_contents($log, 'acknowledged');
            fwrite($connection, "\x40\x02" . substr($packet[1], 3, 2));
        }
    }
});
$fpm = new Fpm(settings: ['mqtt.flush_on_request_end_ms' => 60000]);
$output = $fpm->request($fpm->script("Mqtt\\Client::persistent('mqtt://127.0.0.1:$port?protocol=5')->publish('a', 'b'); echo 'published';"));
echo $output, ' ', @file_get_contents($log), "\n";
// Where nothing can be acknowledged, the bound is all that ends it.
$fpm = new Fpm(settings: ['mqtt.flush_on_request_end_ms' => 300]);
$start = microtime(true);
$output = $fpm->request($fpm->script("Mqtt\\Client::persistent('mqtt://127.0.0.1:" . free_port() . "')->publish('a', 'b'); echo 'published';"));
echo $output, ' ', took($start, 0.3), "\n";
?>
--EXPECT--
published acknowledged
published after 0.3 s
