--TEST--
connect() and status() tell every limit of the broker, as agreed on the present connection
--FILE--
<?php
require __DIR__ . '/support.inc';
use Mqtt\{Client, Options, Protocol, Qos};
$properties = "\x11\x00\x00\x00\x0a"    // Session Expiry Interval 10
    . "\x21\x00\x05"                    // Receive Maximum 5
    . "\x24\x01"                        // Maximum QoS 1
    . "\x25\x00"                        // Retain Available 0
    . "\x27\x00\x00\x10\x00"            // Maximum Packet Size 4096
    . "\x12\x00\x06chosen"              // Assigned Client Identifier
    . "\x22\x00\x07"                    // Topic Alias Maximum 7
    . "\x28\x00"                        // Wildcard Subscription Available 0
    . "\x29\x00"                        // Subscription Identifiers Available 0
    . "\x2a\x00"                        // Shared Subscription Available 0
    . "\x13\x00\x1e";                   // Server Keep Alive 30
$answers = [
    "\x20" . chr(3 + strlen($properties)) . "\x00\x00" . chr(strlen($properties)) . $properties,
    "\x20\x03\x00\x00\x00",
    "\x20\x02\x00\x00",
];
$port = scripted_server(function ($connection) use (&$answers) {
    read_packet($connection);
    fwrite($connection, array_shift($answers));
    // The first message ends the connection.
    while (($packet = read_packet($connection)) && $packet[0] >> 4 !== 3);
    fclose($connection);
});
$options = new Options(port: $port, protocol: Protocol::V5, sessionExpiry: 100, clientId: '', reconnectAttempts: 0);
$client = new Client($options);
var_dump($client->status()->connack);
$connack = $client->connect(30);
echo json_encode($connack), "\n";
$status = $client->status();
var_dump($status->connack == $connack, $status->clientId);
$client->publish('a', 'b', Qos::AtMostOnce);
eventually(fn() => $client->state()->value === 'closed', 'the loss is seen');
var_dump($client->status()->connack, $client->status()->clientId);
// What the broker does not say.
foreach ([['clientId' => 'mine'], ['clientId' => 'mine', 'protocol' => Protocol::V311, 'sessionExpiry' => 0]] as $changes) {
    $client = new Client($options->with(...$changes));
    $client->connect(30);
    echo json_encode($client->status()->connack), "\n";
    $client->close(30);
}
?>
--EXPECT--
NULL
{"sessionPresent":false,"reasonCode":0,"protocol":5,"clientId":"chosen","assignedClientId":"chosen","keepAlive":30,"sessionExpiry":10,"maximumQos":1,"retainAvailable":false,"maximumPacketSize":4096,"receiveMaximum":5,"topicAliasMaximum":7,"wildcardSubscriptionAvailable":false,"subscriptionIdentifiersAvailable":false,"sharedSubscriptionAvailable":false}
bool(true)
string(6) "chosen"
NULL
NULL
{"sessionPresent":false,"reasonCode":0,"protocol":5,"clientId":"mine","assignedClientId":null,"keepAlive":60,"sessionExpiry":100,"maximumQos":2,"retainAvailable":true,"maximumPacketSize":null,"receiveMaximum":65535,"topicAliasMaximum":0,"wildcardSubscriptionAvailable":true,"subscriptionIdentifiersAvailable":true,"sharedSubscriptionAvailable":true}
{"sessionPresent":false,"reasonCode":0,"protocol":4,"clientId":"mine","assignedClientId":null,"keepAlive":60,"sessionExpiry":0,"maximumQos":2,"retainAvailable":true,"maximumPacketSize":null,"receiveMaximum":65535,"topicAliasMaximum":0,"wildcardSubscriptionAvailable":true,"subscriptionIdentifiersAvailable":false,"sharedSubscriptionAvailable":false}
