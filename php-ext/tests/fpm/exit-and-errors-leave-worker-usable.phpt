--TEST--
FPM: exit, exceptions, fatal errors and exhausted memory in a handler leave the worker and its connection usable
--FILE--
<?php
require __DIR__ . '/fpm.inc';
$broker = new Broker();
// Valgrind is run with Zend's allocator off (USE_ZEND_ALLOC=0), and without it there is no memory_limit.
putenv('USE_ZEND_ALLOC=1');
$fpm = new Fpm(settings: ['memory_limit' => '32M']);
$uri = $broker->uri();
$check = $fpm->script("
    \$client = Mqtt\\Client::persistent('$uri');
    echo \$client->publish('check/nobody', 'x')->wait(30)->state()->value, ' ', \$client->status()->connections, ' ', getmypid();");
[, , $worker] = explode(' ', $fpm->request($check));
foreach ([
    'exit' => 'exit("bye");',
    'exception' => 'throw new DomainException("mine");',
    'fatal' => 'trigger_error("fatal", E_USER_ERROR);',
    'memory' => 'str_repeat("x", 1 << 30);',
] as $name => $deed) {
    foreach (['AckMode::OnReceive', 'AckMode::AfterHandler', 'AckMode::Manual'] as $mode) {
        $output = $fpm->request($fpm->script("
            use Mqtt\\AckMode;
            \$client = Mqtt\\Client::persistent('$uri');
            \$client->subscribe('deed/here', function () { $deed }, ack: $mode)->wait(30);
            \$client->publish('deed/here', 'x')->wait(30);
            \$client->run(30);
            echo 'not here';"));
        echo "$name: ", match (true) {
            str_contains($output, 'not here') => 'the handler did not run',
            $output === 'bye' => 'bye',
            default => preg_match('/Fatal error: *<\/b>: *(Uncaught DomainException: mine|fatal|Allowed memory size)|Fatal error: *(Uncaught DomainException: mine|fatal|Allowed memory size)/', strip_tags($output), $found) ? end($found) : $output,
        };
        echo ', then ', str_replace($worker, 'same worker', $fpm->request($check)), "\n";
    }
}
?>
--EXPECT--
exit: bye, then done 1 same worker
exit: bye, then done 1 same worker
exit: bye, then done 1 same worker
exception: Uncaught DomainException: mine, then done 1 same worker
exception: Uncaught DomainException: mine, then done 1 same worker
exception: Uncaught DomainException: mine, then done 1 same worker
fatal: fatal, then done 1 same worker
fatal: fatal, then done 1 same worker
fatal: fatal, then done 1 same worker
memory: Allowed memory size, then done 1 same worker
memory: Allowed memory size, then done 1 same worker
memory: Allowed memory size, then done 1 same worker
