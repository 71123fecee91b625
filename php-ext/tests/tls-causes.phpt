--TEST--
TLS: a certificate that is out of its time, missing or refused, be it the broker's or the client's, is named as the cause
--FILE--
<?php
require __DIR__ . '/support.inc';
use Mqtt\{Client, Options, Tls};
$certificates = fresh_certificates();
$broker = function (string $certificate, string ...$arguments) use ($certificates): int {
    $port = free_port();
    new Broker(arguments: [
        '--listen', "mqtts://127.0.0.1:$port", '--tls-cert', "$certificates/$certificate.pem", '--tls-key', "$certificates/$certificate.key", ...$arguments,
    ]);
    // The broker is waited for at its first port, and this one may be opened later.
    eventually(fn() => ($socket = @stream_socket_client("tcp://127.0.0.1:$port")) && fclose($socket), 'the broker listens with TLS');
    return $port;
};
$try = function (int $port, mixed ...$tls) use ($certificates) {
    $tls = new Tls(...['caFile' => "$certificates/ca.pem", ...$tls]);
    try {
        $client = new Client(new Options('127.0.0.1', $port, tls: $tls, reconnectAttempts: 0));
        $client->connect(60);
        // In TLS 1.3 a broker looks at the client's certificate when the client takes the connection for made.
        $client->publish('a', 'b')->wait(60);
        echo "works\n";
    } catch (Mqtt\Exception\ConnectionException $exception) {
        echo str_replace(":$port", '', $exception->getMessage()), "\n";
    }
};
$try($broker('server-expired'));
$try($broker('server-early'));
$try($broker('server'));
$closed = $broker('server', '--tls-client-ca', "$certificates/ca.pem");
$try($closed);
foreach (['client', 'client-stranger', 'client-expired'] as $name) {
    $try($closed, certFile: "$certificates/$name.pem", keyFile: "$certificates/$name.key");
}
?>
--EXPECT--
cannot speak TLS with 127.0.0.1: the server's certificate expired 1 day ago
cannot speak TLS with 127.0.0.1: the server's certificate is not valid yet: it will be in 1 day, by the clock of this machine
works
cannot speak TLS with 127.0.0.1: the server demands a client certificate; set certFile and keyFile
works
cannot speak TLS with 127.0.0.1: the server does not accept the client certificate: its authority is not one that the server trusts
cannot speak TLS with 127.0.0.1: the server does not accept the client certificate: it has expired
