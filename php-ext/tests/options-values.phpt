--TEST--
Options: defaults, named arguments, conversion, readonly, with()
--FILE--
<?php
use Mqtt\{Options, Protocol, Overflow, Will};
$options = new Options();
echo "$options->host $options->port $options->keepAlive ", json_encode([$options->protocol, $options->clientId, $options->cleanStart, $options->userProperties]), " {$options->overflow->name} $options->reconnectMin\n";
$options = new Options('broker.example', port: '8883', protocol: Protocol::V5, will: new Will('gone', 'x'), connectTimeout: 3);
var_dump($options->port, $options->connectTimeout, $options->protocol, $options->will->topic);
$changed = $options->with(port: 1, overflow: Overflow::DropOldest, password: 'p');
echo "$options->port {$options->overflow->name}, $changed->port {$changed->overflow->name} $changed->host\n";
foreach ([
    fn() => $options->port = 2,
    fn() => $options->__construct(),
    fn() => $options->with(prot: 1),
    fn() => $options->with(port: 'many'),
    fn() => new Options(port: []),
    fn() => new Options(nonsense: 1),
    fn() => $options->something = 1,
    fn() => serialize($options),
] as $wrong) {
    try {
        $wrong();
        echo "nothing thrown\n";
    } catch (Throwable $thrown) {
        echo get_class($thrown), ': ', $thrown->getMessage(), "\n";
    }
}
?>
--EXPECT--
127.0.0.1  60 [null,null,true,[]] Reject 0.5
int(8883)
float(3)
enum(Mqtt\Protocol::V5)
string(4) "gone"
8883 Reject, 1 DropOldest broker.example
Error: Cannot modify readonly property Mqtt\Options::$port
Error: Cannot modify readonly property Mqtt\Options::$host
Mqtt\Exception\InvalidOptionException: there is no option "prot"
TypeError: Cannot assign string to property Mqtt\Options::$port of type ?int
TypeError: Cannot assign array to property Mqtt\Options::$port of type ?int
Error: Unknown named parameter $nonsense
Error: Cannot create dynamic property Mqtt\Options::$something
Exception: Serialization of 'Mqtt\Options' is not allowed
