--TEST--
reconnectJitterPercent: how much of each wait is random, none or a part or, by default, all of it
--FILE--
<?php
require __DIR__ . '/support.inc';
use Mqtt\{Client, Options};
/** Takes note of the waits that a client announces. */
final class Log
{
    public array $waits = [];
    public bool $isOver = false;
    public function log($level, $message, array $context = []): void
    {
        if (preg_match('/the next attempt is in (\d+\.\d) s$/', $message, $found)) {
            $this->waits[] = $found[1];
        }
        $this->isOver = $this->isOver || $level === 'error';
    }
}
$port = free_port();
$options = new Options(port: $port);
echo $options->reconnectJitterPercent, "\n";
$query = 'reconnectMin=0.1&reconnectMax=0.2&reconnectJitterPercent=0&reconnectAttempts=3';
$client = new Client("mqtt://127.0.0.1:$port?$query");
$client->setLogger($log = new Log());
$client->publish('a', 'b');
eventually(function () use ($client, $log) {
    try {
        $client->poll();
    } catch (Mqtt\Exception\ConnectionException) {
    }
    return $log->isOver;
}, 'the end');
echo implode(' ', $log->waits), "\n";
// The first wait of many clients, which all begin at 10 s.
foreach ([50, 100] as $percent) {
    $waits = $clients = [];
    for ($i = 0; $i < 30; $i++) {
        $clients[] = $client = new Client($options->with(reconnectMin: 10, reconnectMax: 10, reconnectJitterPercent: $percent));
        $client->setLogger($log = new Log());
        $client->publish('a', 'b');
        eventually(fn() => $client->poll() === 0 && $log->waits, 'a wait');
        $waits[] = $log->waits[0];
    }
    [$least, $most] = [min($waits), max($waits)];
    $half = $least >= 5.0 ? 'in the upper half' : 'anywhere';
    echo "$percent %: ", $most <= 10.0 && $least < $most ? $half : "from $least to $most s", "\n";
}
foreach ([-1, 101] as $wrong) {
    try {
        $options->with(reconnectJitterPercent: $wrong);
        echo "nothing thrown\n";
    } catch (Mqtt\Exception\InvalidOptionException $exception) {
        echo $exception->getMessage(), "\n";
    }
}
?>
--EXPECT--
100
0.1 0.2 0.2
50 %: in the upper half
100 %: anywhere
reconnectJitterPercent must be 0 to 100, -1 given
reconnectJitterPercent must be 0 to 100, 101 given
