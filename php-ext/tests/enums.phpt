--TEST--
The enums have the values of the standard
--FILE--
<?php
use Mqtt\{Qos, Protocol, State, DeliveryState, AckMode, Overflow, RetainHandling};
foreach ([Qos::class, Protocol::class, State::class, DeliveryState::class, AckMode::class, Overflow::class, RetainHandling::class] as $enum) {
    echo $enum, ': ', implode(', ', array_map(fn($case) => "$case->name=$case->value", $enum::cases())), "\n";
}
var_dump(Qos::from(1) === Qos::AtLeastOnce, Qos::tryFrom(3));
?>
--EXPECT--
Mqtt\Qos: AtMostOnce=0, AtLeastOnce=1, ExactlyOnce=2
Mqtt\Protocol: V31=3, V311=4, V5=5
Mqtt\State: Idle=idle, Connecting=connecting, Connected=connected, Backoff=backoff, Closed=closed
Mqtt\DeliveryState: Queued=queued, Sent=sent, Received=received, Done=done, Failed=failed, Expired=expired
Mqtt\AckMode: OnReceive=receive, AfterHandler=after-handler, Manual=manual
Mqtt\Overflow: Reject=reject, DropOldest=drop-oldest, DropNewest=drop-newest
Mqtt\RetainHandling: Send=0, SendIfNew=1, DontSend=2
bool(true)
NULL
