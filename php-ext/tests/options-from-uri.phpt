--TEST--
Options::fromUri(): every part, decoded; what it does not know is refused, and no value is repeated
--FILE--
<?php
use Mqtt\Options;
$options = Options::fromUri('mqtt://us%40er:se%2Fcret@broker.example:1884/?keepAlive=30&cleanStart=false&protocol=4&clientId=a%20b&connectTimeout=2.5&overflow=drop-oldest');
echo "$options->host $options->port $options->username $options->keepAlive ", var_export($options->cleanStart, true), " {$options->protocol->name} $options->clientId $options->connectTimeout {$options->overflow->name}\n";
echo Options::fromUri('mqtt://[::1]')->host, ' ', Options::fromUri('mqtt://[::1]')->port, "\n";
foreach (['', 'broker', 'mqtt://', 'http://a', 'mqtts://a', 'mqtt://a/path', 'mqtt://a#f', 'mqtt://a:99999', 'mqtt://a?keep=1', 'mqtt://a?keepAlive=secret',
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
::1 1883
                           not a URI of the form mqtt://host: %s
broker                     not a URI of the form mqtt://host: %s
mqtt://                    the URI names no host
http://a                   http:// is not a scheme of MQTT; use mqtt://
mqtts://a                  mqtts:// is not supported yet; use mqtt://
mqtt://a/path              an mqtt:// URI has neither a path nor a fragment
mqtt://a#f                 an mqtt:// URI has neither a path nor a fragment
mqtt://a:99999             not a URI of the form mqtt://host: %s
mqtt://a?keep=1            unknown parameter "keep" in the URI
mqtt://a?keepAlive=secret  the parameter "keepAlive" in the URI must be a whole number
mqtt://a?keepAlive=70000   keepAlive must be 0 to 65535, 70000 given
mqtt://a?cleanStart=maybe  the parameter "cleanStart" in the URI must be true or false
mqtt://a?protocol=6        the parameter "protocol" in the URI must be 3, 4 or 5
mqtt://%FF                 %s
