--TEST--
phpinfo(): a name with NUL, an output handler that uses the client, and the password of mqtt.default_uri
--INI--
mqtt.default_uri=mqtt://user:hunter2@127.0.0.1:1
--FILE--
<?php
require __DIR__ . '/support.inc';
use Mqtt\Client;
Client::persistent('mqtt://127.0.0.1:1', "a\0b");
$info = '';
ob_start(function (string $part) use (&$info): string {
    $info .= $part;
    Client::persistent('mqtt://127.0.0.1:1', "a\0b")->status();
    return '';
}, 1);
(new ReflectionExtension('mqtt'))->info();
ob_end_clean();
foreach (['a\0b 127.0.0.1:1 => not started', 'mqtt.default_uri => mqtt://***@127.0.0.1:1 => mqtt://***@127.0.0.1:1'] as $line) {
    echo str_contains($info, $line) ? 'there' : "missing: $line\n$info", "\n";
}
echo str_contains($info, 'hunter2') ? 'password shown' : 'no password', "\n";
?>
--EXPECT--
there
there
no password
