<?php
/**
 * The same push from a web request. `cargo xtask demo` requests it twice from one php-fpm worker.
 *
 * Client::persistent() gives each request the connection that an earlier request of the same worker process has made: only
 * the first one pays for connecting. status()->connections stays at 1.
 */
declare(strict_types=1);

use Mqtt\Client;
use Mqtt\Options;
use Mqtt\Qos;
use Mqtt\Tls;

$started = microtime(true);
$request = $_SERVER['PUSH_REQUEST'] ?? '1';
$topic = $_SERVER['PUSH_TOPIC'] ?? 'devices/{id}/push';
$devices = explode(',', $_SERVER['PUSH_DEVICES'] ?? 'device-01,device-02');
$count = (int) ($_SERVER['PUSH_COUNT'] ?? 10);

$broker = Options::fromUri($_SERVER['MQTT_URL'] ?? 'mqtt://localhost:1883');
if (isset($_SERVER['MQTT_CA_FILE'])) {
    $broker = $broker->with(tls: new Tls(caFile: $_SERVER['MQTT_CA_FILE']));
}
$client = Client::persistent($broker);

// Many messages at once: the keys given here come back in the result.
$messages = [];
$sent = [];
for ($n = 0; $n < $count; $n++) {
    $device = $devices[$n % count($devices)];
    $id = "web-$request-$n";
    $messages[$id] = [
        str_replace('{id}', $device, $topic),
        json_encode(['id' => $id, 'sent' => microtime(true), 'text' => "Order $n was paid"]),
    ];
    $sent[$device][] = $id;
}
$result = $client->publishMany($messages, Qos::AtLeastOnce)->wait(timeout: 20.0);

$report = ['devices' => []];
foreach ($sent as $device => $ids) {
    $report['devices'][$device] = ['sent' => $ids, 'acknowledged' => array_values(array_intersect($ids, $result->done))];
}
$status = $client->status();
$report['client'] = ['id' => $status->clientId, 'connections' => $status->connections, 'pid' => getmypid()];
$report['seconds'] = microtime(true) - $started;

header('Content-Type: application/json');
echo json_encode($report), "\n";
