--TEST--
run() and consume() return after a signal handler ran; without asynchronous signals too, so that the caller can dispatch
--FILE--
<?php
require __DIR__ . '/support.inc';
$broker = new Broker();
$client = new Mqtt\Client($broker->uri());
$client->subscribe('never/here')->wait();
$ran = 0;
pcntl_signal(SIGTERM, function () use (&$ran) { $ran++; });
$later = fn() => new Program(['sh', '-c', 'sleep 0.3; kill -TERM ' . getmypid()], '/dev/null');
foreach ([true, false] as $async) {
    pcntl_async_signals($async);
    foreach (['run', 'consume'] as $how) {
        $killer = $later();
        $start = microtime(true);
        $count = $how === 'run' ? $client->run(10) : iterator_count($client->consume(10));
        $took = microtime(true) - $start;
        if (!$async) {
            echo "pending $ran ";
            pcntl_signal_dispatch();
        }
        echo "$how $count ", $took < 5 ? 'returned' : 'late', " handler $ran\n";
    }
}
?>
--EXPECT--
run 0 returned handler 1
consume 0 returned handler 2
pending 2 run 0 returned handler 3
pending 3 consume 0 returned handler 4
