--TEST--
What the options say is what CONNECT says, field by field, from the constructor, from a URI, and before MQTT 5.0
--FILE--
<?php
require __DIR__ . '/support.inc';
use Mqtt\{Client, Options, Properties, Protocol, Qos, Will};

/** Takes a packet apart from its front. */
final class Fields
{
    public function __construct(private string $bytes)
    {
    }
    public function isEmpty(): bool
    {
        return $this->bytes === '';
    }
    public function take(int $length): string
    {
        strlen($this->bytes) >= $length || fail('the packet ends early');
        [$taken, $this->bytes] = [substr($this->bytes, 0, $length), substr($this->bytes, $length)];
        return $taken;
    }
    public function number(int $bytes): int
    {
        return hexdec(bin2hex($this->take($bytes)));
    }
    public function text(): string
    {
        return $this->take($this->number(2));
    }
    /** MQTT 5.0 section 2.2.2. None of these lists has 128 bytes. */
    public function properties(): array
    {
        $all = [];
        for ($list = new self($this->take($this->number(1))); !$list->isEmpty();) {
            $all[] = match ($id = $list->number(1)) {
                0x01 => ['Payload Format Indicator', $list->number(1)],
                0x02 => ['Message Expiry Interval', $list->number(4)],
                0x03 => ['Content Type', $list->text()],
                0x08 => ['Response Topic', $list->text()],
                0x09 => ['Correlation Data', $list->text()],
                0x11 => ['Session Expiry Interval', $list->number(4)],
                0x18 => ['Will Delay Interval', $list->number(4)],
                0x21 => ['Receive Maximum', $list->number(2)],
                0x22 => ['Topic Alias Maximum', $list->number(2)],
                0x26 => ['User Property', $list->text(), $list->text()],
                0x27 => ['Maximum Packet Size', $list->number(4)],
                default => fail("the property $id"),
            };
        }
        return $all;
    }
}

/** CONNECT as lines of text (MQTT 5.0 section 3.1, MQTT 3.1.1 section 3.1). */
function describe(string $body): string
{
    $fields = new Fields($body);
    $lines = [[$fields->text(), $level = $fields->number(1)]];
    $flags = $fields->number(1);
    $lines[] = ['flags', sprintf('%08b', $flags)];
    $lines[] = ['Keep Alive', $fields->number(2)];
    $properties = $level === 5 ? $fields->properties() : [];
    $lines = [...$lines, ...$properties, ['Client Identifier', $fields->text()]];
    if ($flags & 0x04) {
        $properties = $level === 5 ? $fields->properties() : [];
        $lines = [...$lines, ...array_map(fn($property) => ['  of the Will:', ...$property], $properties)];
        $lines[] = ['Will Topic', $fields->text()];
        $lines[] = ['Will Payload', bin2hex($fields->text())];
    }
    foreach ([0x80 => 'User Name', 0x40 => 'Password'] as $flag => $name) {
        if ($flags & $flag) {
            $lines[] = [$name, $fields->text()];
        }
    }
    $lines[] = ['that is', $fields->isEmpty() ? 'all' : 'not all'];
    return implode('', array_map(fn($line) => implode(' ', $line) . "\n", $lines));
}

$log = scratch_directory() . '/connect.bin';
$port = scripted_server(function ($connection) use ($log) {
    [, $body] = read_packet($connection);
    file_put_contents($log, $body);
    fwrite($connection, ord($body[6]) === 5 ? "\x20\x03\x00\x00\x00" : "\x20\x02\x00\x00");
    while (read_packet($connection));
    fclose($connection);
});
$sent = function (Options $options) use ($log): string {
    $client = new Client($options);
    $client->connect(30);
    $client->close(30);
    return describe(file_get_contents($log));
};

echo "-- by the constructor\n", $sent(new Options(
    port: $port,
    protocol: Protocol::V5,
    clientId: 'mine',
    username: 'me',
    password: 'secret',
    keepAlive: 7,
    cleanStart: false,
    sessionExpiry: 3600,
    will: new Will('gone', 'é', Qos::ExactlyOnce, true, 30, new Properties(
        messageExpiry: 60, contentType: 'a/b', payloadFormatUtf8: true, responseTopic: 'answer', correlationData: 'c',
        user: [['k', '1'], ['k', '2']],
    )),
    userProperties: [['region', 'eu'], ['region', 'us']],
    receiveMaximum: 20,
    maxPacketSize: 4096,
    topicAliasMaximum: 9,
));
echo "-- by a URI\n", $sent(Options::fromUri(
    "mqtt://me:secret@127.0.0.1:$port?protocol=5&clientId=mine&keepAlive=0&cleanStart=false&sessionExpiry=4294967295"
    . '&receiveMaximum=65534&maxPacketSize=268435459&topicAliasMaximum=65535',
));
// Of the Client Identifier only the beginning is known.
$beginning = fn(string $text) => preg_replace('/^(Client Identifier (php|shop-))[0-9a-zA-Z]{16,}$/m', '$1...', $text);
$first = $sent($options = new Options(port: $port, protocol: Protocol::V5));
echo "-- by default\n", $beginning($first);
echo "-- the Client Identifier of another is ", $sent($options) === $first ? 'the same' : 'another', "\n";
echo "-- with a prefix\n", $beginning($sent(Options::fromUri("mqtt://127.0.0.1:$port?protocol=5&clientIdPrefix=shop-")));
echo "-- MQTT 3.1.1\n", $sent(new Options(
    port: $port, protocol: Protocol::V311, clientId: 'mine', username: 'me', keepAlive: 7, cleanStart: false,
    will: new Will('gone', 'x', Qos::AtLeastOnce),
));
?>
--EXPECT--
-- by the constructor
MQTT 5
flags 11110100
Keep Alive 7
Session Expiry Interval 3600
Receive Maximum 20
Maximum Packet Size 4096
Topic Alias Maximum 9
User Property region eu
User Property region us
Client Identifier mine
  of the Will: Payload Format Indicator 1
  of the Will: Message Expiry Interval 60
  of the Will: Content Type a/b
  of the Will: Response Topic answer
  of the Will: Correlation Data c
  of the Will: User Property k 1
  of the Will: User Property k 2
  of the Will: Will Delay Interval 30
Will Topic gone
Will Payload c3a9
User Name me
Password secret
that is all
-- by a URI
MQTT 5
flags 11000000
Keep Alive 0
Session Expiry Interval 4294967295
Receive Maximum 65534
Maximum Packet Size 268435459
Topic Alias Maximum 65535
Client Identifier mine
User Name me
Password secret
that is all
-- by default
MQTT 5
flags 00000010
Keep Alive 60
Receive Maximum 1024
Maximum Packet Size 16777216
Client Identifier php...
that is all
-- the Client Identifier of another is another
-- with a prefix
MQTT 5
flags 00000010
Keep Alive 60
Receive Maximum 1024
Maximum Packet Size 16777216
Client Identifier shop-...
that is all
-- MQTT 3.1.1
MQTT 4
flags 10001100
Keep Alive 7
Client Identifier mine
Will Topic gone
Will Payload 78
User Name me
that is all
