--TEST--
mqtt.idle_disconnect_s: a persistent client that is not used disconnects, and connects again for the next use; others do not
--INI--
mqtt.idle_disconnect_s=1
mqtt.log_level=debug
--FILE--
<?php
require __DIR__ . '/support.inc';
use Mqtt\{Client, State};
// The types of the packets that come, in the order in which they do.
$log = scratch_directory() . '/packets.txt';
touch($log);
$port = scripted_server(function ($connection) use ($log) {
    while ($packet = read_packet($connection)) {
        file_put_contents($log, $packet[0] >> 4 . ' ', FILE_APPEND);
        match ($packet[0] >> 4) {
            1 => fwrite($connection, "\x20\x03\x00\x00\x00"),
            3 => fwrite($connection, "\x40\x02" . substr($packet[1], 3, 2)),
            8 => fwrite($connection, "\x90\x04" . substr($packet[1], 0, 2) . "\x00\x01"),
            10 => fwrite($connection, "\xB0\x04" . substr($packet[1], 0, 2) . "\x00\x00"),
            default => null,
        };
    }
    fclose($connection);
});
$broker = new Broker();
$own = new Client($broker->uri());
$own->connect(30);
$client = Client::persistent("mqtt://127.0.0.1:$port?protocol=5");
$idle = fn() => eventually(fn() => $client->state() === State::Idle, 'the client is idle');
$logger = new class {
    public function log($level, $message): void
    {
        echo "$level: ", preg_replace('~127.0.0.1:\d+~', 'BROKER', $message), "\n";
    }
};
echo $client->state()->value, "\n";
$client->publish('a', 'b')->wait(30);
$idle();
$client->setLogger($logger);
$client->publish('a', 'b')->wait(30);
$idle();
$client->poll();
$client->setLogger(null);
echo $client->connect(30)->reasonCode, "\n";
$idle();
// A subscription is a use, as long as it lasts.
$subscription = $client->subscribe('t');
$subscription->wait(30);
echo $client->consume(1.5)->valid() ? 'a message' : 'no message', ", {$client->state()->value}\n";
$subscription->unsubscribe(30);
$idle();
var_dump($client->status()->connections, $client->status()->clientId);
$seen = '1 3 14 1 3 14 1 14 1 8 10 14 ';
eventually(fn() => strlen(file_get_contents($log)) >= strlen($seen), 'all packets: ' . file_get_contents($log));
echo file_get_contents($log) === $seen ? 'in this order' : file_get_contents($log), "\n";
// Closing needs no connection.
var_dump($client->close(30));
echo "the other one: {$own->state()->value}\n";
?>
--EXPECT--
idle
debug: connecting to BROKER
info: connected to BROKER, MQTT 5.0
info: disconnected from BROKER: not used for some time
0
no message, connected
int(4)
NULL
in this order
bool(true)
the other one: connected
