--TEST--
FPM: a worker that is killed leaves the broker, the other worker and the next worker unharmed
--FILE--
<?php
require __DIR__ . '/fpm.inc';
$broker = new Broker();
$fpm = new Fpm(workers: 2);
$uri = $broker->uri();
$topic = fresh_topic();
$listener = new Mqtt\Client($uri);
$listener->subscribe($topic)->wait(30);
$seen = scratch_directory();
// Answers when both workers have been seen.
$script = $fpm->script("
    touch('$seen/' . getmypid());
    while (count(glob('$seen/*')) < 2) { usleep(1000); }
    \$client = Mqtt\\Client::persistent('$uri');
    echo getmypid(), ' ', \$client->publish('$topic', 'x')->wait(30)->state()->value, ' ', \$client->status()->connections;");
// Two requests at once, so that both workers have a connection.
[$first, $second] = [$fpm->begin($script), $fpm->begin($script)];
[$one, $done] = explode(' ', $fpm->answer($first), 2);
[$two, $also] = explode(' ', $fpm->answer($second), 2);
echo $one !== $two ? 'two workers' : 'one worker', ", $done, $also\n";
// Killed in the middle of a request that publishes without end.
$busy = $fpm->begin($fpm->script("
    \$client = Mqtt\\Client::persistent('$uri');
    for (\$count = 0; ; \$count++) {
        if (\$count === 1000) { file_put_contents(__FILE__ . '.pid', getmypid()); }
        try { \$client->publish('flood/nobody', str_repeat('x', 1000)); } catch (Mqtt\\Exception\\QueueFullException) { usleep(100); }
    }"));
$file = null;
eventually(function () use (&$file, $fpm) {
    $file = glob(dirname($fpm->socket) . '/*.php.pid')[0] ?? null;
    return $file !== null && file_get_contents($file) !== '';
}, 'the request runs');
$victim = (int) file_get_contents($file);
kill($victim, 9);
echo json_encode($fpm->answer($busy)), "\n";
$survivor = (string) ($victim === (int) $one ? $two : $one);
$seen = [];
for ($i = 0; $i < 6; $i++) {
    [$worker, $result] = explode(' ', $fpm->request($script), 2);
    $seen[$worker] = $result;
}
echo 'survivor: ', $seen[$survivor] ?? 'not asked', "\n";
echo isset($seen[(string) $victim]) ? 'a dead worker answered' : 'the dead one is gone', ', all ', implode(', ', array_unique($seen)), "\n";
echo $broker->isRunning() && $broker->isListening() ? 'broker is well' : 'broker is gone', ', ', count(iterator_to_array($listener->consume(30, 8))), " arrived\n";
?>
--EXPECT--
two workers, done 1, done 1
null
survivor: done 1
the dead one is gone, all done 1
broker is well, 8 arrived
