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
echo preg_replace('/^.*probe\n/m', '', preg_replace('/^\d+ messages$/m', 'counted', file_get_contents($log)));
?>
--EXPECT--
phone               the broker has it for the device
nobody              the broker has it, but no such device subscribes
0
devices/phone/push  Hello you
counted
