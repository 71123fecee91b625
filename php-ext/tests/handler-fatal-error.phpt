--TEST--
A fatal error and an exhausted memory limit in a handler end the script as PHP does, without a crash
--FILE--
<?php
require __DIR__ . '/support.inc';
$broker = new Broker();
// Valgrind is run with Zend's allocator off (USE_ZEND_ALLOC=0), and without it there is no memory_limit.
putenv('USE_ZEND_ALLOC=1');
foreach (['trigger_error("fatal", E_USER_ERROR);', 'str_repeat("x", 1 << 30);', 'eval("class X extends Y {}");'] as $deadly) {
    [$code, $output] = run_php('
        register_shutdown_function(function () { echo "shutdown\n"; });
        $client = new Mqtt\Client("' . $broker->uri() . '");
        $client->subscribe("fatal/here", function () { ' . $deadly . ' }, ack: Mqtt\AckMode::Manual)->wait(30);
        $client->publish("fatal/here", "x")->wait(30);
        $client->run(30);
        echo "not here\n";', ['-d', 'memory_limit=32M', '-d', 'display_errors=1']);
    echo $code, ' ', preg_match('/(Fatal error: [^(]{0,30})/', $output, $found) ? trim($found[1]) : $output, ' ', str_contains($output, 'shutdown') ? 'shutdown' : '', "\n";
}
// The broker has noticed nothing.
echo (new Mqtt\Client($broker->uri()))->publish('a', 'b')->wait(30)->state()->value, "\n";
?>
--EXPECTF--
255 Fatal error: fatal in %s shutdown
255 Fatal error: Allowed memory size of %s shutdown
255 Fatal error: Uncaught Error: Class "Y" not%A shutdown
done
