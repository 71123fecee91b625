--TEST--
AckMode::AfterHandler in a loop over consume(): going on and break acknowledge; an exception, exit and a fatal error refuse
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
            fwrite($connection, "\x90\x04" . substr($packet[1], 0, 2) . "\x00\x01");
            foreach ([1, 2] as $number) {
                fwrite($connection, "\x32\x07\x00\x01t\x00" . chr($number) . "\x00p");
            }
        } elseif ($packet[0] >> 4 === 4) {
            file_put_contents($log, bin2hex($packet[1]) . ' ', FILE_APPEND);
        } elseif ($packet[0] >> 4 === 14) {
            file_put_contents($log, 'end', FILE_APPEND);
        }
    }
});
// A message that was never taken is not answered: the broker has it still.
foreach ([
    'go on, break' => 'if ($i === 1) break;',
    'limit' => '',
    'exception' => 'throw new Exception("no");',
    'exit' => 'exit;',
    'fatal' => 'trigger_error("fatal", E_USER_ERROR);',
] as $name => $body) {
    file_put_contents($log, '');
    run_php("
        \$client = new Mqtt\\Client('mqtt://127.0.0.1:$port?protocol=5');
        \$client->subscribe('t', ack: Mqtt\\AckMode::AfterHandler)->wait(30);
        while (\$client->status()->received < 2) usleep(1000);
        foreach (\$client->consume(30, 2) as \$i => \$message) { $body }
        \$client->close(30);");
    eventually(fn() => str_contains(file_get_contents($log), 'end'), "the end of $name");
    echo "$name: ", file_get_contents($log), "\n";
}
?>
--EXPECT--
go on, break: 0001 0002 end
limit: 0001 0002 end
exception: 000180 end
exit: 000180 end
fatal: 000180 end
