--TEST--
The stub and the loaded extension describe the same classes, members, types and defaults
--FILE--
<?php
require __DIR__ . '/reflection.inc';

exec(escapeshellarg(PHP_BINARY) . ' -n ' . escapeshellarg(__DIR__ . '/reflection.inc'), $output, $code);
$stub = json_decode(implode("\n", $output), true, flags: JSON_THROW_ON_ERROR);
$loaded = describe_mqtt();

foreach (array_diff($stub, $loaded) as $line) {
    echo "only in the stub:      $line\n";
}
foreach (array_diff($loaded, $stub) as $line) {
    echo "only in the extension: $line\n";
}
// Guards against comparing nothing with nothing.
echo $code, ' ', count($loaded) > 150 ? 'many' : count($loaded), ' lines, ', count($loaded) === count($stub) ? 'the same' : 'another', " number\n";
?>
--EXPECT--
0 many lines, the same number
