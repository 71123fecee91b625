--TEST--
phpinfo() shows version, settings and the persistent clients of the process, and no password
--FILE--
<?php
require __DIR__ . '/support.inc';
use Mqtt\Client;
$broker = new Broker();
Client::persistent("mqtt://user:hunter2@127.0.0.1:$broker->port?clientId=shown-in-info")->connect(30);
Client::persistent("mqtt://127.0.0.1:1", 'unused');
ob_start();
phpinfo(INFO_MODULES);
$info = ob_get_clean();
preg_match('/^mqtt$.*?(?=^\w+$\n\n)/ms', $info, $found);
$mqtt = $found[0] ?? $info;
foreach (['Version => ', "#1 127.0.0.1:$broker->port => connected, client id shown-in-info, 0 in flight, 0 queued", 'unused 127.0.0.1:1 => not started', 'mqtt.client_id_prefix => php => php'] as $line) {
    echo str_contains($mqtt, $line) ? 'there' : "missing: $line\n$mqtt", "\n";
}
echo str_contains($info, 'hunter2') ? 'password shown' : 'no password', "\n";
// Some of these are no URI that a client takes.
$uris = [
    'mqtt://broker.example:1884',
    'mqtts://broker.example?keyFile=key.pem&keyPassphrase=hunter2',
    'mqtts://user:hunter2@broker.example?keyFile=key.pem&keyPassphrase=hunter2',
    'mqtts://user:hun@ter2@broker.example',
    'mqtts://broker.example?keyPassphrase=hunt@er2',
    'mqtts://user:hunt?er2@broker.example?keyPassphrase=hunt@er2',
    'ws:user:hunter2://@broker.example',
    '?keyPassphrase=hunter2',
    'broker.example',
];
foreach ($uris as $uri) {
    ini_set('mqtt.default_uri', $uri);
    ob_start();
    phpinfo(INFO_MODULES);
    echo preg_match('/^mqtt\.default_uri => .*/m', ob_get_clean(), $found) ? $found[0] : 'not there', "\n";
}
// Nor where it is the value that the process began with.
[, $shown] = run_php('phpinfo(INFO_MODULES);', ['-d', "mqtt.default_uri=\"$uris[2]\""]);
echo preg_match('/^mqtt\.default_uri => .*/m', $shown, $found) ? $found[0] : $shown, "\n";
?>
--EXPECT--
there
there
there
there
no password
mqtt.default_uri => mqtt://broker.example:1884 => no value
mqtt.default_uri => mqtts://broker.example?*** => no value
mqtt.default_uri => mqtts://***@broker.example?*** => no value
mqtt.default_uri => mqtts://***@broker.example => no value
mqtt.default_uri => mqtts://*** => no value
mqtt.default_uri => mqtts://*** => no value
mqtt.default_uri => ***@broker.example => no value
mqtt.default_uri => ?*** => no value
mqtt.default_uri => broker.example => no value
mqtt.default_uri => mqtts://***@broker.example?*** => mqtts://***@broker.example?***
