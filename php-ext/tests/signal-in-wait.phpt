--TEST--
A SIGTERM handler runs inside wait(), which goes on; one that throws ends it
--FILE--
<?php
require __DIR__ . '/support.inc';
$gate = new Gate();
// The first message is acknowledged when the signal handler lets it be, the second one never.
$port = scripted_server(function ($connection) use ($gate) {
    read_packet($connection);
    fwrite($connection, "\x20\x03\x00\x00\x00");
    $id = substr(read_packet($connection)[1], 3, 2);
    $gate->pass();
    fwrite($connection, "\x40\x02$id");
    read_packet($connection);
    sleep(300);
});
$client = new Mqtt\Client("mqtt://127.0.0.1:$port?protocol=5");
pcntl_async_signals(true);
$ran = 0;
pcntl_signal(SIGTERM, function () use (&$ran, $gate) {
    if (is_inside('wait') && $ran++ === 0) {
        $gate->open();
    }
});
$killer = signal_again_and_again('TERM');
echo $client->publish('a', 'b')->wait(300)->state()->value, ', handler ', $ran > 0 ? 'ran inside' : 'did not run', "\n";
$killer->stop();
pcntl_signal(SIGUSR1, fn() => is_inside('flush') ? throw new DomainException('stop now') : null);
$client->publish('a', 'c');
$killer = signal_again_and_again('USR1');
try {
    $client->flush(300);
    echo "not here\n";
} catch (DomainException $thrown) {
    echo $thrown->getMessage(), "\n";
}
$killer->stop();
?>
--EXPECT--
done, handler ran inside
stop now
