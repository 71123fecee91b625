<?php
/**
 * A script that pushes messages to devices and learns which of them the broker took.
 *
 * `cargo xtask demo` runs this very file on the command line. Change it and run the demo again, or run it by itself at a
 * broker of yours:
 *
 *     MQTT_URL=mqtt://localhost:1883 php -d extension=$PWD/target/debug/libphp_mqtt.so demo/php/push.php
 */
declare(strict_types=1);

use Mqtt\Client;
use Mqtt\Exception\MqttException;
use Mqtt\Options;
use Mqtt\Qos;
use Mqtt\Tls;

$broker = Options::fromUri(getenv('MQTT_URL') ?: 'mqtt://localhost:1883');
// For a broker whose certificate an authority of one's own has signed. Others need nothing but an mqtts:// URI.
if ($authority = getenv('MQTT_CA_FILE')) {
    $broker = $broker->with(tls: new Tls(caFile: $authority));
}
$topic = getenv('PUSH_TOPIC') ?: 'devices/{id}/push';
$devices = explode(',', getenv('PUSH_DEVICES') ?: 'device-01,device-02');
$count = (int) (getenv('PUSH_COUNT') ?: 10);

// The connection is made in the background by the first use of the client.
$client = new Client($broker);

// publish() queues the message and returns at once. What became of it is asked later, from the Delivery it returned.
$deliveries = [];
for ($n = 0; $n < $count; $n++) {
    $device = $devices[$n % count($devices)];
    $message = ['id' => "cli-$n", 'sent' => microtime(true), 'text' => "Parcel $n is on its way"];
    $deliveries[$device]["cli-$n"] = $client->publish(str_replace('{id}', $device, $topic), json_encode($message), Qos::AtLeastOnce);
}

// An acknowledgement of the broker means that the broker has the message: it will deliver it now or when the device is back.
$report = ['devices' => []];
foreach ($deliveries as $device => $ofDevice) {
    $acknowledged = [];
    foreach ($ofDevice as $id => $delivery) {
        try {
            $delivery->wait(timeout: 20.0);
            $acknowledged[] = $id;
        } catch (MqttException $e) {
            fwrite(STDERR, "$device: $id was not acknowledged: {$e->getMessage()}\n");
        }
    }
    $report['devices'][$device] = ['sent' => array_keys($ofDevice), 'acknowledged' => $acknowledged];
}

// A device that nobody has: a broker of MQTT 5.0 may tell that no one subscribed.
$nobody = $client->publish(str_replace('{id}', 'no-such-device', $topic), 'Anybody there?', Qos::AtLeastOnce)->wait(timeout: 10.0);
$report['nobody'] = ['matched' => $nobody->matched(), 'reasonCode' => $nobody->reasonCode()];

$status = $client->status();
$report['client'] = ['id' => $status->clientId, 'connections' => $status->connections, 'pid' => getmypid()];
$client->close();

// The demo reads this and compares it with what the devices received.
echo json_encode($report), "\n";
