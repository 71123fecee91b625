--TEST--
Two hundred forks while messages are under way: no child hangs, and the parent loses nothing
--FILE--
<?php
require __DIR__ . '/support.inc';
use Mqtt\Client;
$broker = new Broker();
$client = Client::persistent($broker->uri());
$deliveries = [];
$failed = 0;
// Fewer where each takes long: under valgrind.
$forks = (int) (getenv('TEST_FORKS') ?: 200);
for ($i = 0; $i < $forks; $i++) {
    for ($j = 0; $j < 50; $j++) {
        $deliveries[] = $client->publish('storm/nobody', str_repeat('x', 200));
    }
    $pid = pcntl_fork();
    if ($pid === 0) {
        // A child that hangs is ended by this, with another status.
        pcntl_alarm(120);
        if ($i % 4 === 0) {
            // Ends like any script, without having used what it inherited.
            exit(7);
        }
        $own = Client::persistent($broker->uri());
        $done = $own->publish('storm/nobody', 'child')->wait(30)->state()->value === 'done';
        // As a script ends: with all that the engine does then.
        exit($done ? 7 : 8);
    }
    pcntl_waitpid($pid, $status);
    $failed += !pcntl_wifexited($status) || pcntl_wexitstatus($status) !== 7;
}
$flushed = $client->flush(30);
echo "$failed children failed, $flushed->pending pending, $flushed->failed failed, ";
echo count(array_filter($deliveries, fn($delivery) => $delivery->reasonCode() === 16)) === 50 * $forks ? "all acknowledged\n" : "some not acknowledged\n";
?>
--EXPECT--
0 children failed, 0 pending, 0 failed, all acknowledged
