--TEST--
Doubles of Publisher and Subscriber return deliveries, batches, subscriptions and messages that no broker stands behind
--FILE--
<?php
require __DIR__ . '/support.inc';
use Mqtt\{AckMode, Batch, Delivery, DeliveryState, FlushResult, Message, MessageIterator, Properties, Publisher, Qos, RetainHandling, Subscriber, Subscription};
// What a test of an application has in place of Client: this, or what PHPUnit makes of the interfaces.
final class Recorder implements Publisher, Subscriber
{
    public array $published = [];
    /** @param list<Message> $messages */
    public function __construct(private Delivery $outcome, private array $messages = []) {}
    public function publish(string $topic, string $payload, ?Qos $qos = null, bool $retain = false, ?Properties $properties = null): Delivery
    {
        $this->published[] = "$topic: $payload";
        return $this->outcome;
    }
    public function publishMany(iterable $messages, ?Qos $qos = null): Batch
    {
        return Batch::fake(array_map(fn($message) => $this->publish(...$message), [...$messages]));
    }
    public function flush(float $timeout = 5.0): FlushResult
    {
        return new FlushResult(failed: 1);
    }
    public function subscribe(string|array $filters, ?callable $handler = null, ?Qos $qos = null, ?AckMode $ack = null, bool $noLocal = false,
        bool $retainAsPublished = false, ?RetainHandling $retainHandling = null, ?int $subscriptionId = null,
        ?Properties $properties = null): Subscription
    {
        return Subscription::fake([$filters => 1]);
    }
    public function unsubscribe(string|array $filters, float $timeout = 5.0): void {}
    public function consume(?float $timeout = null, ?int $limit = null): MessageIterator
    {
        return MessageIterator::fake($this->messages);
    }
    public function run(?float $timeout = null, ?int $limit = null): int { return 0; }
    public function poll(): int { return 0; }
    public function stop(): void {}
    public function stream() {}
}
function attempt(callable $do): void
{
    try {
        var_dump($do());
    } catch (Exception | Error $thrown) {
        echo get_class($thrown), ': ', $thrown->getMessage(), $thrown instanceof Mqtt\Exception\PublishException ? " ($thrown->reasonCode)" : '', "\n";
    }
}
function show(Delivery $delivery): string
{
    return $delivery->state()->name . ' ' . json_encode([$delivery->reasonCode(), $delivery->reasonString(), $delivery->matched(), $delivery->isDone()]);
}
$done = Delivery::fake();
echo show($done), $done->wait() === $done ? ", the same\n" : "\n";
echo show(Delivery::fake(reasonCode: 0x10)), "\n";
foreach (DeliveryState::cases() as $state) {
    echo show(Delivery::fake($state)), "\n";
}
attempt(fn() => Delivery::fake(DeliveryState::Failed, 0x97, 'no room')->wait());
attempt(fn() => Delivery::fake(DeliveryState::Expired)->wait());
attempt(fn() => Delivery::fake(DeliveryState::Sent)->wait(60));
attempt(fn() => Delivery::fake(DeliveryState::Done, 0x80));
attempt(fn() => Delivery::fake(DeliveryState::Queued, 0));
// The application under test.
$recorder = new Recorder($done, [new Message('t', 'one'), new Message('t', 'two')]);
$recorder->publishMany(['a' => ['x', '1'], 7 => ['y', '2']])->wait();
echo implode(', ', $recorder->published), ", {$recorder->flush()->failed} failed\n";
foreach ($recorder->consume() as $place => $message) {
    $message->ack();
    echo "$place $message\n";
}
$batch = Batch::fake(['done' => $done, 'nobody' => Delivery::fake(null, 16), 3 => Delivery::fake(DeliveryState::Failed), 'sent' => Delivery::fake(DeliveryState::Sent)]);
echo count($batch), ' ', json_encode($batch->wait(60)), ' ', json_encode(array_keys(iterator_to_array($batch))), "\n";
$subscription = $recorder->subscribe('a/#');
echo json_encode([$subscription->filters(), $subscription->reasonCodes(), $subscription->wait() === $subscription, $subscription->unsubscribe()], JSON_UNESCAPED_SLASHES), "\n";
attempt(fn() => Subscription::fake(['a' => 1, 'b' => 0x87])->wait());
attempt(fn() => Subscription::fake(['a' => 256]));
attempt(fn() => Batch::fake([1]));
attempt(fn() => MessageIterator::fake([$done]));
attempt(fn() => iterator_to_array(MessageIterator::fake([])));
echo threads() === 1 ? "no thread\n" : "threads\n";
?>
--EXPECT--
Done [0,null,true,true], the same
Done [16,null,false,true]
Queued [null,null,null,false]
Sent [null,null,null,false]
Received [null,null,null,false]
Done [0,null,true,true]
Failed [null,null,null,true]
Expired [null,null,null,true]
Mqtt\Exception\PublishException: no room (151)
Mqtt\Exception\PublishException: the message was not delivered ()
Mqtt\Exception\TimeoutException: a fake delivery has no acknowledgement to come
Mqtt\Exception\InvalidOptionException: no delivery in this state has this reason code
Mqtt\Exception\InvalidOptionException: no delivery in this state has this reason code
x: 1, y: 2, 1 failed
0 one
1 two
4 {"done":["done","nobody"],"failed":[3],"pending":["sent"],"unmatched":["nobody"]} ["done","nobody",3,"sent"]
[["a/#"],{"a/#":1},true,null]
Mqtt\Exception\SubscribeException: the broker refused the topic filter "b": 0x87 Not authorized
ValueError: Mqtt\Subscription::fake(): Argument #1 ($reasonCodes) must hold reason codes, 0 to 255
ValueError: Mqtt\Batch::fake(): Argument #1 ($deliveries) must hold deliveries made by Delivery::fake()
ValueError: Mqtt\MessageIterator::fake(): Argument #1 ($messages) must hold messages
array(0) {
}
no thread
