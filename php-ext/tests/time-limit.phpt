--TEST--
max_execution_time counts no waiting, and still ends a loop afterwards
--FILE--
<?php
require __DIR__ . '/support.inc';
// The limit is one of CPU time. What a first use costs (valgrind makes it much) is paid before it is set.
[$code, $output] = run_php('
    $client = new Mqtt\Client("mqtt://127.0.0.1:' . free_port() . '");
    $wait = function (float $seconds) use ($client) {
        try { $client->publish("a", "b")->wait($seconds); } catch (Mqtt\Exception\TimeoutException) { return "waited "; }
    };
    $wait(0.2);
    set_time_limit(2);
    echo $wait(2.5);
    while (true);', ['-d', 'display_errors=1']);
echo $code, ' ', str_contains($output, 'waited') ? 'waited ' : $output, str_contains($output, 'Maximum execution time of 2 seconds exceeded') ? 'then ended' : $output, "\n";
?>
--EXPECT--
255 waited then ended
