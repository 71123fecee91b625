--TEST--
FPM: over many requests neither descriptors nor threads nor memory of the worker grow
--FILE--
<?php
require __DIR__ . '/fpm.inc';
$broker = new Broker();
$fpm = new Fpm();
$uri = $broker->uri();
$script = $fpm->script("
    \$client = Mqtt\\Client::persistent('$uri');
    \$client->subscribe('pile/here', function () { throw new Exception('x'); })->wait(30);
    \$client->publish('pile/here', str_repeat('x', 10000))->wait(30);
    try { \$client->run(30, 1); } catch (Exception) {}
    \$own = new Mqtt\\Client('$uri');
    \$own->publishMany([['pile/nobody', 'a'], ['pile/nobody', 'b']])->wait(30);
    \$status = file_get_contents('/proc/self/status');
    preg_match('/Threads:\s+(\d+)/', \$status, \$threads);
    preg_match('/VmRSS:\s+(\d+)/', \$status, \$resident);
    echo json_encode([count(scandir('/proc/self/fd')), (int) \$threads[1], (int) \$resident[1], \$client->status()->connections]);");
for ($i = 0; $i < 30; $i++) {
    $first = json_decode($fpm->request($script), true);
}
for ($i = 0; $i < 120; $i++) {
    $last = json_decode($fpm->request($script), true);
}
// Valgrind keeps what was freed, and finds what leaks by itself.
if (getenv('USE_ZEND_ALLOC') === '0') {
    $first[2] = $last[2];
}
// The connection of `$own` closes in the background, so one or two may still be there.
echo abs($last[0] - $first[0]) <= 4 ? 'descriptors stay' : "$first[0] descriptors became $last[0]", ', ',
    $last[1] === 2 ? 'one thread more' : "$last[1] threads", ', ',
    $last[2] - $first[2] < 3000 ? 'memory stays' : "$first[2] kB became $last[2] kB", ", $last[3] connection\n";
?>
--EXPECT--
descriptors stay, one thread more, memory stays, 1 connection
