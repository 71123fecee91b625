--TEST--
connect() tells what the broker granted
--FILE--
<?php
require __DIR__ . '/support.inc';
$broker = new Broker();
$client = new Mqtt\Client($broker->uri('clientId=me-myself&keepAlive=33'));
$connack = $client->connect(30);
echo json_encode([$connack->clientId, $connack->keepAlive, $connack->sessionPresent, $connack->reasonCode, $connack->protocol, $connack->retainAvailable]), "\n";
echo $client->state()->value, ' ', $client->status()->connections, ' ', $client->status()->clientId, ' ', str_contains($client->status()->address, (string) $broker->port) ? 'address' : '', "\n";
$random = (new Mqtt\Client($broker->uri('clientIdPrefix=web-')))->connect(30)->clientId;
echo str_starts_with($random, 'web-') && strlen($random) > 12 ? "prefix and more\n" : "$random\n";
?>
--EXPECT--
["me-myself",33,false,0,5,true]
connected 1 me-myself address
prefix and more
