--TEST--
Thousands of publishes, handlers, exceptions and clients leave no memory behind, neither PHP's nor ours
--FILE--
<?php
require __DIR__ . '/support.inc';
use Mqtt\{Client, Options, Properties, Qos};
$broker = new Broker();
$client = new Client($broker->uri());
$topic = fresh_topic();
$client->subscribe($topic, function ($message) { if ($message->payload === 'throw') { throw new Exception('x'); } })->wait(30);
$resident = fn() => (int) (preg_match('/^VmRSS:\s+(\d+)/m', file_get_contents('/proc/self/status'), $found) ? $found[1] : 0);
function round_of(Client $client, string $topic, string $uri): void
{
    $properties = new Properties(user: [['a', 'b']], correlationData: 'c');
    for ($i = 0; $i < 200; $i++) {
        $client->publish($topic, str_repeat('x', 2000), properties: $properties)->wait(30);
        $client->publish($topic, $i % 50 ? 'x' : 'throw', Qos::AtMostOnce);
        try {
            $client->publish('a/#', 'x');
        } catch (Mqtt\Exception\InvalidTopicException) {
        }
        try {
            $client->poll();
        } catch (Exception) {
        }
    }
    $client->flush(30);
    $batch = $client->publishMany((function () { for ($i = 0; $i < 500; $i++) { yield "k$i" => ['nobody/here', "x$i"]; } })());
    $batch->wait(30);
    foreach ($batch as $key => $delivery) {
        $delivery->matched();
    }
    try {
        while ($client->run(0.05)) {
        }
    } catch (Exception) {
    }
    $other = new Client(Options::fromUri($uri)->with(keepAlive: 7));
    $other->subscribe("$topic/other", fn() => $other->stop())->wait(30);
    $other->status();
    $other->close(30);
    gc_collect_cycles();
}
for ($i = 0; $i < 4; $i++) {
    round_of($client, $topic, $broker->uri());
}
$before = [memory_get_usage(), $resident()];
for ($i = 0; $i < 8; $i++) {
    round_of($client, $topic, $broker->uri());
}
// Valgrind keeps what was freed, and finds what leaks by itself.
if (getenv('USE_ZEND_ALLOC') === '0') {
    $before[1] = $resident();
}
$php = memory_get_usage() - $before[0];
$all = $resident() - $before[1];
echo $php < 4096 ? 'PHP: nothing' : "PHP: $php bytes", ', process: ', $all < 3000 ? 'nothing' : "$all kB", "\n";
?>
--EXPECT--
PHP: nothing, process: nothing
