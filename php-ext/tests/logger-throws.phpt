--TEST--
setLogger(): a logger that throws at one kind of trouble hears of the others the next time, and of none twice
--FILE--
<?php
require __DIR__ . '/support.inc';
use Mqtt\{Client, Options, Overflow, Protocol};
final class Log
{
    public function log($level, $message, array $context): void
    {
        if (isset($context['count'])) {
            throw new Exception($message);
        }
    }
}
// Every PUBLISH is refused (0x97, quota exceeded).
$gate = new Gate();
$port = scripted_server(function ($connection) use ($gate) {
    $gate->pass();
    while ($packet = read_packet($connection)) {
        match ($packet[0] >> 4) {
            1 => fwrite($connection, "\x20\x03\x00\x00\x00"),
            3 => fwrite($connection, "\x40\x03" . substr($packet[1], 3, 2) . "\x97"),
            default => null,
        };
    }
    fclose($connection);
});
$options = new Options(port: $port, protocol: Protocol::V5, queueMaxMessages: 2, overflow: Overflow::DropNewest);
$client = new Client($options);
$client->setLogger(new Log());
// Two are refused, and as long as the broker does not answer there is no room for a third.
$deliveries = [$client->publish('a', 'b'), $client->publish('a', 'b'), $client->publish('a', 'b')];
$gate->open();
foreach ($deliveries as $delivery) {
    eventually(fn() => $delivery->isDone(), 'an outcome');
}
for ($i = 0; $i < 3; $i++) {
    try {
        $client->poll();
        echo "nothing\n";
    } catch (Exception $exception) {
        echo $exception->getMessage(), "\n";
    }
}
?>
--EXPECT--
messages dropped because the queue was full: 1
messages that were not delivered: 2
nothing
