--TEST--
AckMode::AfterHandler: acknowledged when the handler has returned, refused with 0x80 when it threw
--FILE--
<?php
require __DIR__ . '/support.inc';
use Mqtt\{AckMode, Client};
$log = scratch_directory() . '/acks.txt';
touch($log);
$port = scripted_server(function ($connection) use ($log) {
    read_packet($connection);
    fwrite($connection, "\x20\x03\x00\x00\x00");
    while ($packet = read_packet($connection)) {
        if ($packet[0] >> 4 === 8) {
            fwrite($connection, "\x90\x04" . substr($packet[1], 0, 2) . "\x00\x01");
            foreach ([1, 2, 3] as $number) {
                fwrite($connection, "\x32\x07\x00\x01t\x00" . chr($number) . "\x00" . chr(48 + $number));
            }
        } elseif ($packet[0] >> 4 === 4) {
            file_put_contents($log, bin2hex($packet[1]) . "\n", FILE_APPEND);
        } elseif ($packet[0] >> 4 === 3) {
            // Acknowledged after all that came before it is written down.
            fwrite($connection, "\x40\x02" . substr($packet[1], 3, 2));
        }
    }
});
$acks = fn() => trim(strtr(file_get_contents($log), "\n", ' '));
$client = new Client("mqtt://127.0.0.1:$port?protocol=5");
$client->subscribe('t', function ($message, $client) use ($acks) {
    $client->publish('a', 'behind them')->wait(30);
    echo "handler $message, before: \"", $acks(), "\"\n";
    if ((string) $message === '2') {
        throw new DomainException('no');
    }
}, ack: AckMode::AfterHandler)->wait(30);
echo $client->run(30, 1), "\n";
eventually(fn() => $acks() === '0001', 'one acknowledgement');
try {
    $client->run(30, 1);
} catch (DomainException) {
    echo "thrown\n";
}
eventually(fn() => $acks() === '0001 000280', 'one refusal');
echo $client->run(30, 1), "\n";
eventually(fn() => $acks() === '0001 000280 0003', 'all: ' . $acks());
echo $acks(), "\n";
?>
--EXPECT--
handler 1, before: ""
1
handler 2, before: "0001"
thrown
handler 3, before: "0001 000280"
1
0001 000280 0003
