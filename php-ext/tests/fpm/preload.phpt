--TEST--
FPM: clients of opcache.preload, in the master or in a process of its own, end with it; workers have connections of their own
--FILE--
<?php
require __DIR__ . '/fpm.inc';
$broker = new Broker();
$topic = fresh_topic();
$listener = new Mqtt\Client($broker->uri());
$listener->subscribe($topic)->wait(30);
$code = "
    \$client = Mqtt\\Client::persistent('{$broker->uri()}');
    \$client->publish('$topic', __FILE__ === (\$preloaded ?? '') ? 'preload' : 'worker')->wait(30);
";
$preload = scratch_directory() . '/preload.php';
chmod(dirname($preload), 0755);
file_put_contents($preload, '<?php $preloaded = __FILE__;' . $code);
$opcache = PHP_EXTENSION_DIR . '/opcache.so';
is_file($opcache) || fail("this test needs opcache, but there is no $opcache");
$threads = fn(int $pid) => preg_match('/^Threads:\s+(\d+)/m', file_get_contents("/proc/$pid/status"), $found) ? (int) $found[1] : 0;
// PHP preloads in a process of its own where it runs as root, and in the master where it does not.
$is_root = fileowner('/proc/self') === 0;
foreach ([true, false] as $as_root) {
    $settings = ['zend_extension' => $opcache, 'opcache.enable' => 1, 'opcache.preload' => $preload];
    $settings += $is_root && $as_root ? ['opcache.preload_user' => 'nobody'] : [];
    $fpm = new Fpm(2, $settings, user: $is_root && !$as_root ? 'nobody' : null);
    $script = $fpm->script($code . 'echo json_encode([$client->status()->clientId, $client->status()->connections]);');
    $waiting = [];
    // Both at once, so that each worker has one.
    for ($i = 0; $i < 2; $i++) {
        $waiting[] = $fpm->begin($script);
    }
    foreach ($waiting as $connection) {
        [, $connections] = json_decode($answer = $fpm->answer($connection), true) ?? fail($answer . $fpm->log());
        echo "$connections ";
    }
    $master = $threads($fpm->master());
    echo $master === 1 ? 'and the master as it was' : "but $master threads in the master", "\n";
    $received = [];
    foreach ($listener->consume(30, 3) as $message) {
        $received[] = $message->payload;
    }
    echo json_encode(array_count_values($received)), "\n";
}
?>
--EXPECT--
1 1 and the master as it was
{"preload":1,"worker":2}
1 1 and the master as it was
{"preload":1,"worker":2}
