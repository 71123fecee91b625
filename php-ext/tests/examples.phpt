--TEST--
The example scripts do what they say
--FILE--
<?php
require __DIR__ . '/support.inc';
$broker = new Broker();
$extension = getenv('TEST_PHP_EXTENSION') ?: loaded_extension();
$example = fn(string $name, string ...$arguments) => [PHP_BINARY, '-n', '-d', "extension=$extension", __DIR__ . "/../examples/$name.php", $broker->uri(), ...$arguments];
$log = scratch_directory() . '/consume.log';
$consumer = new Program($example('consume', 'devices/phone/push'), $log);
// The consumer is there when the broker says that its topic has a subscriber.
$client = new Mqtt\Client($broker->uri());
eventually(fn() => $client->publish('devices/phone/push', 'probe')->wait(30)->matched(), 'the consumer subscribes');
exec(implode(' ', array_map(escapeshellarg(...), $example('publish', 'Hello you', 'phone', 'nobody'))), $output, $code);
echo implode("\n", $output), "\n$code\n";
eventually(fn() => str_contains(file_get_contents($log), 'Hello you'), 'the message');
$consumer->signal(15);
eventually(fn() => !$consumer->isRunning(), 'the consumer ends');
echo 'consume: ', preg_replace('/^.*probe\n/m', '', preg_replace('/^\d+ messages$/m', 'counted', file_get_contents($log)));
// The event loop, fed line by line.
$other = new Broker();
$loop = proc_open([PHP_BINARY, '-n', '-d', "extension=$extension", __DIR__ . '/../examples/event-loop.php', $broker->uri(), $other->uri(), 'chat'], [['pipe', 'r'], ['pipe', 'w'], ['redirect', 1]], $pipes);
foreach ([$client, $elsewhere = new Mqtt\Client($other->uri())] as $publisher) {
    eventually(fn() => $publisher->publish('chat', 'ready')->wait(30)->matched(), 'the loop subscribes');
}
fwrite($pipes[0], "hello\n");
$output = '';
while (substr_count($output, ': hello') < 2 && ($line = fgets($pipes[1])) !== false) {
    $output .= $line;
}
fclose($pipes[0]);
$output .= stream_get_contents($pipes[1]);
$lines = array_filter(explode("\n", $output), fn($line) => !str_ends_with($line, ': ready') && !str_contains($line, 'connecting'));
sort($lines);
echo 'event loop: ', implode(', ', array_filter($lines)), ', exit ', proc_close($loop), "\n";
?>
--EXPECT--
phone               the broker has it for the device
nobody              the broker has it, but no such device subscribes
0
consume: devices/phone/push  Hello you
counted
event loop: first: closed, first: connected, first: hello, second: closed, second: connected, second: hello, exit 0
