--TEST--
TLS, WebSocket, both, and a Unix socket carry the same; what is wrong with an option or a file is named
--FILE--
<?php
require __DIR__ . '/support.inc';
use Mqtt\{Client, Options, Tls, Transport};
$certificates = __DIR__ . '/certificates';
[$tls, $ws, $wss] = [free_port(), free_port(), free_port()];
$socket = scratch_directory() . '/broker.sock';
new Broker(arguments: [
    '--listen', "mqtts://127.0.0.1:$tls", '--listen', "ws://127.0.0.1:$ws", '--listen', "wss://127.0.0.1:$wss", '--listen', "unix://$socket",
    '--tls-cert', "$certificates/server.pem", '--tls-key', "$certificates/server.key",
]);
$ca = "caFile=$certificates/ca.pem";
foreach ([
    "mqtts://localhost:$tls?$ca",
    "ws://127.0.0.1:$ws/mqtt",
    "wss://127.0.0.1:$wss?$ca",
    "unix://$socket",
    new Options('localhost', $tls, tls: new Tls(caPem: file_get_contents("$certificates/ca.pem"))),
    new Options('127.0.0.1', $tls, tls: new Tls(insecure: true)),
    new Options('127.0.0.1', $ws, Transport::WebSocket, headers: [['X-Device', '7']]),
] as $broker) {
    $client = new Client($broker);
    $topic = fresh_topic();
    $client->subscribe($topic)->wait(30);
    $client->publish($topic, str_repeat('x', 100000))->wait(30);
    foreach ($client->consume(30, 1) as $message) {
        echo is_string($broker) ? strtok($broker, ':') : 'options', ' ', strlen($message), ' ', preg_replace('~\d{4,}|/\S+~', '*', $client->status()->address), "\n";
    }
}
// What stands against a connection, by its cause.
$trouble = function (string|Options $broker) {
    $client = new Client($broker);
    $client->publish('a', 'b');
    eventually(fn() => $client->status()->lastError !== null, 'an error');
    echo preg_replace('~127.0.0.1:\d+|localhost:\d+ \(\S+\)~', 'BROKER', $client->status()->lastError), "\n";
};
$trouble("mqtts://localhost:$tls");
$trouble("mqtts://localhost:$tls?$ca&serverName=elsewhere.example");
$trouble("unix:///nowhere/broker.sock");
foreach ([
    fn() => new Client("mqtts://localhost?caFile=/nowhere/ca.pem"),
    fn() => new Client(new Options(tls: new Tls(caFile: "$certificates/server.key"))),
    fn() => new Client(new Options(tls: new Tls(certFile: "$certificates/client.pem", keyFile: "$certificates/other.key"))),
    fn() => new Tls(caFile: 'a', caPem: 'b'),
    fn() => new Tls(keyFile: 'a'),
    fn() => new Tls(alpn: [1]),
    fn() => new Options(transport: Transport::Tcp, tls: new Tls()),
    fn() => new Options(transport: Transport::Unix),
    fn() => new Options(path: '/mqtt'),
    fn() => new Options(headers: [['a', 'b']]),
    fn() => new Options(transport: Transport::Unix, path: '/a', tls: new Tls()),
] as $wrong) {
    try {
        $wrong();
        echo "nothing thrown\n";
    } catch (Mqtt\Exception\InvalidOptionException $exception) {
        echo str_replace($certificates, '', $exception->getMessage()), "\n";
    }
}
?>
--EXPECT--
mqtts 100000 localhost:* (127.0.0.1:*)
ws 100000 127.0.0.1:*
wss 100000 127.0.0.1:*
unix 100000 unix:*
options 100000 localhost:* (127.0.0.1:*)
options 100000 127.0.0.1:*
options 100000 127.0.0.1:*
cannot speak TLS with BROKER: the server's certificate is self-signed or signed by an authority that is not trusted; if it is yours, set it as caFile or caPem
cannot speak TLS with BROKER: the server's certificate is not for elsewhere.example but for localhost, 127.0.0.1
cannot connect to unix:/nowhere/broker.sock: No such file or directory (os error 2)
caFile or caPem: cannot read /nowhere/ca.pem: No such file or directory (os error 2)
caFile or caPem: /server.key has no certificate in PEM
certFile and keyFile: the private key does not fit the certificate
caFile and caPem exclude each other
keyFile needs a certFile
alpn must be a list of strings
tls has no meaning with this transport
path must name the Unix socket
path has no meaning with this transport
headers has no meaning with this transport
serverName must be set to connect to unix:/a
