--TEST--
request(): a late response is dropped, one inside another has its own, and a timeout names topic and time
--FILE--
<?php
require __DIR__ . '/support.inc';
use Mqtt\Client;
// SUBSCRIBE is granted, and the first request answered. Of each two that follow, the second is answered first, or last.
$port = scripted_server(function ($connection) {
    read_packet($connection);
    fwrite($connection, "\x20\x03\x00\x00\x00");
    $answer = function (string $request, string $payload) use ($connection) {
        // Topic `q`, Packet Identifier, Property Length; then Response Topic and Correlation Data.
        $topic = substr($request, 7, 2 + unpack('n', $request, 7)[1]);
        $correlation = substr($request, 7 + strlen($topic), 19);
        $body = "$topic\x13$correlation$payload";
        fwrite($connection, "\x30" . chr(strlen($body)) . $body);
    };
    $held = null;
    while ($packet = read_packet($connection)) {
        [$first, $body] = $packet;
        if ($first >> 4 === 8) {
            fwrite($connection, "\x90\x04" . substr($body, 0, 2) . "\x00\x01");
        } elseif ($first >> 4 === 3) {
            fwrite($connection, "\x40\x02" . substr($body, 3, 2));
            if (str_ends_with($body, 'warm')) {
                $answer($body, 'warm');
            } elseif ($held === null) {
                $held = $body;
            } else {
                // The late one before, or the outer one after.
                $late = str_ends_with($body, 'late');
                $late && $answer($held, 'of the first');
                $answer($body, 'of the second');
                $late || $answer($held, 'of the first');
                $held = null;
            }
        }
    }
});
$client = new Client("mqtt://127.0.0.1:$port?protocol=5");
// From here on a request is on its way when it is made, however short its time is.
echo $client->request('q', 'warm', 300), "\n";
try {
    $client->request('q', 'first', 0.5);
} catch (Mqtt\Exception\TimeoutException $exception) {
    echo $exception->getMessage(), "\n";
}
echo $client->request('q', 'after the late', 300), "\n";
pcntl_async_signals(true);
$inner = null;
pcntl_signal(SIGTERM, function () use ($client, &$inner) {
    if ($inner === null && is_inside('request')) {
        $inner = '';
        $inner = (string) $client->request('q', 'inner', 300);
    }
});
$killer = signal_again_and_again('TERM');
$outer = $client->request('q', 'outer', 300);
$killer->stop();
echo "inner: $inner, outer: $outer\n";
?>
--EXPECT--
warm
no response to the request to "q" within 0.5 s
of the second
inner: of the second, outer: of the first
