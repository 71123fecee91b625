--TEST--
FPM: the second request publishes through the first one's broker connection
--FILE--
<?php
require __DIR__ . '/fpm.inc';
$broker = new Broker();
$listener = new Mqtt\Client($broker->uri());
$topic = fresh_topic();
$listener->subscribe($topic)->wait(30);
$fpm = new Fpm();
$script = $fpm->script("
    \$client = Mqtt\\Client::persistent('{$broker->uri()}');
    \$delivery = \$client->publish('$topic', 'from ' . getmypid())->wait(30);
    \$status = \$client->status();
    echo json_encode([getmypid(), \$status->clientId, \$status->connections, \$status->acknowledged, \$delivery->matched()]);");
$answers = [];
for ($i = 0; $i < 4; $i++) {
    $answers[] = json_decode($fpm->request($script), true);
}
echo count(array_unique(array_column($answers, 0))), ' worker, ', count(array_unique(array_column($answers, 1))), " client id\n";
foreach ($answers as [, , $connections, $acknowledged, $matched]) {
    echo "$connections $acknowledged ", json_encode($matched), "\n";
}
echo count(iterator_to_array($listener->consume(30, 4))), " arrived\n";
?>
--EXPECT--
1 worker, 1 client id
1 1 true
1 2 true
1 3 true
1 4 true
4 arrived
