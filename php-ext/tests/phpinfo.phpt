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
?>
--EXPECT--
there
there
there
there
no password
