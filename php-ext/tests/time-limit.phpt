--TEST--
max_execution_time counts no waiting, and still ends a loop afterwards
--FILE--
<?php
require __DIR__ . '/support.inc';
[$code, $output] = run_php('
    set_time_limit(1);
    $client = new Mqtt\Client("mqtt://127.0.0.1:' . free_port() . '");
    try { $client->publish("a", "b")->wait(1.5); } catch (Mqtt\Exception\TimeoutException $e) { echo "waited\n"; }
    while (true);', ['-d', 'display_errors=1']);
echo $code, ' ', str_contains($output, 'waited') ? 'waited ' : $output, str_contains($output, 'Maximum execution time of 1 second exceeded') ? 'then ended' : $output, "\n";
?>
--EXPECT--
255 waited then ended
