--TEST--
What was published leaves at the end of a script that waits for nothing, whether the client is let go or kept
--FILE--
<?php
require __DIR__ . '/support.inc';
$broker = new Broker();
$client = new Mqtt\Client($broker->uri());
$topic = fresh_topic();
$client->subscribe($topic)->wait(30);
foreach ([
    "(new Mqtt\\Client('{$broker->uri()}'))->publish('$topic', 'let go');",
    "\$client = new Mqtt\\Client('{$broker->uri()}'); \$client->publish('$topic', 'kept');",
    "Mqtt\\Client::persistent('{$broker->uri()}')->publish('$topic', 'persistent');",
    "\$client = new Mqtt\\Client('{$broker->uri()}'); \$client->publish('$topic', 'exit'); exit(5);",
    "\$client = new Mqtt\\Client('{$broker->uri()}'); \$client->publish('$topic', 'error'); throw new Exception('x');",
] as $script) {
    [$code] = run_php($script, ['-d', 'mqtt.shutdown_timeout_ms=60000']);
    foreach ($client->consume(30, 1) as $message) {
        echo "$message->payload $code\n";
    }
}
// Without its bound the script would never end: the message has nowhere to go.
[$code] = run_php("\$c = new Mqtt\\Client('mqtt://127.0.0.1:" . free_port() . "'); \$c->publish('a', 'b');", ['-d', 'mqtt.shutdown_timeout_ms=300']);
echo $code, " bounded\n";
?>
--EXPECT--
let go 0
kept 0
persistent 0
exit 5
error 255
0 bounded
