--TEST--
A forked child: inherited objects throw ClosedException, nothing is written to the parent's connection, new clients work
--FILE--
<?php
require __DIR__ . '/support.inc';
use Mqtt\Client;
$broker = new Broker();
$topic = fresh_topic();
$own = new Client($broker->uri());
$persistent = Client::persistent($broker->uri());
$unused = new Client($broker->uri());
$own->subscribe($topic)->wait(30);
$persistent->connect(30);
$delivery = $own->publish('nobody/here', 'x');
$result = scratch_directory() . '/child.txt';
$pid = pcntl_fork();
if ($pid === 0) {
    $lines = [];
    foreach ([
        'own publish' => fn() => $own->publish('a', 'b'),
        'own run' => fn() => $own->run(1),
        'own flush' => fn() => $own->flush(1),
        'own subscribe' => fn() => $own->subscribe('a'),
        'persistent publish' => fn() => $persistent->publish('a', 'b'),
        'delivery' => fn() => $delivery->isDone() || $delivery->wait(1) ? throw new Mqtt\Exception\ClosedException('done') : 0,
    ] as $name => $use) {
        try {
            $use();
            $lines[] = "$name: nothing thrown";
        } catch (Mqtt\Exception\ClosedException $exception) {
            $lines[] = "$name: " . ($exception->getMessage() === 'done' ? 'closed' : (str_contains($exception->getMessage(), 'forked') ? 'forked' : $exception->getMessage()));
        }
    }
    $lines[] = 'own state ' . $own->state()->value . ', close ' . json_encode($own->close(0.1));
    $lines[] = 'never used before: ' . $unused->publish($topic, 'from unused')->wait(30)->state()->value;
    $again = Client::persistent($broker->uri());
    $lines[] = 'persistent again: ' . ($again === $persistent ? 'same' : 'new') . ' ' . $again->publish($topic, 'from persistent')->wait(30)->state()->value;
    file_put_contents($result, implode("\n", $lines) . "\n" . $again->status()->clientId);
    unset($own, $persistent, $delivery);
    gc_collect_cycles();
    kill_self();
}
pcntl_waitpid($pid, $status);
$lines = explode("\n", file_get_contents($result));
$childs_id = array_pop($lines);
echo implode("\n", array_map(fn($line) => str_replace('delivery: closed', 'delivery: forked', $line), $lines)), "\n";
// The parent's connections were not disturbed.
$received = [];
foreach ($own->consume(30, 2) as $message) {
    $received[] = $message->payload;
}
echo implode(', ', $received), "\n";
echo 'parent: ', $own->status()->connections, ' ', $persistent->status()->connections, ' ', $own->publish('a', 'b')->wait(30)->state()->value, ' ',
    $persistent->status()->clientId === $childs_id ? 'one client id for both' : 'client ids differ', "\n";
?>
--EXPECT--
own publish: forked
own run: forked
own flush: forked
own subscribe: forked
persistent publish: forked
delivery: forked
own state closed, close false
never used before: done
persistent again: new done
from unused, from persistent
parent: 1 1 done client ids differ
