"""Checks an MQTT server with a client that this project did not write: Eclipse Paho for Python.

    python paho_checks.py URL [CA_FILE]

The scheme of the URL says the transport: mqtt, mqtts, ws or wss. All checks run over mqtt; over the others those that tell
whether the transport carries the packets. CA_FILE holds the authority of a server with TLS.

Prints the Test Anything Protocol: a plan, then one line per check. Every wait has an end.
"""

import queue
import sys
import time
import traceback
from urllib.parse import urlparse

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

URL = urlparse(sys.argv[1])
HOST, PORT = URL.hostname, URL.port
CA_FILE = sys.argv[2] if URL.scheme in ("mqtts", "wss") else None
LIMIT = 10.0
# Long enough for a message that must not come to have come.
QUIET = 0.3
VERSIONS = {"3.1": mqtt.MQTTv31, "3.1.1": mqtt.MQTTv311, "5": mqtt.MQTTv5}
CHECKS = []
# What the standard does not let two runs share.
RUN = f"{int(time.time() * 1000) % 10**9}"


class Failed(Exception):
    """A check that did not hold."""


def check(*versions, transport=False):
    """Registers a check for some versions, all when none is named; over each transport, or over TCP alone."""

    def register(function):
        if URL.scheme != "mqtt" and not transport:
            return function
        for version in versions or VERSIONS:
            CHECKS.append((f"{version}: {function.__doc__}", function, version))
        return function

    return register


def expect(what, actual, expected):
    if actual != expected:
        raise Failed(f"{what}: expected {expected!r}, got {actual!r}")


class Peer:
    """A connected client. What arrives waits in `messages`."""

    def __init__(self, version, client_id=None, clean=True, expiry=0, will=None, keep_alive=60):
        self.version = version
        self.messages = queue.Queue()
        self.published = queue.Queue()
        self.subscribed = queue.Queue()
        self.unsubscribed = queue.Queue()
        self.connected = queue.Queue()
        self.gone = queue.Queue()
        five = version == "5"
        arguments = {} if five else {"clean_session": clean}
        # Version 3.1 allows 23 characters.
        self.id = client_id or f"p{RUN}-{len(CHECKS)}-{id(self) % 10**6}"[:23]
        arguments["transport"] = "websockets" if URL.scheme in ("ws", "wss") else "tcp"
        self.client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=self.id, protocol=VERSIONS[version], **arguments)
        if URL.scheme in ("ws", "wss"):
            self.client.ws_set_options(path=URL.path)
        if CA_FILE:
            self.client.tls_set(ca_certs=CA_FILE)
        self.client.on_connect = lambda c, u, flags, reason, p: self.connected.put((flags, reason, p))
        self.client.on_disconnect = lambda c, u, flags, reason, p: self.gone.put((flags, reason))
        self.client.on_message = lambda c, u, message: self.messages.put(message)
        self.client.on_publish = lambda c, u, mid, reason, p: self.published.put((mid, reason))
        self.client.on_subscribe = lambda c, u, mid, reasons, p: self.subscribed.put(reasons)
        self.client.on_unsubscribe = lambda c, u, mid, reasons, p: self.unsubscribed.put(reasons)
        if will:
            self.client.will_set(*will)
        arguments = {}
        if five:
            properties = Properties(PacketTypes.CONNECT)
            properties.SessionExpiryInterval = expiry
            arguments = {"clean_start": clean, "properties": properties}
        self.client.connect(HOST, PORT, keepalive=keep_alive, **arguments)
        self.client.loop_start()
        self.flags, reason, self.properties = self.take(self.connected, "CONNACK")
        if reason.is_failure:
            raise Failed(f"connection refused: {reason}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.client.disconnect()
        self.client.loop_stop()

    def take(self, source, what, limit=LIMIT):
        try:
            return source.get(timeout=limit)
        except queue.Empty:
            raise Failed(f"no {what} within {limit} s") from None

    def subscribe(self, topic, qos=0, options=None):
        if options is not None:
            self.client.subscribe(topic, options=options)
        else:
            self.client.subscribe(topic, qos)
        return [reason.value for reason in self.take(self.subscribed, "SUBACK")]

    def unsubscribe(self, topic):
        self.client.unsubscribe(topic)
        return [reason.value for reason in self.take(self.unsubscribed, "UNSUBACK")]

    def publish(self, topic, payload, qos=0, retain=False, **properties):
        """Publishes and waits for the end of the exchange; the Reason Code of it."""
        given = None
        if properties:
            given = Properties(PacketTypes.PUBLISH)
            for name, value in properties.items():
                setattr(given, name, value)
        self.client.publish(topic, payload, qos, retain, given)
        _, reason = self.take(self.published, f"acknowledgement of a QoS {qos} message")
        return reason.value

    def receive(self, limit=LIMIT):
        return self.take(self.messages, "message", limit)

    def receive_payloads(self, count):
        return [self.receive().payload for _ in range(count)]

    def receive_nothing(self):
        try:
            message = self.messages.get(timeout=QUIET)
        except queue.Empty:
            return
        raise Failed(f"an unexpected message on {message.topic}: {message.payload[:40]!r}")

    def break_off(self):
        """Ends the connection without DISCONNECT."""
        self.client.loop_stop()
        self.client._sock_close()


def topic(version, name):
    return f"paho/{RUN}/{version}/{name}"


def delivers(version, qos):
    where = topic(version, f"delivers/{qos}")
    payloads = [b"plain", b"", bytes(range(256)), b"x" * 100_000, "Zoë 😀".encode()]
    with Peer(version) as subscriber, Peer(version) as publisher:
        expect("SUBACK", subscriber.subscribe(where, qos), [qos])
        for payload in payloads:
            expect("reason code", publisher.publish(where, payload, qos), 0)
        for payload in payloads:
            message = subscriber.receive()
            expect("topic", message.topic, where)
            expect("QoS", message.qos, qos)
            expect("payload", message.payload, payload)
            expect("retain", message.retain, False)
        subscriber.receive_nothing()


@check(transport=True)
def qos_0(version):
    """QoS 0 delivers text, nothing, all bytes, 100,000 bytes"""
    delivers(version, 0)


@check(transport=True)
def qos_1(version):
    """QoS 1 delivers text, nothing, all bytes, 100,000 bytes"""
    delivers(version, 1)


@check(transport=True)
def qos_2(version):
    """QoS 2 delivers text, nothing, all bytes, 100,000 bytes, each once"""
    delivers(version, 2)


@check()
def lower_qos(version):
    """a message comes with the lower of its own and the subscription's QoS"""
    with Peer(version) as peer:
        for subscribed in range(3):
            where = topic(version, f"lower/{subscribed}")
            peer.subscribe(where, subscribed)
            for published in range(3):
                peer.publish(where, b"x", published)
                expect("QoS", peer.receive().qos, min(subscribed, published))


def in_order(version, qos):
    where = topic(version, f"order/{qos}")
    payloads = [f"{number}".encode() for number in range(300)]
    with Peer(version) as subscriber, Peer(version) as publisher:
        subscriber.subscribe(where, qos)
        for payload in payloads:
            publisher.client.publish(where, payload, qos)
        expect("payloads", subscriber.receive_payloads(len(payloads)), payloads)
        subscriber.receive_nothing()
        for _ in payloads:
            publisher.take(publisher.published, "acknowledgement")


@check(transport=True)
def order_1(version):
    """300 messages of QoS 1 come in order, each once"""
    in_order(version, 1)


@check(transport=True)
def order_2(version):
    """300 messages of QoS 2 come in order, each once"""
    in_order(version, 2)


@check()
def wildcards(version):
    """+ and # match as the standard says"""
    root = topic(version, "wild")
    with Peer(version) as peer:
        peer.subscribe(f"{root}/+/c", 1)
        peer.subscribe(f"{root}/deep/#", 1)
        for name in ["a/c", "a/b/c", "deep", "deep/x/y", "/c", "other"]:
            peer.publish(f"{root}/{name}", name.encode(), 1)
        expect("payloads", peer.receive_payloads(4), [b"a/c", b"deep", b"deep/x/y", b"/c"])
        peer.receive_nothing()


@check()
def several_filters(version):
    """one SUBSCRIBE with several filters gets an answer for each"""
    root = topic(version, "several")
    with Peer(version) as peer:
        expect("SUBACK", peer.subscribe([(f"{root}/a", 0), (f"{root}/b", 1), (f"{root}/c", 2)]), [0, 1, 2])


@check()
def unsubscribe(version):
    """after UNSUBSCRIBE nothing comes any more"""
    where = topic(version, "unsubscribe")
    with Peer(version) as peer:
        peer.subscribe(where, 1)
        peer.publish(where, b"before", 1)
        expect("payload", peer.receive().payload, b"before")
        answer = peer.unsubscribe(where)
        expect("UNSUBACK", answer, [0] if version == "5" else [])
        peer.publish(where, b"after", 1)
        peer.receive_nothing()


def came_back(version, qos, broken):
    where, who = topic(version, f"away/{qos}/{broken}"), f"a{qos}{int(broken)}{version}-{RUN}"
    payloads = [f"{number}".encode() for number in range(50)]
    session = {"client_id": who, "clean": False, "expiry": 3600}
    with Peer(version, **session) as peer:
        expect("session present", peer.flags.session_present, False)
        peer.subscribe(where, qos)
        if broken:
            peer.break_off()
    with Peer(version) as publisher:
        for payload in payloads:
            expect("reason code", publisher.publish(where, payload, qos), 0)
        with Peer(version, **session) as peer:
            # CONNACK of 3.1 has no such flag, though a server may set it.
            if version != "3.1":
                expect("session present", peer.flags.session_present, True)
            expect("payloads", peer.receive_payloads(len(payloads)), payloads)
            publisher.publish(where, b"live", qos)
            expect("payload", peer.receive().payload, b"live")
            peer.receive_nothing()
    # Not left behind for the next run.
    with Peer(version, client_id=who, clean=True):
        pass


@check(transport=True)
def offline_queue_1(version):
    """a session keeps 50 messages of QoS 1 while its client is away, and the subscription"""
    came_back(version, 1, False)


@check()
def offline_queue_2(version):
    """a session keeps 50 messages of QoS 2 while its client is away, and the subscription"""
    came_back(version, 2, False)


@check()
def offline_queue_broken(version):
    """the same when the connection broke without DISCONNECT"""
    came_back(version, 1, True)


@check()
def clean_start(version):
    """a clean start forgets the session"""
    where, who = topic(version, "clean"), f"clean{version}-{RUN}"
    with Peer(version, client_id=who, clean=False, expiry=3600) as peer:
        peer.subscribe(where, 1)
    with Peer(version, client_id=who, clean=True) as peer:
        expect("session present", peer.flags.session_present, False)
        peer.publish(where, b"x", 1)
        peer.receive_nothing()


@check(transport=True)
def takeover(version):
    """a second connection with the same Client Identifier ends the first"""
    who = f"twice{version}-{RUN}"
    with Peer(version, client_id=who) as first:
        first.client.reconnect_delay_set(60, 60)
        with Peer(version, client_id=who) as second:
            _, reason = first.take(first.gone, "end of the first connection")
            if version == "5":
                expect("reason code", reason.value, 0x8E)
            where = topic(version, "takeover")
            second.subscribe(where, 1)
            second.publish(where, b"x", 1)
            expect("payload", second.receive().payload, b"x")
            first.client.loop_stop()


@check()
def keep_alive(version):
    """a quiet client with a keep-alive of one second stays connected"""
    with Peer(version, keep_alive=1) as peer:
        time.sleep(3)
        expect("connected", peer.client.is_connected(), True)
        expect("disconnections", peer.gone.empty(), True)


@check()
def retained(version):
    """a retained message greets a new subscription, until it is cleared"""
    where = topic(version, "retained")
    with Peer(version) as publisher:
        publisher.publish(where, b"kept", 1, retain=True)
        with Peer(version) as peer:
            peer.subscribe(where, 1)
            message = peer.receive()
            expect("payload", (message.payload, message.retain), (b"kept", True))
        publisher.publish(where, b"", 1, retain=True)
        with Peer(version) as peer:
            peer.subscribe(where, 1)
            peer.receive_nothing()


@check(transport=True)
def will(version):
    """the Will comes when the connection breaks, and not after DISCONNECT"""
    where = topic(version, "will")
    with Peer(version) as watcher:
        watcher.subscribe(where, 1)
        with Peer(version, will=(where, b"gone", 1, False)):
            pass
        watcher.receive_nothing()
        with Peer(version, will=(where, b"gone", 1, False)) as peer:
            peer.break_off()
            expect("payload", watcher.receive().payload, b"gone")


@check("5")
def nobody_there(version):
    """the publisher is told that nobody subscribed"""
    with Peer(version) as peer:
        expect("reason code", peer.publish(topic(version, "nobody"), b"x", 1), 0x10)
        peer.subscribe(topic(version, "somebody"), 0)
        expect("reason code", peer.publish(topic(version, "somebody"), b"x", 1), 0)


@check("5")
def properties(version):
    """properties of a message reach the subscriber unchanged"""
    where = topic(version, "properties")
    user = [("a", "1"), ("a", "2"), ("ä", "ö")]
    with Peer(version) as peer:
        peer.subscribe(where, 1)
        peer.publish(
            where, b"{}", 1, ContentType="application/json", ResponseTopic="answer/here", CorrelationData=b"\x00\x01",
            PayloadFormatIndicator=1, UserProperty=user,
        )
        got = peer.receive().properties
        expect("Content Type", got.ContentType, "application/json")
        expect("Response Topic", got.ResponseTopic, "answer/here")
        expect("Correlation Data", got.CorrelationData, b"\x00\x01")
        expect("Payload Format Indicator", got.PayloadFormatIndicator, 1)
        expect("User Properties", got.UserProperty, user)


@check("5")
def message_expiry(version):
    """a message that waited past its expiry does not come, one in time comes with the rest of it"""
    where, who = topic(version, "expiry"), f"expiry-{RUN}"
    session = {"client_id": who, "clean": False, "expiry": 3600}
    with Peer(version, **session) as peer:
        peer.subscribe(where, 1)
    with Peer(version) as publisher:
        publisher.publish(where, b"short", 1, MessageExpiryInterval=1)
        publisher.publish(where, b"long", 1, MessageExpiryInterval=600)
    time.sleep(2.2)
    with Peer(version, **session) as peer:
        message = peer.receive()
        expect("payload", message.payload, b"long")
        left = message.properties.MessageExpiryInterval
        expect("time left", 590 <= left <= 598, True)
        peer.receive_nothing()
    with Peer(version, client_id=who):
        pass


@check("5")
def no_local(version):
    """No Local keeps a client's own messages away from it"""
    where = topic(version, "local")
    with Peer(version) as peer, Peer(version) as other:
        peer.subscribe(where, options=SubscribeOptions(qos=1, noLocal=True))
        peer.publish(where, b"own", 1)
        other.publish(where, b"other", 1)
        expect("payload", peer.receive().payload, b"other")
        peer.receive_nothing()


@check("5")
def aliases(version):
    """a publisher may use Topic Aliases as far as the server allows"""
    where = topic(version, "alias")
    with Peer(version) as peer:
        peer.subscribe(where, 1)
        if getattr(peer.properties, "TopicAliasMaximum", 0) < 1:
            return
        peer.publish(where, b"first", 1, TopicAlias=1)
        peer.publish("", b"second", 1, TopicAlias=1)
        expect("payloads", peer.receive_payloads(2), [b"first", b"second"])


@check("5")
def session_ends(version):
    """a session with an expiry of zero ends with the connection"""
    where, who = topic(version, "ends"), f"ends-{RUN}"
    with Peer(version, client_id=who, clean=True, expiry=0) as peer:
        peer.subscribe(where, 1)
    with Peer(version, client_id=who, clean=False) as peer:
        expect("session present", peer.flags.session_present, False)


@check("3.1.1")
def between_versions(_):
    """messages pass between clients of all versions"""
    for to in VERSIONS:
        for origin in VERSIONS:
            where = topic(f"{origin}-{to}", "between")
            with Peer(to) as subscriber, Peer(origin) as publisher:
                subscriber.subscribe(where, 2)
                publisher.publish(where, b"hello", 2)
                message = subscriber.receive()
                expect(f"{origin} to {to}", (message.payload, message.qos), (b"hello", 2))


def main():
    print(f"1..{len(CHECKS)}")
    failed = 0
    for number, (name, function, version) in enumerate(CHECKS, 1):
        try:
            function(version)
            print(f"ok {number} - {name}")
        except Exception as error:  # A check may fail in any way; the next one runs all the same.
            failed += 1
            print(f"not ok {number} - {name}: {error!r}")
            if not isinstance(error, Failed):
                traceback.print_exc()
    return 1 if failed else 0


sys.exit(main())
