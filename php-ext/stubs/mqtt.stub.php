<?php

/**
 * The PHP interface of the extension `mqtt`.
 *
 * This file is the one description of that interface: editors read it for completion, `shim/mqtt_arginfo.h` is
 * generated from it (see the README), and a test compares it with what the loaded extension says through Reflection.
 *
 * Unless a method says otherwise:
 * - strings are binary-safe, times are seconds, sizes are bytes;
 * - no method waits, except where it takes a timeout;
 * - `@throws` lists what a caller may want to handle; a wrong argument type is a TypeError as everywhere in PHP.
 *
 * @generate-class-entries
 */

namespace Mqtt {

    /** How hard a message is delivered (MQTT 5.0 section 4.3). */
    enum Qos: int
    {
        /** Sent once, never acknowledged. */
        case AtMostOnce = 0;
        /** Sent until acknowledged; may arrive twice. */
        case AtLeastOnce = 1;
        /** Arrives once. */
        case ExactlyOnce = 2;
    }

    /** Protocol level of a connection. */
    enum Protocol: int
    {
        /** MQTT 3.1 */
        case V31 = 3;
        /** MQTT 3.1.1 */
        case V311 = 4;
        /** MQTT 5.0 */
        case V5 = 5;
    }

    /** What MQTT is carried by. */
    enum Transport: string
    {
        /** TCP, port 1883. */
        case Tcp = 'tcp';
        /** TLS over TCP, port 8883. */
        case Tls = 'tls';
        /** WebSocket, port 80. */
        case WebSocket = 'ws';
        /** WebSocket over TLS, port 443. */
        case SecureWebSocket = 'wss';
        /** A Unix socket. */
        case Unix = 'unix';
    }

    /** A version of TLS. */
    enum TlsVersion: string
    {
        case V12 = '1.2';
        case V13 = '1.3';
    }

    /** What the connection behind a client does now. */
    enum State: string
    {
        /** There is no connection, as there was nothing to do on one: before the first use, and after `mqtt.idle_disconnect_s` without any. */
        case Idle = 'idle';
        /** A connection is being made. */
        case Connecting = 'connecting';
        /** The broker has accepted the connection. */
        case Connected = 'connected';
        /** The connection was lost or refused; the next attempt is waited for. */
        case Backoff = 'backoff';
        /** Closed for good: by close(), or because the broker's answer allows no further attempt. */
        case Closed = 'closed';
    }

    /** How far a message has come. */
    enum DeliveryState: string
    {
        /** It waits in this process. */
        case Queued = 'queued';
        /** It was handed to the connection at least once. */
        case Sent = 'sent';
        /** QoS 2: the broker has it and the handshake goes on. */
        case Received = 'received';
        /** QoS 1 and 2: acknowledged by the broker. QoS 0: handed to the connection. */
        case Done = 'done';
        /** It ended without success; reasonCode() and reasonString() say why. */
        case Failed = 'failed';
        /** Its message expiry passed before it could be sent. */
        case Expired = 'expired';
    }

    /** Who acknowledges a received message of QoS 1 or 2, and when. */
    enum AckMode: string
    {
        /** The extension, when the message arrives. */
        case OnReceive = 'receive';
        /**
         * The extension, after the handler returned. If the handler threw, the message is rejected with 0x80. In a loop over
         * consume() the body of the loop is the handler.
         */
        case AfterHandler = 'after-handler';
        /** The application, by Message::ack() or Message::reject(). A message that is let go without either is rejected with 0x80. */
        case Manual = 'manual';
    }

    /** What happens to a message when the outbound queue is full. */
    enum Overflow: string
    {
        /** publish() throws a QueueFullException. */
        case Reject = 'reject';
        /** The oldest queued message fails to make room. */
        case DropOldest = 'drop-oldest';
        /** The new message fails at once. */
        case DropNewest = 'drop-newest';
    }

    /** Whether a new subscription gets the retained messages (MQTT 5.0 section 3.8.3.1). */
    enum RetainHandling: int
    {
        /** Always. */
        case Send = 0;
        /** Only if the subscription did not exist. */
        case SendIfNew = 1;
        /** Never. */
        case DontSend = 2;
    }

    /** What code that only publishes needs. A double of it in tests returns Delivery::fake() and Batch::fake(). */
    interface Publisher
    {
        /**
         * Queues one message and returns at once; the network is used by a background thread of the process.
         *
         * @param string $payload also int, float and Stringable, as PHP converts them to string
         * @param Qos|null $qos null means Qos::AtLeastOnce
         * @throws Exception\InvalidTopicException the topic is empty, too long, not UTF-8 or has a wildcard
         * @throws Exception\QueueFullException the outbound queue is full; nothing was queued
         * @throws Exception\PublishException the message is larger than the broker takes, or needs what it does not offer; nothing was queued
         * @throws Exception\InvalidOptionException the properties do not fit into a packet
         * @throws Exception\ConnectionException the connection has ended for good, with the cause
         * @throws Exception\ClosedException the client is closed, or belongs to the process this one was forked from
         */
        public function publish(string $topic, string $payload, ?Qos $qos = null, bool $retain = false, ?Properties $properties = null): Delivery;

        /**
         * Queues many messages. Keys, topics and properties are all checked before the first is queued. A message that is
         * refused after that (the queue is full, it is too large) is a failed delivery of the batch, so that the others
         * can still be waited for.
         *
         * A generator may give the same key again, which is refused: `yield from` a second list does, and so do two
         * devices of one name. Name the keys yourself there.
         *
         * @param iterable<array-key,Outgoing|array{string,string}> $messages the keys come back in the BatchResult
         * @param Qos|null $qos for those that name none; null means Qos::AtLeastOnce
         * @throws Exception\InvalidTopicException
         * @throws Exception\InvalidOptionException a key comes twice, or the properties of a message do not fit into a packet; nothing was queued
         * @throws Exception\ConnectionException the connection has ended for good, with the cause
         * @throws Exception\ClosedException
         */
        public function publishMany(iterable $messages, ?Qos $qos = null): Batch;

        /**
         * Waits until every message queued so far has its outcome, or the time is over. Never throws for the time.
         *
         * @throws Exception\ClosedException
         */
        public function flush(float $timeout = 5.0): FlushResult;
    }

    /** What code that receives needs. A double of it in tests returns Subscription::fake() and MessageIterator::fake(). */
    interface Subscriber
    {
        /**
         * Asks for messages. The request is sent in the background and again after each reconnect that lost the
         * session; Subscription::wait() tells the broker's answer.
         *
         * A handler is called as `fn(Message $message, Client $client)` inside run(), poll() and consume(), never in
         * between. Messages of a subscription without a handler come out of consume().
         *
         * A handler may call those three itself, and handlers nest then. Where 256 are on top of each other (of one
         * fiber, if they run in one), the three throw an \Error and take no message.
         *
         * @param string|array<int|string,string|Qos> $filters one Topic Filter, a list of them, or a map from Topic Filter to Qos
         * @param Qos|null $qos for filters that name none; null means Qos::AtLeastOnce
         * @param AckMode|null $ack null means AckMode::OnReceive
         * @param RetainHandling|null $retainHandling null means RetainHandling::Send
         * @param int|null $subscriptionId 1 to 268435455: a number of your own, which the messages of this call have in
         *     Message::$subscriptionIds
         * @param Properties|null $properties with nothing but user properties, which are sent with the request, and again
         *     whenever it has to be repeated; a connection older than MQTT 5.0 takes none
         * @throws Exception\InvalidTopicException
         * @throws Exception\InvalidOptionException other properties
         * @throws Exception\SubscribeException the broker does not offer what was asked for
         * @throws Exception\QueueFullException too many requests wait for the broker's answer
         * @throws Exception\ClosedException
         */
        public function subscribe(string|array $filters, ?callable $handler = null, ?Qos $qos = null, ?AckMode $ack = null, bool $noLocal = false, bool $retainAsPublished = false, ?RetainHandling $retainHandling = null, ?int $subscriptionId = null, ?Properties $properties = null): Subscription;

        /**
         * Takes filters back and waits for the broker's answer.
         *
         * @param string|list<string> $filters
         * @throws Exception\InvalidTopicException
         * @throws Exception\TimeoutException
         * @throws Exception\ClosedException
         */
        public function unsubscribe(string|array $filters, float $timeout = 5.0): void;

        /**
         * Messages as they come, for foreach. Ends when the time is over, after `limit` messages, by stop(), when the
         * client is closed, or after a signal handler of PHP ran. Handlers are called on the way.
         *
         * @param float|null $timeout counted from the first use of the iterator; null: no end
         * @throws Exception\ClosedException
         */
        public function consume(?float $timeout = null, ?int $limit = null): MessageIterator;

        /**
         * Calls handlers as messages come. Returns how many messages were handled when the time is over, after `limit`
         * messages, by stop(), or after a signal handler of PHP ran. An exception from a handler comes out unchanged;
         * messages behind it stay queued.
         *
         * @param float|null $timeout null: no end
         * @throws Exception\ConnectionException the broker refused for good
         * @throws Exception\ClosedException
         * @throws \Error handlers are nested 256 deep
         */
        public function run(?float $timeout = null, ?int $limit = null): int;

        /**
         * Calls handlers for the messages that are here now. Never waits.
         *
         * @throws Exception\ConnectionException the broker refused for good
         * @throws Exception\ClosedException
         * @throws \Error handlers are nested 256 deep
         */
        public function poll(): int;

        /** Ends the run() or consume() that is under way; for handlers and signals. */
        public function stop(): void;

        /**
         * A stream that is readable while poll() has work, for event loops: stream_select(), Revolt's onReadable(), React's
         * addReadStream(), Swoole's Event::add(). Whenever it is readable, call poll(). Reading from it gives nothing.
         *
         * It belongs to the caller, who may close it at any time. Once the client is closed or gone, it is never readable
         * again, and neither is it in a forked child.
         *
         * @return resource
         * @throws Exception\ConnectionException the operating system has no descriptor left
         * @throws Exception\ClosedException
         */
        public function stream();
    }

    /**
     * A connection to a broker, kept by a background thread of the process: keep-alive, acknowledgements and
     * reconnecting go on whatever PHP code does. It is made at the first use, not by the constructor.
     *
     * @strict-properties
     * @not-serializable
     */
    final class Client implements Publisher, Subscriber
    {
        /** Handlers of this object's subscriptions, by subscription number; held here so that the garbage collector sees them. */
        private array $handlers = [];
        /** What onState() was given. */
        private mixed $stateHandler = null;
        /** What setLogger() was given. */
        private mixed $logger = null;

        /**
         * A connection of this object's own. It is closed when the object goes or the request ends, at most
         * `mqtt.shutdown_timeout_ms` later.
         *
         * @param string|Options $broker a URL such as `mqtt://user:password@host:1883?keepAlive=30`, or options
         * @throws Exception\InvalidOptionException
         */
        public function __construct(#[\SensitiveParameter] string|Options $broker) {}

        /**
         * The connection of this process (of this thread, in a ZTS PHP) that has these options. It is made by the first request that needs it and
         * used by all later ones. Within one request, the same options give the same object, until its connection has
         * ended for good (State::Closed): then a new one.
         *
         * @param string|Options $broker '' takes `mqtt.default_uri`
         * @param string|null $id a name of your own instead of the hash of the options
         * @throws Exception\InvalidOptionException no broker was given, or the id is in use with other options
         * @throws Exception\ConnectionException `mqtt.max_persistent` connections exist already
         */
        public static function persistent(#[\SensitiveParameter] string|Options $broker = '', ?string $id = null): Client {}

        /**
         * Starts the connection and waits until the broker has accepted it. Optional: the first use starts it as well.
         * Attempts that fail are repeated until the time is over; the last cause is then in the exception.
         *
         * @throws Exception\ConnectionException names the address and the cause
         * @throws Exception\AuthException the broker refused the credentials
         * @throws Exception\TimeoutException nobody answered, and nothing failed, in that time
         * @throws Exception\ClosedException
         */
        public function connect(float $timeout = 5.0): Connack {}

        public function publish(string $topic, string $payload, ?Qos $qos = null, bool $retain = false, ?Properties $properties = null): Delivery {}

        public function publishMany(iterable $messages, ?Qos $qos = null): Batch {}

        public function flush(float $timeout = 5.0): FlushResult {}

        public function subscribe(string|array $filters, ?callable $handler = null, ?Qos $qos = null, ?AckMode $ack = null, bool $noLocal = false, bool $retainAsPublished = false, ?RetainHandling $retainHandling = null, ?int $subscriptionId = null, ?Properties $properties = null): Subscription {}

        public function unsubscribe(string|array $filters, float $timeout = 5.0): void {}

        /**
         * Publishes a request and waits for its response: MQTT 5.0 only. The message gets a Response Topic, which is that of
         * the options for all requests of this client, and Correlation Data of its own, by which the response is known.
         * Whoever answers does so with Message::reply(). Handlers are not called meanwhile; signal handlers are.
         *
         * A request without a response within the time may still have been received. A response that comes later is dropped.
         *
         * @param Qos|null $qos null means Qos::AtLeastOnce
         * @param Properties|null $properties with neither a Response Topic nor Correlation Data
         * @throws Exception\TimeoutException no response in time
         * @throws Exception\PublishException nobody subscribes to the topic, the broker refused the message, or the connection is older than MQTT 5.0
         * @throws Exception\SubscribeException the broker refused the subscription to the Response Topic
         * @throws Exception\InvalidTopicException
         * @throws Exception\InvalidOptionException
         * @throws Exception\QueueFullException
         * @throws Exception\ConnectionException the connection has ended for good, with the cause
         * @throws Exception\ClosedException
         */
        public function request(string $topic, string $payload, float $timeout = 5.0, ?Qos $qos = null, ?Properties $properties = null): Message {}

        public function consume(?float $timeout = null, ?int $limit = null): MessageIterator {}

        public function run(?float $timeout = null, ?int $limit = null): int {}

        public function poll(): int {}

        public function stop(): void {}

        /** @return resource */
        public function stream() {}

        /**
         * Has a function called when the state of the connection changes, as `fn(State $state, ?string $cause, Client $client)`:
         * inside poll(), run(), consume() and whatever waits, never in between. `cause` says why there is no connection.
         * Changes from here on are told, each of them, in order; where more than 256 happen before PHP looks, the oldest
         * are left out. null takes it back.
         *
         * The function may do whatever a handler may. An exception ends the call inside which it is thrown.
         */
        public function onState(?callable $handler): void {}

        /**
         * Has the life of the connection logged, in the places where onState() tells of it: attempts as `debug`, connections
         * that come and go as `info`, attempts that failed as `warning`, an end for good as `error`. As `warning` too, once
         * each with their `count` in the context: messages that were dropped because the queue was full, or not delivered,
         * received ones that were dropped or let go without ack() or reject(), and subscriptions that the broker refused
         * after a reconnect. Of a persistent client, those of earlier requests that no logger heard of are among them.
         *
         * Neither payloads nor secrets are ever logged. What is below `mqtt.log_level` is left out. null takes it back.
         *
         * @param \Psr\Log\LoggerInterface|null $logger or any object with its method log($level, $message, $context)
         */
        public function setLogger(?object $logger): void {}

        /** What the connection does now. */
        public function state(): State {}

        /** Counters and facts, as of now. */
        public function status(): Status {}

        /**
         * Waits for open acknowledgements, then disconnects. For a persistent client this ends the connection for
         * every later request too. The object cannot be used afterwards.
         *
         * @return bool whether every message had its outcome before the connection was closed
         */
        public function close(float $timeout = 2.0): bool {}
    }

    /**
     * What became of one publish().
     *
     * @strict-properties
     * @not-serializable
     */
    final class Delivery
    {
        private function __construct() {}

        /**
         * A delivery for tests of code that publishes: what a double of Publisher returns. It is what it is made as; wait()
         * never waits, and throws as it would after its time where the state is not `Done`.
         *
         * @param DeliveryState|null $state null means DeliveryState::Done
         * @param int|null $reasonCode of a Done one 0 to 127, null means 0; of a Failed one 128 to 255
         * @throws Exception\InvalidOptionException no delivery in this state has this code
         */
        public static function fake(?DeliveryState $state = null, ?int $reasonCode = null, ?string $reasonString = null): Delivery {}

        public function state(): DeliveryState {}

        /** Reason Code of the outcome (0 to 255), null while there is none. Before MQTT 5.0 an acknowledgement is 0. */
        public function reasonCode(): ?int {}

        /** What is known of a failure: the broker's Reason String, or the cause found here. */
        public function reasonString(): ?string {}

        /**
         * Whether a subscriber matched: false when an MQTT 5.0 broker answered 0x10 (nobody subscribes), true when it
         * acknowledged without that. null while there is no acknowledgement, and before MQTT 5.0. A broker may leave
         * 0x10 out; then it is always true.
         */
        public function matched(): ?bool {}

        /** Whether the outcome is there, good or bad. */
        public function isDone(): bool {}

        /**
         * Waits for the outcome. PHP signal handlers run meanwhile.
         *
         * @throws Exception\TimeoutException no outcome yet; the message stays under way
         * @throws Exception\PublishException it failed or expired
         * @throws Exception\ClosedException it belongs to the process this one was forked from
         */
        public function wait(float $timeout = 5.0): static {}
    }

    /**
     * What became of a publishMany(): a Delivery per message, under the key of the message.
     *
     * @strict-properties
     * @not-serializable
     */
    final class Batch implements \Countable, \IteratorAggregate
    {
        private function __construct() {}

        /**
         * A batch for tests of code that publishes: what a double of Publisher returns.
         *
         * @param array<array-key,Delivery> $deliveries made by Delivery::fake()
         */
        public static function fake(array $deliveries): Batch {}

        public function count(): int {}

        /** @return \ArrayIterator<array-key, Delivery> */
        public function getIterator(): \ArrayIterator {}

        /**
         * Waits until every message has its outcome, or the time is over. Never throws for the time.
         *
         * @throws Exception\ClosedException
         */
        public function wait(float $timeout = 5.0): BatchResult {}
    }

    /**
     * What became of a subscribe().
     *
     * @strict-properties
     * @not-serializable
     */
    final class Subscription
    {
        /** The client, kept while this object is. */
        private Client $client;

        private function __construct() {}

        /**
         * A subscription for tests of code that subscribes: what a double of Subscriber returns. wait() never waits, and
         * unsubscribe() does nothing.
         *
         * @param array<string,int> $reasonCodes Reason Code by Topic Filter, as of reasonCodes()
         */
        public static function fake(array $reasonCodes = []): Subscription {}

        /** @return list<string> */
        public function filters(): array {}

        /** @return array<string, int>|null Reason Code by Topic Filter (0, 1, 2 are the granted QoS), null while the broker has not answered */
        public function reasonCodes(): ?array {}

        /**
         * Waits for the broker's answer.
         *
         * @throws Exception\TimeoutException
         * @throws Exception\SubscribeException the broker refused at least one filter
         * @throws Exception\ConnectionException the broker refused the connection for good
         * @throws Exception\ClosedException
         */
        public function wait(float $timeout = 5.0): static {}

        /**
         * Takes the filters back and forgets the handler.
         *
         * @throws Exception\TimeoutException
         * @throws Exception\ClosedException
         */
        public function unsubscribe(float $timeout = 5.0): void {}
    }

    /**
     * See Subscriber::consume(). It can be walked once.
     *
     * @strict-properties
     * @not-serializable
     */
    final class MessageIterator implements \Iterator
    {
        /** The client, kept while this object is. */
        private Client $client;
        /** The message under the cursor. */
        private ?Message $message = null;
        /** What fake() was given. */
        private ?array $fakes = null;

        private function __construct() {}

        /**
         * An iterator for tests of code that consumes: what a double of Subscriber returns. It gives these messages and ends.
         *
         * @param array<Message> $messages
         */
        public static function fake(array $messages): MessageIterator {}

        public function current(): Message {}

        public function key(): int {}

        /** @throws Exception\MqttException as run() */
        public function next(): void {}

        /** @throws Exception\MqttException as run() */
        public function rewind(): void {}

        /** @throws Exception\MqttException as run() */
        public function valid(): bool {}
    }

    /**
     * A message that was received.
     *
     * @strict-properties
     * @not-serializable
     */
    final class Message implements \Stringable
    {
        public readonly string $topic;
        public readonly string $payload;
        public readonly Qos $qos;
        /** Whether it is the retained message of its topic. */
        public readonly bool $retain;
        /** Whether the broker may have sent it before. */
        public readonly bool $dup;
        public readonly ?Properties $properties;
        /** Seconds since 1970. */
        public readonly float $receivedAt;
        /** @var list<int> what subscribe() was given as subscriptionId, for each of its calls that the message is for */
        public readonly array $subscriptionIds;

        /** For tests of handlers; ack() and reject() of such a message do nothing. */
        public function __construct(string $topic, string $payload, Qos $qos = Qos::AtMostOnce, bool $retain = false, bool $dup = false, ?Properties $properties = null, float $receivedAt = 0.0, array $subscriptionIds = []) {}

        /**
         * Acknowledges it, with AckMode::Manual. Does nothing if it is settled already or QoS 0.
         */
        public function ack(): void {}

        /**
         * Refuses it, with AckMode::Manual. Does nothing if it is settled already or QoS 0.
         *
         * @param int $reasonCode 128 to 255; sent by MQTT 5.0 only
         * @param string $reason why, for the log of the broker: UTF-8, sent by MQTT 5.0 only, and left out where it would
         *        make the packet larger than the broker takes
         * @throws Exception\InvalidOptionException the code is none that a refusal may carry, or the reason is no UTF-8
         */
        public function reject(int $reasonCode = 0x80, string $reason = ''): void {}

        /**
         * Publishes an answer to the Response Topic, with the Correlation Data of this message.
         *
         * @throws Exception\InvalidTopicException the message names no Response Topic
         * @throws Exception\QueueFullException
         * @throws Exception\PublishException
         * @throws Exception\ClosedException
         */
        public function reply(string $payload, ?Qos $qos = null): Delivery {}

        /** The payload. */
        public function __toString(): string {}
    }

    /**
     * How to reach a broker. Values are checked when the object is made.
     *
     * @strict-properties
     * @not-serializable
     */
    final class Options
    {
        public readonly string $host;
        public readonly ?int $port;
        public readonly ?Transport $transport;
        public readonly ?string $path;
        /** A secret: never initialised, as the extension keeps the value where nothing in PHP can read it. */
        private readonly array $headers;
        public readonly ?Tls $tls;
        /** A secret: never initialised, as the extension keeps the value where nothing in PHP can read it. */
        private readonly ?string $proxy;
        public readonly ?Protocol $protocol;
        public readonly ?string $clientId;
        public readonly ?string $clientIdPrefix;
        public readonly ?string $username;
        /** A secret: never initialised, as the extension keeps the value where nothing in PHP can read it. */
        private readonly ?string $password;
        public readonly int $keepAlive;
        public readonly bool $cleanStart;
        public readonly int $sessionExpiry;
        public readonly ?float $connectTimeout;
        public readonly ?Will $will;
        public readonly array $userProperties;
        public readonly int $receiveMaximum;
        public readonly int $maxPacketSize;
        public readonly int $topicAliasMaximum;
        public readonly int $outgoingTopicAliases;
        public readonly ?string $responseTopic;
        public readonly bool $resubscribe;
        public readonly bool $followServerReference;
        public readonly float $reconnectMin;
        public readonly float $reconnectMax;
        public readonly int $reconnectJitterPercent;
        public readonly ?int $reconnectAttempts;
        public readonly ?int $queueMaxMessages;
        public readonly ?int $queueMaxBytes;
        public readonly Overflow $overflow;
        public readonly int $inboxMaxMessages;
        public readonly int $inboxMaxBytes;

        /**
         * @param string $host has no meaning for a Unix socket
         * @param int|null $port 1 to 65535; null takes the one that is registered for the transport
         * @param Transport|null $transport null: Transport::Tls if `tls` is given, otherwise Transport::Tcp
         * @param string|null $path of the Unix socket, or of the WebSocket URL (null: `/mqtt`)
         * @param list<array{string,string}> $headers further HTTP headers of the WebSocket handshake
         * @param Tls|null $tls null, where the transport has TLS, means new Tls()
         * @param string|null $proxy that leads to the broker: `http://user:password@host:port` for CONNECT of HTTP (port 80),
         *        or `socks5://user:password@host:port` (port 1080). It looks up the broker's name; its user and password go to
         *        it unencrypted. Environment variables are not looked at
         * @param Protocol|null $protocol null: MQTT 5.0, and 3.1.1 if the broker does not know it
         * @param string|null $clientId the exact Client Identifier; must differ between processes
         * @param string|null $clientIdPrefix begins a Client Identifier that is random otherwise; null takes `mqtt.client_id_prefix`
         * @param int $keepAlive 0 (off) to 65535 seconds
         * @param bool $cleanStart whether to drop the session the broker may still hold
         * @param int $sessionExpiry 0 to 4294967295 seconds the broker keeps the session after the connection is lost
         * @param float|null $connectTimeout seconds for one attempt; null takes `mqtt.connect_timeout`
         * @param list<array{string,string}> $userProperties of CONNECT, MQTT 5.0 only
         * @param int $receiveMaximum 1 to 65535 messages of QoS 1 and 2 the broker may send ahead of our acknowledgements
         * @param int $maxPacketSize 1 to 268435460 bytes of the largest packet accepted from the broker
         * @param int $topicAliasMaximum 0 to 65535 Topic Aliases that the broker may use, MQTT 5.0 only
         * @param int $outgoingTopicAliases 0 to 65535 Topic Aliases that this client uses, as far as the broker takes them, for the
         *        topics it published to last; more than 64 are never used; MQTT 5.0 only
         * @param string|null $responseTopic where responses to request() are to be published; null: `response/` and 32 random digits
         * @param bool $resubscribe whether subscriptions come back by themselves when the broker lost the session. If not, they
         *        are over then, but for those it has not answered yet: subscribe again after a Connack without sessionPresent.
         *        An MQTT 3.1 broker does not tell whether it kept the session: with one, they are over with each connection
         * @param bool $followServerReference whether to go where a broker points to that says Use another server or Server
         *        moved (MQTT 5.0 section 4.11). User name and password go there too
         * @param float $reconnectMin 0.001 to 86400 seconds before the first new attempt; they double with each that fails
         * @param float $reconnectMax seconds between attempts at most
         * @param int $reconnectJitterPercent 0 to 100 percent of each wait that are random: 100 draws it evenly between nothing
         *        and the whole, so that many clients that lost one broker do not come back together; 0 always waits the whole
         * @param int|null $reconnectAttempts null: no end
         * @param int|null $queueMaxMessages null takes `mqtt.queue_max_messages`
         * @param int|null $queueMaxBytes null takes `mqtt.queue_max_bytes`
         * @param int $inboxMaxMessages received messages that wait for poll(), run() or consume()
         * @param int $inboxMaxBytes bytes of them
         * @throws Exception\InvalidOptionException a value is out of its range
         */
        public function __construct(
            string $host = '127.0.0.1',
            ?int $port = null,
            ?Transport $transport = null,
            ?string $path = null,
            #[\SensitiveParameter] array $headers = [],
            ?Tls $tls = null,
            #[\SensitiveParameter] ?string $proxy = null,
            ?Protocol $protocol = null,
            ?string $clientId = null,
            ?string $clientIdPrefix = null,
            ?string $username = null,
            #[\SensitiveParameter] ?string $password = null,
            int $keepAlive = 60,
            bool $cleanStart = true,
            int $sessionExpiry = 0,
            ?float $connectTimeout = null,
            ?Will $will = null,
            array $userProperties = [],
            int $receiveMaximum = 1024,
            int $maxPacketSize = 16777216,
            int $topicAliasMaximum = 0,
            int $outgoingTopicAliases = 0,
            ?string $responseTopic = null,
            bool $resubscribe = true,
            bool $followServerReference = false,
            float $reconnectMin = 0.5,
            float $reconnectMax = 60.0,
            int $reconnectJitterPercent = 100,
            ?int $reconnectAttempts = null,
            ?int $queueMaxMessages = null,
            ?int $queueMaxBytes = null,
            Overflow $overflow = Overflow::Reject,
            int $inboxMaxMessages = 1024,
            int $inboxMaxBytes = 16777216,
        ) {}

        /**
         * Options from `mqtt://user:password@host:port?name=value`; with `mqtts` over TLS, with `ws` and `wss` and a path over
         * WebSocket, and from `unix:///path/of/socket`. Query names are those of the constructor, and those of Tls.
         *
         * @throws Exception\InvalidOptionException
         */
        public static function fromUri(#[\SensitiveParameter] string $uri): Options {}

        /**
         * A copy with some values changed, given by name.
         *
         * @throws Exception\InvalidOptionException
         */
        public function with(#[\SensitiveParameter] mixed ...$changes): Options {}
    }

    /**
     * How TLS is spoken: by rustls, 1.2 and 1.3. By default the broker's certificate must lead to an authority that the
     * system trusts, be valid now, and be for the host that was asked for. Files are PEM, read when a client is made; a relative
     * path is taken from the working directory of then.
     *
     * @strict-properties
     * @not-serializable
     */
    final class Tls
    {
        public readonly ?string $caFile;
        public readonly ?string $caPem;
        public readonly ?string $certFile;
        public readonly ?string $keyFile;
        /** A secret: never initialised, as the extension keeps the value where nothing in PHP can read it. */
        private readonly ?string $keyPassphrase;
        public readonly ?string $serverName;
        public readonly array $alpn;
        public readonly TlsVersion $minVersion;
        public readonly bool $insecure;

        /**
         * @param string|null $caFile authorities to trust in place of those of the system; or the broker's own certificate, if it is self-signed
         * @param string|null $caPem the same, as text
         * @param string|null $certFile certificate of this client, with those that lead to its authority
         * @param string|null $keyFile its private key; null where it is in certFile, too
         * @param string|null $keyPassphrase opens the private key, if it is encrypted (PKCS #8 with AES); not shown by var_dump() and its like
         * @param string|null $serverName asked for, and to be found in the certificate; null takes the host
         * @param list<string> $alpn application protocols to offer, best first
         * @param TlsVersion $minVersion the oldest version to speak
         * @param bool $insecure takes any certificate: ANYBODY ON THE WAY CAN THEN READ AND CHANGE EVERYTHING, passwords included
         * @throws Exception\InvalidOptionException names the file and what is wrong with it
         */
        public function __construct(?string $caFile = null, ?string $caPem = null, ?string $certFile = null, ?string $keyFile = null, #[\SensitiveParameter] ?string $keyPassphrase = null, ?string $serverName = null, array $alpn = [], TlsVersion $minVersion = TlsVersion::V12, bool $insecure = false) {}
    }

    /**
     * Properties of a message; MQTT 5.0 only, so a publish that has them fails on an older connection.
     *
     * @strict-properties
     * @not-serializable
     */
    final class Properties
    {
        public readonly ?int $messageExpiry;
        public readonly ?string $contentType;
        public readonly bool $payloadFormatUtf8;
        public readonly ?string $responseTopic;
        public readonly ?string $correlationData;
        public readonly array $user;

        /**
         * @param int|null $messageExpiry seconds, 0 to 4294967295
         * @param bool $payloadFormatUtf8 whether the payload is UTF-8 text
         * @param list<array{string,string}> $user names may repeat
         * @throws Exception\InvalidOptionException
         */
        public function __construct(?int $messageExpiry = null, ?string $contentType = null, bool $payloadFormatUtf8 = false, ?string $responseTopic = null, ?string $correlationData = null, array $user = []) {}
    }

    /**
     * The message that the broker publishes when this client is lost. A client that only publishes from web requests
     * should have none: a worker that is killed would trigger it.
     *
     * @strict-properties
     * @not-serializable
     */
    final class Will
    {
        public readonly string $topic;
        public readonly string $payload;
        public readonly Qos $qos;
        public readonly bool $retain;
        public readonly int $delay;
        public readonly ?Properties $properties;

        /**
         * @param int $delay seconds the broker waits first, MQTT 5.0 only
         * @throws Exception\InvalidTopicException
         * @throws Exception\InvalidOptionException
         */
        public function __construct(string $topic, string $payload, Qos $qos = Qos::AtMostOnce, bool $retain = false, int $delay = 0, ?Properties $properties = null) {}
    }

    /**
     * One message for publishMany().
     *
     * @strict-properties
     * @not-serializable
     */
    final class Outgoing
    {
        public readonly string $topic;
        public readonly string $payload;
        public readonly ?Qos $qos;
        public readonly bool $retain;
        public readonly ?Properties $properties;

        /** @param Qos|null $qos null takes that of publishMany() */
        public function __construct(string $topic, string $payload, ?Qos $qos = null, bool $retain = false, ?Properties $properties = null) {}
    }

    /**
     * The broker's answer to a connection, and the limits that hold on it. A limit that an MQTT 5.0 broker does not name is
     * what section 3.2.2.3 says for that case. Before MQTT 5.0 no broker names any: they are the same then, but that neither
     * Subscription Identifiers nor shared subscriptions, which came with 5.0, are available.
     *
     * @strict-properties
     * @not-serializable
     */
    final class Connack
    {
        public readonly bool $sessionPresent;
        public readonly int $reasonCode;
        public readonly Protocol $protocol;
        /** The Client Identifier in use, chosen here or by the broker. */
        public readonly string $clientId;
        /** The Client Identifier that the broker chose, as `clientId: ''` lets it; null: it took this client's. */
        public readonly ?string $assignedClientId;
        /** Seconds, as agreed: the broker's number, where it gave one (Server Keep Alive). */
        public readonly int $keepAlive;
        /** Seconds the broker keeps the session when the connection is lost, as agreed; 0: not at all, 4294967295: without end. */
        public readonly int $sessionExpiry;
        /** The highest QoS the broker takes. */
        public readonly Qos $maximumQos;
        /** Whether it takes retained messages. */
        public readonly bool $retainAvailable;
        /** Largest packet the broker takes; null: no limit given. */
        public readonly ?int $maximumPacketSize;
        /** Messages of QoS 1 and 2 the broker takes ahead of its acknowledgements. */
        public readonly int $receiveMaximum;
        /** Topic Aliases the broker takes; 0: none. */
        public readonly int $topicAliasMaximum;
        /** Whether it takes Topic Filters with wildcards. */
        public readonly bool $wildcardSubscriptionAvailable;
        /** Whether it takes Subscription Identifiers, which `subscriptionId` does not need; false before MQTT 5.0. */
        public readonly bool $subscriptionIdentifiersAvailable;
        /** Whether it takes shared subscriptions, `$share/...`; false before MQTT 5.0, which has no word for them. */
        public readonly bool $sharedSubscriptionAvailable;

        private function __construct() {}
    }

    /**
     * Counters and facts of a client, as of Client::status().
     *
     * @strict-properties
     * @not-serializable
     */
    final class Status
    {
        public readonly State $state;
        public readonly bool $persistent;
        /**
         * What this process finds a persistent client by, as phpinfo() shows it: the id it was given, or # and a number that
         * stands for its options. Options that differ have another number. null: the client is not persistent.
         */
        public readonly ?string $persistentId;
        /** Client Identifier, null while there is no connection. */
        public readonly ?string $clientId;
        /** What the broker said when it accepted the present connection: its limits; null while there is no connection. */
        public readonly ?Connack $connack;
        /** Where the broker in use or tried last is: host:port, or unix: and a path. */
        public readonly ?string $address;
        /** Connections accepted by the broker so far: 1 in a second web request says that it used the first one's. */
        public readonly int $connections;
        /** Changes in a forked child. */
        public readonly int $generation;
        public readonly int $queuedMessages;
        public readonly int $queuedBytes;
        /** Sent and not yet acknowledged. */
        public readonly int $inFlight;
        public readonly int $sent;
        public readonly int $acknowledged;
        public readonly int $failed;
        public readonly int $received;
        /** Received messages that were dropped because the inbox was full. */
        public readonly int $dropped;
        /** Received messages that run() or poll() had no handler for. */
        public readonly int $unhandled;
        public readonly ?string $lastError;
        /** Age in seconds of the oldest message without an outcome. */
        public readonly ?float $oldestUnacknowledged;

        private function __construct() {}
    }

    /**
     * Result of flush().
     *
     * @strict-properties
     * @not-serializable
     */
    final class FlushResult
    {
        /** Messages that still have no outcome. */
        public readonly int $pending;
        /** Messages that ended without success since the last flush(). */
        public readonly int $failed;

        /** For tests of code that flushes. */
        public function __construct(int $pending = 0, int $failed = 0) {}
    }

    /**
     * Result of Batch::wait(): each key of the batch is in exactly one of done, failed and pending.
     *
     * @strict-properties
     * @not-serializable
     */
    final class BatchResult
    {
        /** @var list<array-key> acknowledged by the broker; at QoS 0 handed to the connection */
        public readonly array $done;
        /** @var list<array-key> ended without success */
        public readonly array $failed;
        /** @var list<array-key> no outcome yet */
        public readonly array $pending;
        /** @var list<array-key> those of done for which the broker said that nobody subscribes */
        public readonly array $unmatched;

        private function __construct() {}
    }
}

namespace Mqtt\Exception {

    /** On every exception that this extension throws. */
    interface MqttException extends \Throwable
    {
    }

    /** The broker cannot be reached, refused the connection, or the connection cannot be made again. */
    class ConnectionException extends \RuntimeException implements \Mqtt\Exception\MqttException
    {
        /** Reason Code of the broker, where there is one. Also the exception's code. */
        public readonly ?int $reasonCode;

        public function __construct(string $message = '', int $code = 0, ?\Throwable $previous = null, ?int $reasonCode = null) {}
    }

    /** The broker refused the credentials or the rights of this client. */
    class AuthException extends \Mqtt\Exception\ConnectionException
    {
    }

    /** The broker broke the protocol, or says that we did. */
    class ProtocolException extends \Mqtt\Exception\ConnectionException
    {
    }

    /** A message cannot be sent, or was refused. */
    class PublishException extends \RuntimeException implements \Mqtt\Exception\MqttException
    {
        public readonly ?int $reasonCode;

        public function __construct(string $message = '', int $code = 0, ?\Throwable $previous = null, ?int $reasonCode = null) {}
    }

    /** A subscription cannot be made, or was refused. */
    class SubscribeException extends \RuntimeException implements \Mqtt\Exception\MqttException
    {
        public readonly ?int $reasonCode;

        public function __construct(string $message = '', int $code = 0, ?\Throwable $previous = null, ?int $reasonCode = null) {}
    }

    /** The time is over. What was waited for may still happen. */
    class TimeoutException extends \RuntimeException implements \Mqtt\Exception\MqttException
    {
        public readonly ?int $reasonCode;

        public function __construct(string $message = '', int $code = 0, ?\Throwable $previous = null, ?int $reasonCode = null) {}
    }

    /** The outbound queue is full. Wait for deliveries, or try later. */
    class QueueFullException extends \RuntimeException implements \Mqtt\Exception\MqttException
    {
        public readonly ?int $reasonCode;

        public function __construct(string $message = '', int $code = 0, ?\Throwable $previous = null, ?int $reasonCode = null) {}
    }

    /** A Topic Name or Topic Filter breaks the rules of MQTT. */
    class InvalidTopicException extends \InvalidArgumentException implements \Mqtt\Exception\MqttException
    {
        public readonly ?int $reasonCode;

        public function __construct(string $message = '', int $code = 0, ?\Throwable $previous = null, ?int $reasonCode = null) {}
    }

    /** An option is unknown or out of its range, or what was given contradicts itself. */
    class InvalidOptionException extends \InvalidArgumentException implements \Mqtt\Exception\MqttException
    {
        public readonly ?int $reasonCode;

        public function __construct(string $message = '', int $code = 0, ?\Throwable $previous = null, ?int $reasonCode = null) {}
    }

    /** The client was closed, or belongs to the process this one was forked from. */
    class ClosedException extends \LogicException implements \Mqtt\Exception\MqttException
    {
        public readonly ?int $reasonCode;

        public function __construct(string $message = '', int $code = 0, ?\Throwable $previous = null, ?int $reasonCode = null) {}
    }
}
