--TEST--
FPM: after an opcache.preload that used the client, in the master or in a process of its own, workers have connections of their own
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
// As root, PHP preloads as another user in a process that ends with it, and as root itself in the master, as for any user.
$is_root = fileowner('/proc/self') === 0;
foreach ($is_root ? ['nobody', 'root'] : [null, null] as $place => $user) {
    $settings = ['zend_extension' => $opcache, 'opcache.enable' => 1, 'opcache.preload' => $preload];
    $fpm = new Fpm(2, $settings + ($user === null ? [] : ['opcache.preload_user' => $user]));
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
    echo $user === 'nobody' && $master !== 1 ? "but $master threads in the master" : 'and the master as it was', "\n";
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
