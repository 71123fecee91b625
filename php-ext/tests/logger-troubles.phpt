--TEST--
setLogger(): full queues, failed publishes, dropped and unanswered messages are warned of, each kind once, with its count
--FILE--
<?php
require __DIR__ . '/support.inc';
use Mqtt\{AckMode, Client, Options, Overflow, Protocol, Qos, State, Tls};
final class Log
{
    public array $lines = [];
    public function log($level, $message, array $context): void
    {
        if ($level === 'warning') {
            $this->lines[] = preg_replace('/127.0.0.1:\d+/', 'BROKER', $message) . (isset($context['count']) ? " (count {$context['count']})" : '');
        }
    }
    public function show(): void
    {
        echo implode("\n", $this->lines ?: ['nothing']), "\n";
        $this->lines = [];
    }
}
$log = new Log();
// Every PUBLISH is refused (0x97, quota exceeded), and after a SUBACK come five messages of QoS 0 and one of QoS 1.
$gate = new Gate();
$port = scripted_server(function ($connection) use ($gate) {
    $gate->pass();
    while ($packet = read_packet($connection)) {
        match ($packet[0] >> 4) {
            1 => fwrite($connection, "\x20\x03\x00\x00\x00"),
            3 => fwrite($connection, "\x40\x03" . substr($packet[1], 3, 2) . "\x97"),
            8 => fwrite($connection, "\x90\x04" . substr($packet[1], 0, 2) . "\x00\x01" . str_repeat("\x30\x05\x00\x01t\x00q", 5) . "\x32\x07\x00\x01t\x00\x01\x00p"),
            default => null,
        };
    }
    fclose($connection);
});
$options = new Options(port: $port, protocol: Protocol::V5, queueMaxMessages: 2, overflow: Overflow::DropNewest, inboxMaxMessages: 2);
$client = new Client($options);
$client->setLogger($log);
// The queue has room for two as long as the broker does not answer; two more are dropped.
$deliveries = [];
for ($i = 0; $i < 4; $i++) {
    $deliveries[] = $client->publish('a', 'b');
}
$gate->open();
foreach ($deliveries as $delivery) {
    eventually(fn() => $delivery->isDone(), 'an outcome');
}
$client->poll();
$log->show();
$client->subscribe('t', ack: AckMode::Manual)->wait(30);
eventually(fn() => $client->status()->dropped === 3, 'three dropped');
// Whoever takes the message of QoS 1 and lets go of it refuses it.
foreach ($client->consume(30, 3) as $message) {
    unset($message);
}
$client->publish('a', 'after it');
eventually(fn() => $client->poll() === 0 && str_contains(implode($log->lines), 'not delivered'), 'the last one was refused');
sort($log->lines);
$log->show();
$client->poll();
$log->show();
$client->close(30);
// Whoever is not verified is warned of.
$tls = free_port();
$certificates = __DIR__ . '/certificates';
new Broker(arguments: ['--listen', "mqtts://127.0.0.1:$tls", '--tls-cert', "$certificates/server.pem", '--tls-key', "$certificates/server.key"]);
$client = new Client(new Options('127.0.0.1', $tls, tls: new Tls(insecure: true)));
$client->setLogger($log);
$client->connect(30);
$client->poll();
$log->show();
?>
--EXPECT--
messages dropped because the queue was full: 2 (count 2)
messages that were not delivered: 2 (count 2)
messages that were not delivered: 1 (count 1)
received messages dropped because the inbox was full or nobody subscribed: 3 (count 3)
received messages let go without ack() or reject(): 1 (count 1)
nothing
connected to BROKER, or to anybody who poses as it: certificates are not verified
