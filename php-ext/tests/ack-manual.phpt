--TEST--
AckMode::Manual: PUBACK leaves when ack() or reject() says so, with code and words, once; letting go is 0x80
--FILE--
<?php
require __DIR__ . '/support.inc';
use Mqtt\{AckMode, Client};
// CONNACK; SUBACK; then five PUBLISH of QoS 1 with ids 1 to 5. What comes back is written to a file.
$log = scratch_directory() . '/acks.txt';
touch($log);
$port = scripted_server(function ($connection) use ($log) {
    read_packet($connection);
    fwrite($connection, "\x20\x03\x00\x00\x00");
    while ($packet = read_packet($connection)) {
        if ($packet[0] >> 4 === 8) {
            $id = substr($packet[1], 0, 2);
            fwrite($connection, "\x90\x04$id\x00\x01");
            foreach ([1, 2, 3, 4, 5] as $number) {
                fwrite($connection, "\x32\x07\x00\x01t\x00" . chr($number) . "\x00p");
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
$client->subscribe('t', ack: AckMode::Manual)->wait(30);
$kept = iterator_to_array($client->consume(30, 5));
$client->publish('a', 'behind them')->wait(30);
echo 'none: "', $acks(), "\"\n";
$kept[0]->ack();
$kept[0]->ack();
$kept[0]->reject();
$kept[1]->reject(0x97);
$kept[2]->reject();
unset($kept[3]);
$kept[4]->reject(reason: 'voll und ganz: ü');
gc_collect_cycles();
eventually(fn() => substr_count($acks(), ' ') === 4, 'five acknowledgements: ' . $acks());
echo $acks(), "\n";
foreach ([0, 127, 256, -1] as $code) {
    try {
        $kept[0]->reject($code);
    } catch (Mqtt\Exception\InvalidOptionException $exception) {
        echo $exception->getMessage(), "\n";
    }
}
foreach (["\xFF", "a\0b", str_repeat('x', 65536)] as $reason) {
    try {
        $kept[0]->reject(reason: $reason);
    } catch (Mqtt\Exception\InvalidOptionException $exception) {
        echo $exception->getMessage(), "\n";
    }
}
?>
--EXPECT--
none: ""
0001 000297 000380 000480 000580141f0011766f6c6c20756e642067616e7a3a20c3bc
the reason code of a refusal must be 128 to 255
the reason code of a refusal must be 128 to 255
the reason code of a refusal must be 128 to 255
the reason code of a refusal must be 128 to 255
the reason of a refusal: string is not well-formed UTF-8
the reason of a refusal: string contains the null character U+0000
the reason of a refusal: string of 65536 bytes is longer than 65535 bytes
