--TEST--
FPM: the master never has a thread, a worker has none before its first use and one after
--FILE--
<?php
require __DIR__ . '/fpm.inc';
$broker = new Broker();
$fpm = new Fpm();
$threads = fn(int $pid) => preg_match('/^Threads:\s+(\d+)/m', file_get_contents("/proc/$pid/status"), $found) ? (int) $found[1] : 0;
$idle = $fpm->script("new Mqtt\\Client('{$broker->uri()}'); Mqtt\\Client::persistent('{$broker->uri()}'); echo getmypid();");
$using = $fpm->script("Mqtt\\Client::persistent('{$broker->uri()}')->publish('a', 'b')->wait(30); echo getmypid();");
$worker = (int) $fpm->request($idle);
echo 'unused: ', $threads($worker), "\n";
for ($i = 0; $i < 3; $i++) {
    $same = (int) $fpm->request($using) === $worker;
}
echo 'used: ', $threads($worker), ' ', $same ? 'same worker' : 'another worker', "\n";
echo 'master: ', $threads($fpm->master()), "\n";
?>
--EXPECT--
unused: 1
used: 2 same worker
master: 1
