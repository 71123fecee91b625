--TEST--
A password is shown neither by var_dump(), print_r(), var_export(), casts, nor in a stack trace
--INI--
zend.exception_ignore_args=0
--FILE--
<?php
use Mqtt\{Client, Options};
$options = Options::fromUri('ws://user:hunter2@127.0.0.1')->with(headers: [['Authorization', 'hunter2']], proxy: 'http://me:hunter2@proxy');
ob_start();
var_dump($options);
print_r($options);
var_export($options);
var_dump((array) $options, get_object_vars($options));
echo json_encode($options);
$shown = ob_get_clean();
try {
    new Options(port: 0, username: 'u', password: 'hunter2', proxy: 'http://me:hunter2@proxy');
} catch (Exception $exception) {
    $shown .= $exception;
    ob_start();
    var_dump($exception->getTrace());
    $shown .= ob_get_clean();
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
echo str_contains($shown, 'hunter2') ? "shown\n$shown" : "hidden\n";
echo str_contains($shown, '***') && str_contains($shown, 'user') ? "the rest is there\n" : $shown;
?>
--EXPECT--
fromUri: SensitiveParameterValue
__construct: SensitiveParameterValue
persistent: SensitiveParameterValue
hidden
the rest is there
