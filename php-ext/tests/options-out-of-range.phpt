--TEST--
Options: what is out of range is refused by name
--FILE--
<?php
use Mqtt\{Options, Properties, Will, Protocol};
foreach ([
    fn() => new Options(''),
    fn() => new Options("a\0b"),
    fn() => new Options(port: 0),
    fn() => new Options(port: 65536),
    fn() => new Options(keepAlive: -1),
    fn() => new Options(keepAlive: 65536),
    fn() => new Options(sessionExpiry: 4294967296),
    fn() => new Options(connectTimeout: 0.0),
    fn() => new Options(connectTimeout: NAN),
    fn() => new Options(receiveMaximum: 0),
    fn() => new Options(maxPacketSize: 268435461),
    fn() => new Options(reconnectMin: 5.0, reconnectMax: 1.0),
    fn() => new Options(queueMaxMessages: 0),
    fn() => new Options(clientId: 'a', clientIdPrefix: 'b'),
    fn() => new Options(clientId: "\xFF"),
    fn() => new Options(userProperties: [['a']]),
    fn() => new Options(userProperties: [['a', 1]]),
    fn() => new Options(protocol: Protocol::V311, userProperties: [['a', 'b']]),
    fn() => new Properties(messageExpiry: -1),
    fn() => new Properties(responseTopic: 'a/+'),
    fn() => new Properties(correlationData: str_repeat('x', 65536)),
    fn() => new Properties(contentType: "\xC3\x28"),
    fn() => new Will('a/#', ''),
    fn() => new Will('a', '', delay: -1),
    fn() => new Will('a', str_repeat('x', 65536)),
] as $i => $wrong) {
    try {
        $wrong();
        echo "$i: nothing thrown\n";
    } catch (Mqtt\Exception\InvalidArgument | InvalidArgumentException $thrown) {
        echo $i, ' ', substr(get_class($thrown), 15), ': ', $thrown->getMessage(), "\n";
    }
}
?>
--EXPECTF--
0 InvalidOptionException: host must not be empty
1 InvalidOptionException: host must be UTF-8 without NUL, of at most 65535 bytes
2 InvalidOptionException: port must be 1 to 65535, 0 given
3 InvalidOptionException: port must be 1 to 65535, 65536 given
4 InvalidOptionException: keepAlive must be 0 to 65535, -1 given
5 InvalidOptionException: keepAlive must be 0 to 65535, 65536 given
6 InvalidOptionException: sessionExpiry must be 0 to 4294967295, 4294967296 given
7 InvalidOptionException: connectTimeout must be more than 0 and at most 86400 seconds, 0 given
8 InvalidOptionException: connectTimeout must be more than 0 and at most 86400 seconds, NaN given
9 InvalidOptionException: receiveMaximum must be 1 to 65535, 0 given
10 InvalidOptionException: maxPacketSize must be 1 to 268435460, 268435461 given
11 InvalidOptionException: reconnectMin must not be more than reconnectMax
12 InvalidOptionException: queueMaxMessages must be 1 to 9223372036854775807, 0 given
13 InvalidOptionException: clientId and clientIdPrefix exclude each other
14 InvalidOptionException: clientId must be UTF-8 without NUL, of at most 65535 bytes
15 InvalidOptionException: userProperties must be a list of pairs of UTF-8 strings of at most 65535 bytes
16 InvalidOptionException: userProperties must be a list of pairs of UTF-8 strings of at most 65535 bytes
17 InvalidOptionException: %s
18 InvalidOptionException: messageExpiry must be 0 to 4294967295, -1 given
19 InvalidOptionException: responseTopic: %s
20 InvalidOptionException: correlationData must be at most 65535 bytes
21 InvalidOptionException: contentType must be UTF-8 without NUL, of at most 65535 bytes
22 InvalidTopicException: topic "a/#": %s
23 InvalidOptionException: delay must be 0 to 4294967295, -1 given
24 InvalidOptionException: the payload of a will must be at most 65535 bytes
