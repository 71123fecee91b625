--TEST--
onState(): every change in order, with its cause, inside whatever waits or polls; its exception ends the call
--FILE--
<?php
require __DIR__ . '/support.inc';
use Mqtt\{Client, State};
// The first connection is dropped when the test says so, the second stays.
$gate = new Gate();
$count = 0;
$port = scripted_server(function ($connection) use ($gate, &$count) {
    read_packet($connection);
    fwrite($connection, "\x20\x03\x00\x00\x00");
    if (++$count === 1) {
        $gate->pass();
        fclose($connection);
        return;
    }
    while (read_packet($connection)) {
    }
});
$client = new Client("mqtt://127.0.0.1:$port?protocol=5&reconnectMin=0.01&reconnectMax=0.02");
$seen = [];
$client->onState(function (State $state, ?string $cause, Client $same) use (&$seen, $client) {
    assert($same === $client);
    $seen[] = $state->value . ($cause === null ? '' : ' (' . (str_contains($cause, 'lost the connection') ? 'lost' : $cause) . ')');
});
$show = function () use (&$seen) {
    echo implode(', ', $seen), "\n";
    $seen = [];
};
$client->connect(30);
$show();
$gate->open();
// Nothing is told in between: only poll() does.
eventually(fn() => $client->status()->connections === 2, 'the second connection');
$show();
$stream = [$client->stream()];
echo stream_select($stream, $none, $none, 60), ' readable, polled ', $client->poll(), "\n";
$show();
echo json_encode($client->close(30)), "\n";
$show();
// An exception.
$client = new Client("mqtt://127.0.0.1:$port?protocol=5");
$client->onState(fn(State $state) => $state === State::Connected ? throw new DomainException('connected') : null);
try {
    $client->run();
} catch (DomainException $exception) {
    echo $exception->getMessage(), "\n";
}
$client->onState(null);
echo $client->poll(), ' ', $client->state()->value, "\n";
?>
--EXPECT--
connecting, connected

1 readable, polled 0
backoff (lost), connecting, connected
true
closed
connected
0 connected
