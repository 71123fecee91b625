--TEST--
Options: a file with strict types gets no conversions
--FILE--
<?php
declare(strict_types=1);
try {
    new Mqtt\Options(port: '1883');
} catch (TypeError $error) {
    echo $error->getMessage(), "\n";
}
try {
    (new Mqtt\Options())->with(port: '1883');
} catch (TypeError $error) {
    echo $error->getMessage(), "\n";
}
try {
    (new Mqtt\Client('mqtt://127.0.0.1'))->publish('a', 5);
} catch (TypeError $error) {
    echo $error->getMessage(), "\n";
}
// An int for a float is no conversion, here as everywhere.
var_dump((new Mqtt\Options(connectTimeout: 3))->connectTimeout);
?>
--EXPECT--
Cannot assign string to property Mqtt\Options::$port of type ?int
Cannot assign string to property Mqtt\Options::$port of type ?int
Mqtt\Client::publish(): Argument #2 ($payload) must be of type string, int given
float(3)
