--TEST--
exit in a handler ends the script with its code, runs shutdown functions, and is not turned into an error
--FILE--
<?php
require __DIR__ . '/support.inc';
$broker = new Broker();
foreach (['run(30)', 'poll()', 'consume(30)->valid()'] as $use) {
    [$code, $output] = run_php('
        register_shutdown_function(function () { echo "shutdown\n"; });
        $client = new Mqtt\Client("' . $broker->uri() . '");
        $client->subscribe("exit/here", function () { echo "handler\n"; exit(3); })->wait(30);
        $client->publish("exit/here", "x")->wait(30);
        while ($client->status()->received < 1) usleep(1000);
        try { $client->' . $use . '; } catch (Throwable $t) { echo "caught\n"; } finally { echo "finally\n"; }
        echo "not here\n";');
    echo "$use: $code ", strtr($output, "\n", ' '), "\n";
}
?>
--EXPECT--
run(30): 3 handler shutdown 
poll(): 3 handler shutdown 
consume(30)->valid(): 3 handler shutdown 
