--TEST--
Passwords, passphrases, headers and proxies are shown neither by var_dump() and its like, casts, loops and whatever reads private properties, nor in a stack trace
--INI--
zend.exception_ignore_args=0
--FILE--
<?php
use Mqtt\{Client, Options, Tls};
$secrets = ['password' => 'hunter2', 'headers' => [['Authorization', 'hunter2']], 'proxy' => 'http://me:hunter2@proxy'];
$options = Options::fromUri('wss://user@127.0.0.1?certFile=client.pem&keyPassphrase=hunter2')->with(...$secrets);
$refused = [];
ob_start();
foreach ([$options, $options->tls, clone $options, clone $options->tls] as $object) {
    var_dump($object);
    print_r($object);
    var_export($object);
    debug_zval_dump($object);
    var_dump((array) $object, get_object_vars($object));
    echo json_encode($object);
    foreach ($object as $value) {
        var_dump($value);
    }
    // What looks behind "private".
    var_dump(get_mangled_object_vars($object));
    foreach ([new ArrayObject($object), new ArrayIterator($object)] as $wrapped) {
        var_dump($wrapped, $wrapped->getArrayCopy(), (array) $wrapped, iterator_to_array($wrapped));
    }
    array_walk($object, function ($value): void { var_dump($value); });
    foreach ((new ReflectionObject($object))->getProperties(ReflectionProperty::IS_PRIVATE) as $property) {
        try {
            var_dump($property->getValue($object));
        } catch (Error $error) {
            $refused[] = $property->getName();
        }
    }
}
$refused = array_count_values($refused);
$shown = ob_get_clean();
// What throws, and what it was given.
foreach ([
    'Options' => fn() => new Options(...['port' => 0, ...$secrets]),
    'with' => fn() => $options->with(...['port' => 0, ...$secrets]),
    'with, of a wrong type' => fn() => $options->with(...[...$secrets, 'password' => ['hunter2']]),
    'with, without names' => fn() => $options->with('hunter2'),
    'with, without names and with' => fn() => $options->with('hunter2', ...$secrets),
    'Tls' => fn() => new Tls(keyPassphrase: 'hunter2'),
] as $what => $throw) {
    try {
        $throw();
        echo "$what: nothing thrown\n";
    } catch (Throwable $exception) {
        ob_start();
        echo $exception, $exception->getTraceAsString();
        var_dump($exception->getTrace());
        $trace = ob_get_clean();
        echo $what, str_contains($trace, 'SensitiveParameterValue') ? ': masked' : ': no arguments', "\n";
        $shown .= $trace;
    }
}
foreach ([Options::fromUri(...), fn($uri) => new Client($uri), Client::persistent(...)] as $take) {
    try {
        $take('mqtts://u:hunter2@127.0.0.1?minVersion=1&keyPassphrase=hunter2');
        echo "taken\n";
    } catch (Exception $exception) {
        // The frame of the extension's own method: that of the closure above is this script's.
        ['function' => $function, 'args' => [$uri]] = $exception->getTrace()[0];
        echo $function, ': ', get_debug_type($uri), "\n";
        $shown .= $exception->getMessage();
    }
}
echo json_encode($refused), "\n";
$telling = preg_grep('/hunter2/', explode("\n", $shown));
echo $telling ? "shown\n" . implode("\n", $telling) : "hidden", "\n";
echo str_contains($shown, '***') && str_contains($shown, 'user') ? "the rest is there\n" : "not there\n";
?>
--EXPECT--
Options: masked
with: masked
with, of a wrong type: masked
with, without names: masked
with, without names and with: masked
Tls: masked
fromUri: SensitiveParameterValue
__construct: SensitiveParameterValue
persistent: SensitiveParameterValue
{"headers":2,"proxy":2,"password":2,"keyPassphrase":2}
hidden
the rest is there
