--TEST--
stream(): readable while poll() has work and not otherwise, for each client its own; harmless after close, without its client, and in a child
--FILE--
<?php
require __DIR__ . '/support.inc';
use Mqtt\Client;
$broker = new Broker();
[$one, $two] = [new Client($broker->uri()), new Client($broker->uri())];
[$topic_one, $topic_two] = [fresh_topic(), fresh_topic()];
$seen = [];
$handler = function ($message) use (&$seen) { $seen[] = (string) $message; };
$one->subscribe($topic_one, $handler)->wait(30);
$two->subscribe($topic_two, $handler)->wait(30);
[$first, $second] = [$one->stream(), $two->stream()];
$readable = function (float $seconds) use ($first, $second) {
    $read = ['one' => $first, 'two' => $second];
    $none = null;
    stream_select($read, $none, $none, (int) $seconds, (int) (fmod($seconds, 1) * 1e6));
    return implode(' ', array_keys($read)) ?: 'none';
};
echo get_resource_type($first), ', ', $readable(0), "\n";
// Published by another process, so that only the stream can tell.
$publish = fn(string $topic, string $payload) => run_php("(new Mqtt\\Client('{$broker->uri()}'))->publish('$topic', '$payload')->wait(30);");
$publish($topic_two, 'a');
echo $readable(60), ', ', $readable(0), ', polled ', $two->poll(), ', ', $readable(0), "\n";
// Again and again, until all of it was taken; what was here before the stream counts as well.
$publish($topic_one, 'b');
$publish($topic_one, 'c');
eventually(fn() => $one->status()->received === 2, 'both are here');
$another = $one->stream();
$read = [$another];
echo $readable(60), ', ', stream_select($read, $none, $none, 0), ' of another stream, ran ', $one->run(0, 1), ', ', $readable(0), ', polled ', $one->poll(), ', ', $readable(0), ': ', implode(' ', $seen), "\n";
// Reading takes nothing away.
$publish($topic_one, 'd');
echo $readable(60), ', read ', json_encode(fread($first, 10)), json_encode(feof($first)), ', ', $readable(0), "\n";
// In a child it is silent, whatever waits in the parent; a client of the child's own has its own.
$child = pcntl_fork();
if ($child === 0) {
    echo 'child: ', $readable(0);
    $own = new Client($broker->uri());
    $own->subscribe($topic_two, $handler)->wait(30);
    $own->publish($topic_two, 'of the child')->wait(30);
    $read = [$own->stream()];
    echo ', ', stream_select($read, $none, $none, 60), ' of its own, polled ', $own->poll(), "\n";
    kill_self();
}
pcntl_waitpid($child, $status);
echo 'parent: ', $readable(60), "\n";
// With a message still there: closed, or without its client, nothing is ever readable again.
$one->close(30);
eventually(fn() => $two->status()->received === 2, 'the message of the child is here');
echo 'closed: ', $readable(0), "\n";
unset($two);
gc_collect_cycles();
$publish($topic_two, 'e');
echo 'gone: ', $readable(0), "\n";
fclose($first);
fclose($second);
echo "done\n";
?>
--EXPECT--
stream, none
two, two, polled 1, none
one, 1 of another stream, ran 1, one, polled 1, none: a b c
one, read ""false, one
child: none, 1 of its own, polled 1
parent: one two
closed: two
gone: none
done
