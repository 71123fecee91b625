--TEST--
A handler that forks: the child's run() ends and says why, the parent's goes on
--FILE--
<?php
require __DIR__ . '/support.inc';
use Mqtt\Client;
$broker = new Broker();
$topic = fresh_topic();
$client = new Client($broker->uri());
$child = null;
$client->subscribe($topic, function () use (&$child) {
    $child ??= pcntl_fork();
})->wait(60);
$client->publish($topic, 'first')->wait(60);
$client->publish($topic, 'second')->wait(60);
$said = scratch_directory() . '/child.txt';
try {
    echo 'handled ', $client->run(60, 2), "\n";
} catch (Mqtt\Exception\ClosedException $exception) {
    file_put_contents($said, $exception->getMessage());
}
if ($child === 0) {
    kill_self();
}
pcntl_waitpid($child, $status);
echo 'the child: ', file_get_contents($said), "\n";
echo 'the parent: ', $client->publish($topic, 'third')->wait(60)->state()->value, ', connections ', $client->status()->connections, "\n";
?>
--EXPECT--
handled 2
the child: this client belongs to the process that this one was forked from; make a new one here
the parent: done, connections 1
