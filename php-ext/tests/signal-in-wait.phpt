--TEST--
A SIGTERM handler runs inside wait(), which goes on; one that throws ends it
--FILE--
<?php
require __DIR__ . '/support.inc';
$port = scripted_server(fn($connection) => sleep(30));
$client = new Mqtt\Client("mqtt://127.0.0.1:$port");
pcntl_async_signals(true);
$start = microtime(true);
$ran = null;
pcntl_signal(SIGTERM, function () use (&$ran, $start) { $ran = microtime(true) - $start; });
$later = fn(string $signal) => new Program(['sh', '-c', "sleep 0.3; kill -$signal " . getmypid()], '/dev/null');
$killer = $later('TERM');
try {
    $client->publish('a', 'b')->wait(2.5);
} catch (Mqtt\Exception\TimeoutException) {
    $took = microtime(true) - $start;
    echo $ran > 0.25 && $ran < 2.2 ? 'handler ran inside' : "handler at $ran", ', ', $took > 2.4 && $took < 5 ? 'wait went on' : "wait took $took", "\n";
}
pcntl_signal(SIGUSR1, function () { throw new DomainException('stop now'); });
$start = microtime(true);
$killer = $later('USR1');
try {
    $client->flush(10);
} catch (DomainException $thrown) {
    echo $thrown->getMessage(), ' ', microtime(true) - $start < 5 ? 'at once' : 'late', "\n";
}
?>
--EXPECT--
handler ran inside, wait went on
stop now at once
