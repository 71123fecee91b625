--TEST--
Will: it comes to subscribers, whole, when the process of its client is killed, and not after close()
--FILE--
<?php
require __DIR__ . '/support.inc';
use Mqtt\{Client, Options, Properties, Qos, Will};
$broker = new Broker();
$subscriber = new Client($broker->uri());
$subscriber->subscribe('gone/#', qos: Qos::ExactlyOnce, retainAsPublished: true)->wait(30);
$directory = scratch_directory();
$code = <<<'PHP'
    use Mqtt\{Client, Options, Properties, Qos, Will};
    [, $port, $ready, $name] = $argv;
    $client = new Client(new Options('127.0.0.1', (int) $port, will: new Will(
        "gone/$name", "\x00gone\xff", Qos::AtLeastOnce, true, 0, new Properties(
            messageExpiry: 3600, contentType: 'text/plain', responseTopic: 'back', correlationData: "\x01\x02", user: [['k', '1'], ['k', '2']],
        ),
    )));
    $client->connect(30);
    touch($ready);
    if ($name === 'closed') {
        $client->close(30);
        exit;
    }
    sleep(600);
    PHP;
$start = fn(string $name) => new Program([
    PHP_BINARY, '-n', '-d', 'extension=' . (getenv('TEST_PHP_EXTENSION') ?: loaded_extension()), '-r', $code, '--', (string) $broker->port, "$directory/$name", $name,
], "$directory/log");
$closed = $start('closed');
eventually(fn() => !$closed->isRunning(), 'the client that closes has ended: ' . file_get_contents("$directory/log"));
// This one comes first if closing sends no Will.
$killed = $start('killed');
eventually(fn() => file_exists("$directory/killed"), 'the client is connected: ' . file_get_contents("$directory/log"));
$killed->signal(9);
foreach ($subscriber->consume(60, 1) as $message) {
    echo json_encode([
        'topic' => $message->topic, 'payload' => bin2hex($message->payload), 'qos' => $message->qos, 'retain' => $message->retain,
        'correlationData' => bin2hex($message->properties->correlationData), 'user' => $message->properties->user,
        'contentType' => $message->properties->contentType, 'responseTopic' => $message->properties->responseTopic,
        'utf8' => $message->properties->payloadFormatUtf8,
    ]), "\n";
    $expiry = $message->properties->messageExpiry;
    echo $expiry > 0 && $expiry <= 3600 ? 'it expires' : "expiry: $expiry", "\n";
}
?>
--EXPECT--
{"topic":"gone\/killed","payload":"00676f6e65ff","qos":1,"retain":true,"correlationData":"0102","user":[["k","1"],["k","2"]],"contentType":"text\/plain","responseTopic":"back","utf8":false}
it expires
