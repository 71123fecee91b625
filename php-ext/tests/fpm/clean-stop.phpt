--TEST--
FPM: a graceful stop ends the connections with DISCONNECT, after what was published has left
--FILE--
<?php
require __DIR__ . '/fpm.inc';
// The server writes down the types of the packets it gets, and acknowledges when the test lets it.
$gate = new Gate();
$log = scratch_directory() . '/packets.txt';
touch($log);
$port = scripted_server(function ($connection) use ($log, $gate) {
    $note = fn(string $what) => file_put_contents($log, $what, FILE_APPEND);
    read_packet($connection);
    fwrite($connection, "\x20\x03\x00\x00\x00");
    while ($packet = read_packet($connection)) {
        $note(($packet[0] >> 4) . ' ');
        if ($packet[0] >> 4 === 3) {
            $gate->pass();
            $note('acknowledged ');
            fwrite($connection, "\x40\x02" . substr($packet[1], 3, 2));
        }
    }
    $note("end\n");
});
$fpm = new Fpm(settings: ['mqtt.shutdown_timeout_ms' => 60000], global: ['process_control_timeout' => 60]);
$fpm->request($fpm->script("Mqtt\\Client::persistent('mqtt://127.0.0.1:$port?protocol=5')->connect(30);"));
// Answered while nothing acknowledges: the request does not wait.
echo $fpm->request($fpm->script("Mqtt\\Client::persistent('mqtt://127.0.0.1:$port?protocol=5')->publish('a', 'b'); echo 'answered';")), "\n";
eventually(fn() => str_contains(file_get_contents($log), '3'), 'the message');
$fpm->signal(SIGQUIT);
$gate->open();
eventually(fn() => str_contains(file_get_contents($log), 'end'), 'the end');
eventually(fn() => !$fpm->isRunning(), 'php-fpm ended');
// PUBLISH, its PUBACK, DISCONNECT, end of stream.
echo file_get_contents($log);
?>
--EXPECT--
answered
3 acknowledged 14 end
