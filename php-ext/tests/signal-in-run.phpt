--TEST--
run() and consume() return after a signal handler ran; without asynchronous signals too, so that the caller can dispatch
--FILE--
<?php
require __DIR__ . '/support.inc';
$broker = new Broker();
$client = new Mqtt\Client($broker->uri());
$client->subscribe('never/here')->wait(30);
$ran = 0;
pcntl_signal(SIGTERM, function () use (&$ran) { $ran++; });
foreach ([true, false] as $async) {
    foreach (['run', 'consume'] as $how) {
        pcntl_async_signals($async);
        $before = $ran;
        $killer = signal_again_and_again('TERM');
        // Without a timeout: nothing but a signal ends them.
        $count = $how === 'run' ? $client->run() : iterator_count($client->consume());
        $killer->stop();
        if (!$async) {
            echo $ran === $before ? 'not dispatched, ' : 'dispatched already, ';
            pcntl_signal_dispatch();
        }
        echo "$how returned $count, handler ", $ran > $before ? 'ran' : 'did not run', "\n";
    }
}
?>
--EXPECT--
run returned 0, handler ran
consume returned 0, handler ran
not dispatched, run returned 0, handler ran
not dispatched, consume returned 0, handler ran
