--TEST--
FPM: a worker that forks keeps its connection; the child has one of its own
--FILE--
<?php
require __DIR__ . '/fpm.inc';
$broker = new Broker();
$topic = fresh_topic();
$listener = new Mqtt\Client($broker->uri());
$listener->subscribe($topic)->wait(30);
// Debian's php-fpm has no pcntl: there fork() is called in the C library, by FFI.
$ffi = PHP_EXTENSION_DIR . '/ffi.so';
$fpm = new Fpm(settings: file_exists($ffi) ? ['extension' => $ffi, 'ffi.enable' => 1] : []);
$result = scratch_directory() . '/child.txt';
$script = $fpm->script("
    if (function_exists('pcntl_fork')) {
        [\$fork, \$wait] = ['pcntl_fork', fn(\$pid) => pcntl_waitpid(\$pid, \$status)];
    } else {
        \$libc = FFI::cdef('int fork(void); int waitpid(int pid, int *status, int options);');
        [\$fork, \$wait] = [fn() => \$libc->fork(), fn(\$pid) => \$libc->waitpid(\$pid, null, 0)];
    }
    \$client = Mqtt\\Client::persistent('{$broker->uri()}');
    \$own = new Mqtt\\Client('{$broker->uri()}');
    \$own->publish('$topic', 'before')->wait(30);
    \$client->publish('$topic', 'before')->wait(30);
    \$pid = \$fork();
    if (\$pid === 0) {
        \$said = [];
        foreach ([\$client, \$own] as \$inherited) {
            try {
                \$inherited->publish('$topic', 'never');
            } catch (Mqtt\\Exception\\ClosedException) {
                \$said[] = 'closed';
            }
        }
        \$childs = Mqtt\\Client::persistent('{$broker->uri()}');
        \$said[] = \$childs->publish('$topic', 'child')->wait(30)->state()->value;
        \$said[] = \$childs->status()->clientId;
        file_put_contents('$result', json_encode(\$said));
        // At once: the request is the parent's to answer.
        proc_close(proc_open(['sh', '-c', 'kill -9 ' . getmypid()], [], \$pipes));
    }
    \$wait(\$pid);
    \$client->publish('$topic', 'after')->wait(30);
    \$own->publish('$topic', 'after')->wait(30);
    echo json_encode([getmypid(), \$client->status()->connections, \$own->status()->connections, \$client->status()->clientId]);");
$ids = [];
for ($i = 0; $i < 3; $i++) {
    [$worker, $connections, $owns, $id] = json_decode($answer = $fpm->request($script), true) ?? fail($answer . $fpm->log());
    [$first, $second, $done, $childs_id] = json_decode(file_get_contents($result), true);
    echo "connections: $connections, $owns; child: $first, $second, $done, ", $childs_id === $id ? 'the same id' : 'another id', "\n";
    $ids[] = "$worker $id";
}
echo count(array_unique($ids)), " worker with one connection\n";
$received = [];
foreach ($listener->consume(30, 15) as $message) {
    $received[] = $message->payload;
}
echo json_encode(array_count_values($received)), "\n";
?>
--EXPECT--
connections: 1, 1; child: closed, closed, done, another id
connections: 1, 1; child: closed, closed, done, another id
connections: 1, 1; child: closed, closed, done, another id
1 worker with one connection
{"before":6,"child":3,"after":6}
