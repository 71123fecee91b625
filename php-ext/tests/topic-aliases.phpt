--TEST--
outgoingTopicAliases: a topic is named once, then its alias stands for it, as far as the broker takes aliases
--FILE--
<?php
require __DIR__ . '/support.inc';
use Mqtt\{Client, Options, Protocol, Qos};
// CONNACK with Topic Alias Maximum (0x22) 2. What is published is written to a file.
$log = scratch_directory() . '/published.txt';
touch($log);
$port = scripted_server(function ($connection) use ($log) {
    read_packet($connection);
    fwrite($connection, "\x20\x06\x00\x00\x03\x22\x00\x02");
    while ($packet = read_packet($connection)) {
        if ($packet[0] >> 4 === 3) {
            file_put_contents($log, addcslashes($packet[1], "\0..\37") . "\n", FILE_APPEND);
        }
    }
});
$publish = function (Options $options) use ($log) {
    $client = new Client($options);
    $client->connect(30);
    foreach (['topic/1', 'topic/1', 'topic/2'] as $topic) {
        $client->publish($topic, '!', Qos::AtMostOnce);
    }
    $client->close(30);
    eventually(fn() => substr_count(file_get_contents($log), "\n") === 3, 'three messages');
    echo file_get_contents($log);
    file_put_contents($log, '');
};
$options = new Options(port: $port, protocol: Protocol::V5);
echo $options->outgoingTopicAliases, "\n";
$publish($options);
$publish($options->with(outgoingTopicAliases: 100));
$publish(Options::fromUri("mqtt://127.0.0.1:$port?protocol=5&outgoingTopicAliases=1"));
foreach ([['outgoingTopicAliases' => 65536], ['outgoingTopicAliases' => 1, 'protocol' => Protocol::V311]] as $wrong) {
    try {
        $options->with(...$wrong);
    } catch (Mqtt\Exception\InvalidOptionException $exception) {
        echo $exception->getMessage(), "\n";
    }
}
?>
--EXPECT--
0
\000\atopic/1\000!
\000\atopic/1\000!
\000\atopic/2\000!
\000\atopic/1\003#\000\001!
\000\000\003#\000\001!
\000\atopic/2\003#\000\002!
\000\atopic/1\003#\000\001!
\000\000\003#\000\001!
\000\atopic/2\003#\000\001!
outgoingTopicAliases must be 0 to 65535, 65536 given
outgoingTopicAliases needs MQTT 5.0
