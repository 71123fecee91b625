--TEST--
followServerReference: the client goes where a broker points to, if it is told to, and takes user name and password along
--FILE--
<?php
require __DIR__ . '/support.inc';
use Mqtt\{Client, Options, Protocol};
$log = scratch_directory() . '/credentials.txt';
$target = scripted_server(function ($connection) use ($log) {
    [, $body] = read_packet($connection);
    // User Name and Password are the last fields of CONNECT.
    file_put_contents($log, substr($body, -12));
    fwrite($connection, "\x20\x03\x00\x00\x00");
    while (read_packet($connection));
    fclose($connection);
});
// CONNACK with 0x9C Use another server and a Server Reference (0x1C).
$port = scripted_server(function ($connection) use ($target) {
    read_packet($connection);
    $reference = "127.0.0.1:$target";
    $property = "\x1C" . pack('n', strlen($reference)) . $reference;
    fwrite($connection, "\x20" . chr(3 + strlen($property)) . "\x00\x9C" . chr(strlen($property)) . $property);
    fclose($connection);
});
$options = new Options(port: $port, protocol: Protocol::V5, username: 'user', password: 'pass', reconnectAttempts: 0);
var_dump($options->followServerReference);
foreach ([
    $options,
    $options->with(followServerReference: true),
    Options::fromUri("mqtt://user:pass@127.0.0.1:$port?protocol=5&reconnectAttempts=0&followServerReference=true"),
] as $options) {
    $client = new Client($options);
    try {
        $client->connect(30);
        echo str_replace(":$target", ':TARGET', $client->status()->address), ' ', addcslashes(file_get_contents($log), "\0..\37"), "\n";
        unlink($log);
    } catch (Mqtt\Exception\ConnectionException $exception) {
        printf("0x%X %s\n", $exception->reasonCode, str_replace([":$port", ":$target"], [':PORT', ':TARGET'], $exception->getMessage()));
    }
    $client->close(30);
}
?>
--EXPECT--
bool(false)
0x9C 127.0.0.1:PORT refused the client: 0x9C Use another server
127.0.0.1:TARGET \000\004user\000\004pass
127.0.0.1:TARGET \000\004user\000\004pass
