--TEST--
FPM: mqtt.flush_on_request_end_ms holds the request until messages are acknowledged, and no longer than it says
--FILE--
<?php
require __DIR__ . '/fpm.inc';
// A broker that takes 300 ms to acknowledge.
$port = scripted_server(function ($connection) {
    read_packet($connection);
    fwrite($connection, "\x20\x03\x00\x00\x00");
    while ($packet = read_packet($connection)) {
        if ($packet[0] >> 4 === 3) {
            usleep(300000);
            fwrite($connection, "\x40\x02" . substr($packet[1], 3, 2));
        }
    }
});
$dead = free_port();
$fpm = new Fpm(settings: ['mqtt.flush_on_request_end_ms' => 2000]);
$time = function (string $code) use ($fpm) {
    $start = microtime(true);
    $output = $fpm->request($fpm->script($code));
    return [$output, microtime(true) - $start];
};
[$output, $took] = $time("Mqtt\\Client::persistent('mqtt://127.0.0.1:$port?protocol=5')->publish('a', 'b'); echo 'published';");
echo $output, ' ', $took >= 0.28 && $took < 1.8 ? 'acknowledged' : "took $took", "\n";
[$output, $took] = $time("Mqtt\\Client::persistent('mqtt://127.0.0.1:$dead')->publish('a', 'b'); echo 'published';");
echo $output, ' ', $took >= 1.9 && $took < 5 ? 'bounded' : "took $took", "\n";
?>
--EXPECT--
published acknowledged
published bounded
