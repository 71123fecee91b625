--TEST--
publishMany(): a payload whose conversion changes the array under way, and one that converts to bytes
--FILE--
<?php
require __DIR__ . '/support.inc';
use Mqtt\Client;
$broker = new Broker();
$client = new Client($broker->uri());
$base = fresh_topic();
$client->subscribe("$base/#")->wait(30);
$topic = "$base/" . str_repeat('a', 1000);
final class Payload
{
    public function __construct(private Closure $change) {}
    public function __toString(): string
    {
        ($this->change)();
        return "\xFF\x00";
    }
}
// The string behind the reference is freed, and its memory used again.
$payload = new Payload(function () use (&$topic, &$kept): void {
    $length = strlen($topic);
    $topic = 'gone';
    for ($i = 0; $i < 50; $i++) {
        $kept[] = str_repeat('#', $length);
    }
});
$client->publishMany([[&$topic, $payload]])->wait(30);
foreach ($client->consume(30, 1) as $message) {
    echo $message->topic === "$base/" . str_repeat('a', 1000) ? 'the topic as given' : $message->topic, ' ', bin2hex($message->payload), "\n";
}
?>
--EXPECT--
the topic as given ff00
