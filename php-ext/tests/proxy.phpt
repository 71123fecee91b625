--TEST--
A proxy, HTTP CONNECT or SOCKS 5, leads to the broker; what is wrong with one is told, and no password is repeated
--FILE--
<?php
require __DIR__ . '/support.inc';
use Mqtt\{Client, Options, Tls, Transport};

/** As many bytes, or none. */
function take($connection, int $length): string
{
    for ($taken = ''; strlen($taken) < $length; $taken .= $part) {
        $part = fread($connection, $length - strlen($taken));
        if ($part === false || $part === '') {
            return '';
        }
    }
    return $taken;
}

/** Carries bytes both ways until one side ends. */
function carry($one, $other): void
{
    while (true) {
        [$readable, $none] = [[$one, $other], null];
        stream_select($readable, $none, $none, 300);
        foreach ($readable as $from) {
            $bytes = fread($from, 65536);
            if ($bytes === '' || $bytes === false) {
                return;
            }
            fwrite($from === $one ? $other : $one, $bytes);
        }
    }
}

// The broker is known under a name of the proxy's own, and the proxy takes one user. It notes where it is to lead.
[$plain, $tls, $log] = [free_port(), free_port(), scratch_directory() . '/proxy.log'];
$certificates = __DIR__ . '/certificates';
new Broker($plain, [
    '--listen', "mqtts://127.0.0.1:$tls", '--tls-cert', "$certificates/server.pem", '--tls-key', "$certificates/server.key",
]);
$proxy = scripted_server(function ($connection) use ($log) {
    $first = take($connection, 1);
    if ($first === 'C') {
        for ($request = $first; !str_ends_with($request, "\r\n\r\n"); $request .= take($connection, 1));
        preg_match('~^CONNECT (\S+):(\d+) HTTP/1\.1\r\n~', $request, $target);
        $known = str_contains($request, "\r\nProxy-Authorization: Basic " . base64_encode('me:s3:cret') . "\r\n");
        $refused = match (true) {
            !$known => '407 Proxy Authentication Required',
            $target[1] !== 'broker.internal' => '403 Forbidden',
            default => null,
        };
        $answer = 'HTTP/1.1 ' . ($refused ?? '200 Connection established') . "\r\n\r\n";
        if ($target[1] === 'strange.internal') {
            $answer = "220 mail.example\r\n";
        }
    } elseif ($first === "\x05") {
        $methods = take($connection, ord(take($connection, 1)));
        // User name and password (RFC 1929), or no acceptable method.
        $known = str_contains($methods, "\x02");
        fwrite($connection, $known ? "\x05\x02" : "\x05\xff");
        if ($known) {
            take($connection, 1);
            $user = take($connection, ord(take($connection, 1)));
            $password = take($connection, ord(take($connection, 1)));
            $known = [$user, $password] === ['me', 's3:cret'];
            fwrite($connection, $known ? "\x01\x00" : "\x01\x01");
        }
        if (!$known) {
            fclose($connection);
            return;
        }
        take($connection, 4);
        $target = [1 => take($connection, ord(take($connection, 1))), unpack('n', take($connection, 2))[1]];
        $refused = $target[1] !== 'broker.internal';
        $answer = "\x05" . ($refused ? "\x02" : "\x00") . "\x00\x01\x00\x00\x00\x00\x00\x00";
    } else {
        $refused = true;
        $answer = '';
    }
    if (!$refused) {
        file_put_contents($log, ($first === 'C' ? 'http' : 'socks5') . " $target[1]:$target[2]\n", FILE_APPEND);
        $broker = stream_socket_client("tcp://127.0.0.1:$target[2]");
    }
    fwrite($connection, $answer);
    if (!$refused) {
        carry($connection, $broker);
        fclose($broker);
    }
    fclose($connection);
});

$names = fn(string $text) => str_replace([":$plain", ":$tls", ":$proxy"], [':PLAIN', ':TLS', ':PROXY'], $text);
$http = "http://me:s3%3Acret@127.0.0.1:$proxy";
$socks = "socks5://me:s3%3Acret@127.0.0.1:$proxy";
foreach ([
    new Options('broker.internal', $plain, proxy: $http),
    new Options('broker.internal', $plain, proxy: $socks),
    new Options('broker.internal', $tls, proxy: $http, tls: new Tls(caFile: "$certificates/ca.pem", serverName: 'localhost')),
    "mqtt://broker.internal:$plain?proxy=" . urlencode($socks),
] as $broker) {
    $client = new Client($broker);
    $topic = fresh_topic();
    $client->subscribe($topic)->wait(30);
    $client->publish($topic, str_repeat('x', 100000))->wait(30);
    foreach ($client->consume(30, 1) as $message) {
        echo strlen($message), ' bytes by ', $names($client->status()->address), "\n";
    }
    // The proxy serves one connection after the other.
    $client->close(30);
}
echo $names(file_get_contents($log));

// What stands against a connection, by its cause.
foreach ([
    ['broker.internal', "http://127.0.0.1:$proxy"],
    ['broker.internal', "http://me:wrong@127.0.0.1:$proxy"],
    ['elsewhere.internal', $http],
    ['broker.internal', "socks5://127.0.0.1:$proxy"],
    ['broker.internal', "socks5://me:wrong@127.0.0.1:$proxy"],
    ['elsewhere.internal', $socks],
    ['broker.internal', 'http://127.0.0.1:' . $closed = free_port()],
    ['strange.internal', $http],
] as [$host, $through]) {
    try {
        (new Client(new Options($host, $plain, proxy: $through, reconnectAttempts: 0)))->connect(60);
        echo "connected\n";
    } catch (Mqtt\Exception\ConnectionException $exception) {
        echo str_replace(":$closed", ':CLOSED', $names($exception->getMessage())), "\n";
    }
}

// One that can never work.
foreach ([
    fn() => new Options(proxy: ''),
    fn() => new Options(proxy: "me:s3cret@127.0.0.1:$proxy"),
    fn() => new Options(proxy: 'http://me:s3cret@127.0.0.1:s3cret'),
    fn() => new Options(proxy: "127.0.0.1:$proxy"),
    fn() => new Options(proxy: 'https://me:s3cret@proxy'),
    fn() => new Options(proxy: 'http://proxy/s3cret'),
    fn() => new Options(proxy: "http://proxy\0"),
    fn() => new Options(proxy: 'socks5://me@proxy'),
    fn() => new Options(transport: Transport::Unix, path: '/a', proxy: 'http://proxy'),
    fn() => Options::fromUri('mqtt://a?proxy=ftp://me:s3cret@proxy'),
    fn() => (new Options())->with(proxy: 'http://me:s3cret@'),
] as $wrong) {
    try {
        $wrong();
        echo "nothing thrown\n";
    } catch (Mqtt\Exception\InvalidOptionException $exception) {
        echo $exception->getMessage(), "\n";
    }
}
?>
--EXPECTF--
100000 bytes by broker.internal:PLAIN through the proxy 127.0.0.1:PROXY
100000 bytes by broker.internal:PLAIN through the proxy 127.0.0.1:PROXY
100000 bytes by broker.internal:TLS through the proxy 127.0.0.1:PROXY
100000 bytes by broker.internal:PLAIN through the proxy 127.0.0.1:PROXY
http broker.internal:PLAIN
socks5 broker.internal:PLAIN
http broker.internal:TLS
socks5 broker.internal:PLAIN
the proxy 127.0.0.1:PROXY does not lead to broker.internal:PLAIN: it wants a user name and a password, which belong into the proxy's options
the proxy 127.0.0.1:PROXY does not lead to broker.internal:PLAIN: it does not take the user name and password
the proxy 127.0.0.1:PROXY does not lead to elsewhere.internal:PLAIN: it says 403 Forbidden
the proxy 127.0.0.1:PROXY does not lead to broker.internal:PLAIN: it wants a user name and a password, which belong into the proxy's options
the proxy 127.0.0.1:PROXY does not lead to broker.internal:PLAIN: it does not take the user name and password
the proxy 127.0.0.1:PROXY does not lead to elsewhere.internal:PLAIN: it says Connection not allowed by ruleset
cannot connect to the proxy 127.0.0.1:CLOSED: Connection refused (os error %d)
the proxy 127.0.0.1:PROXY does not lead to strange.internal:PLAIN: it does not answer as a proxy of its kind: invalid HTTP version
proxy: not a URL: relative URL without a base
proxy: me:// is not offered; use http or socks5
proxy: not a URL: invalid port number
proxy: not a URL: relative URL without a base
proxy: https:// is not offered; use http or socks5
proxy: a path, query or fragment has no meaning in the URL of a proxy
proxy must be UTF-8 without NUL, of at most 65535 bytes
proxy: the user name and password cannot be sent: HTTP has no colon in the name and no control characters, SOCKS 5 has 1 to 255 bytes of each, and both have UTF-8
proxy has no meaning with this transport
proxy: ftp:// is not offered; use http or socks5
proxy: not a URL: empty host
