--TEST--
Options::fromUri(): every part, decoded; what it does not know is refused, and no value is repeated
--FILE--
<?php
use Mqtt\Options;
$options = Options::fromUri('mqtt://us%40er:se%2Fcret@broker.example:1884/?keepAlive=30&cleanStart=false&protocol=4&clientId=a%20b&connectTimeout=2.5&overflow=drop-oldest');
echo "$options->host $options->port $options->username $options->keepAlive ", var_export($options->cleanStart, true), " {$options->protocol->name} $options->clientId $options->connectTimeout {$options->overflow->name}\n";
foreach (['mqtt://[::1]', 'mqtts://broker.example:8884?caFile=' . __DIR__ . '/certificates/ca.pem&serverName=b', 'ws://a', 'wss://a:9001/a%20b?insecure=1', 'unix:///run/my%20mqtt.sock'] as $uri) {
    $options = Options::fromUri($uri);
    echo "{$options->transport->value} $options->host ", json_encode([$options->port, $options->path]), ' ', $options->tls ? basename($options->tls->caFile ?? '-') . " {$options->tls->serverName} " . json_encode($options->tls->insecure) : 'no tls', "\n";
}
foreach (['', 'broker', 'mqtt://', 'http://a', 'mqtt://a/path', 'unix://', 'unix://a/b', 'mqtt://a?insecure=1', 'mqtt://a#f', 'mqtt://a:99999', 'mqtt://a?keep=1', 'mqtt://a?keepAlive=secret',
    'mqtts://a?keyPassphrase=se&cret', 'mqtt://a?proxy=http://u:se&cret@b', 'mqtt://user:12?secret@a', 'mqtt://user:12?sec&ret@a',
    'mqtt://a?keepAlive=70000', 'mqtt://a?cleanStart=maybe', 'mqtt://a?protocol=6', "mqtt://%FF"] as $uri) {
    try {
        Options::fromUri($uri);
        echo "nothing thrown for $uri\n";
    } catch (Mqtt\Exception\InvalidOptionException $exception) {
        echo str_pad($uri, 26), ' ', $exception->getMessage(), "\n";
    }
}
?>
--EXPECTF--
broker.example 1884 us@er 30 false V311 a b 2.5 DropOldest
tcp ::1 [null,null] no tls
tls broker.example [8884,null] ca.pem b false
ws a [null,null] no tls
wss a [9001,"\/a%20b"] -  true
unix 127.0.0.1 [null,"\/run\/my mqtt.sock"] no tls
                           not a URI of the form mqtt://host: %s
broker                     not a URI of the form mqtt://host: %s
mqtt://                    the URI names no host
http://a                   http:// is not a scheme of MQTT; use mqtt, mqtts, ws, wss or unix
mqtt://a/path              a path has no meaning in a mqtt:// URI
unix://                    the URI must name the socket, as in unix:///run/broker.sock
unix://a/b                 a host has no meaning in a unix:// URI
mqtt://a?insecure=1        tls has no meaning with this transport
mqtt://a#f                 a fragment has no meaning in a mqtt:// URI
mqtt://a:99999             not a URI of the form mqtt://host: %s
mqtt://a?keep=1            the URI has a parameter that is none of proxy, protocol, clientId, clientIdPrefix, keepAlive, cleanStart, sessionExpiry, connectTimeout, receiveMaximum, maxPacketSize, topicAliasMaximum, outgoingTopicAliases, responseTopic, resubscribe, followServerReference, reconnectMin, reconnectMax, reconnectJitterPercent, reconnectAttempts, queueMaxMessages, queueMaxBytes, overflow, inboxMaxMessages, inboxMaxBytes, caFile, certFile, keyFile, keyPassphrase, serverName, minVersion, insecure
mqtt://a?keepAlive=secret  the parameter "keepAlive" in the URI must be a whole number
mqtts://a?keyPassphrase=se&cret the URI has a parameter that is none of proxy, protocol, clientId, clientIdPrefix, keepAlive, cleanStart, sessionExpiry, connectTimeout, receiveMaximum, maxPacketSize, topicAliasMaximum, outgoingTopicAliases, responseTopic, resubscribe, followServerReference, reconnectMin, reconnectMax, reconnectJitterPercent, reconnectAttempts, queueMaxMessages, queueMaxBytes, overflow, inboxMaxMessages, inboxMaxBytes, caFile, certFile, keyFile, keyPassphrase, serverName, minVersion, insecure
mqtt://a?proxy=http://u:se&cret@b the URI has a parameter that is none of proxy, protocol, clientId, clientIdPrefix, keepAlive, cleanStart, sessionExpiry, connectTimeout, receiveMaximum, maxPacketSize, topicAliasMaximum, outgoingTopicAliases, responseTopic, resubscribe, followServerReference, reconnectMin, reconnectMax, reconnectJitterPercent, reconnectAttempts, queueMaxMessages, queueMaxBytes, overflow, inboxMaxMessages, inboxMaxBytes, caFile, certFile, keyFile, keyPassphrase, serverName, minVersion, insecure
mqtt://user:12?secret@a    the URI has a parameter that is none of proxy, protocol, clientId, clientIdPrefix, keepAlive, cleanStart, sessionExpiry, connectTimeout, receiveMaximum, maxPacketSize, topicAliasMaximum, outgoingTopicAliases, responseTopic, resubscribe, followServerReference, reconnectMin, reconnectMax, reconnectJitterPercent, reconnectAttempts, queueMaxMessages, queueMaxBytes, overflow, inboxMaxMessages, inboxMaxBytes, caFile, certFile, keyFile, keyPassphrase, serverName, minVersion, insecure
mqtt://user:12?sec&ret@a   the URI has a parameter that is none of proxy, protocol, clientId, clientIdPrefix, keepAlive, cleanStart, sessionExpiry, connectTimeout, receiveMaximum, maxPacketSize, topicAliasMaximum, outgoingTopicAliases, responseTopic, resubscribe, followServerReference, reconnectMin, reconnectMax, reconnectJitterPercent, reconnectAttempts, queueMaxMessages, queueMaxBytes, overflow, inboxMaxMessages, inboxMaxBytes, caFile, certFile, keyFile, keyPassphrase, serverName, minVersion, insecure
mqtt://a?keepAlive=70000   keepAlive must be 0 to 65535, 70000 given
mqtt://a?cleanStart=maybe  the parameter "cleanStart" in the URI must be true or false
mqtt://a?protocol=6        the parameter "protocol" in the URI must be 3, 4 or 5
mqtt://%FF                 %s
