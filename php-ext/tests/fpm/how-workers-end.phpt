--TEST--
FPM: what the broker sees when workers end: DISCONNECT where PHP may end in good order, a lost connection where it is killed
--FILE--
<?php
require __DIR__ . '/fpm.inc';
// The server writes down the packets it gets after CONNECT, and acknowledges what is not called "held".
$log = scratch_directory() . '/packets.txt';
$port = scripted_server(function ($connection) use ($log) {
    $note = fn(string $what) => file_put_contents($log, $what, FILE_APPEND);
    read_packet($connection);
    fwrite($connection, "\x20\x03\x00\x00\x00");
    while ($packet = read_packet($connection)) {
        $note(match ($packet[0] >> 4) { 3 => 'PUBLISH ', 14 => 'DISCONNECT ', default => $packet[0] >> 4 . ' ' });
        if ($packet[0] >> 4 === 3 && !str_ends_with($packet[1], 'held')) {
            fwrite($connection, "\x40\x02" . substr($packet[1], 3, 2));
        }
    }
    $note('end');
});
$show = function (string $how, string $payload, ?int $signal, array $global = [], array $pool = []) use ($log, $port) {
    file_put_contents($log, '');
    $fpm = new Fpm(settings: ['mqtt.shutdown_timeout_ms' => 60000], global: $global + ['process_control_timeout' => 60], pool: $pool);
    $publish = "Mqtt\\Client::persistent('mqtt://127.0.0.1:$port?protocol=5')->publish('a', '$payload')";
    $fpm->request($fpm->script($payload === 'held' ? "$publish;" : "{$publish}->wait(30);"));
    eventually(fn() => str_contains(file_get_contents($log), 'PUBLISH'), 'the message');
    if ($signal !== null) {
        $fpm->signal($signal);
    }
    eventually(fn() => str_contains(file_get_contents($log), 'end'), "the end of the worker: $how");
    echo str_pad("$how:", 40), file_get_contents($log), "\n";
    return $fpm;
};
// In good order.
$show('QUIT, process_control_timeout 60', 'x', SIGQUIT);
$fpm = $show('USR2, process_control_timeout 60', 'x', SIGUSR2);
file_put_contents($log, '');
$fpm->request($fpm->script("Mqtt\\Client::persistent('mqtt://127.0.0.1:$port?protocol=5')->publish('a', 'x')->wait(30);"));
echo str_pad('  the reloaded one:', 40), file_get_contents($log), "\n";
$fpm->signal(SIGQUIT);
eventually(fn() => str_contains(file_get_contents($log), 'end'), 'the end of the reloaded one');
$show('pm.max_requests', 'x', null, pool: ['pm.max_requests' => 1]);
$show('ondemand, idle', 'x', null, pool: ['pm' => 'ondemand', 'pm.process_idle_timeout' => '1s']);
// Killed: a worker that still waits for an acknowledgement does not get to say goodbye.
$show('QUIT, process_control_timeout 0', 'held', SIGQUIT, ['process_control_timeout' => 0]);
$show('USR2, process_control_timeout 0', 'held', SIGUSR2, ['process_control_timeout' => 0]);
$show('TERM, process_control_timeout 0', 'held', SIGTERM, ['process_control_timeout' => 0]);
$show('TERM, process_control_timeout 60', 'held', SIGTERM);
?>
--EXPECT--
QUIT, process_control_timeout 60:       PUBLISH DISCONNECT end
USR2, process_control_timeout 60:       PUBLISH DISCONNECT end
  the reloaded one:                     PUBLISH 
pm.max_requests:                        PUBLISH DISCONNECT end
ondemand, idle:                         PUBLISH DISCONNECT end
QUIT, process_control_timeout 0:        PUBLISH end
USR2, process_control_timeout 0:        PUBLISH end
TERM, process_control_timeout 0:        PUBLISH end
TERM, process_control_timeout 60:       PUBLISH end
