--TEST--
A relative path is taken from PHP's working directory when the client is made, whatever chdir() does later
--FILE--
<?php
require __DIR__ . '/support.inc';
use Mqtt\{Client, Options, Tls, Transport};
$certificates = __DIR__ . '/certificates';
[$here, $elsewhere] = [scratch_directory(), scratch_directory()];
copy("$certificates/ca.pem", "$here/ca.pem");
$port = free_port();
new Broker(arguments: [
    '--listen', "mqtts://127.0.0.1:$port", '--listen', "unix://$here/broker.sock",
    '--tls-cert', "$certificates/server.pem", '--tls-key', "$certificates/server.key",
]);
chdir($here);
$clients = [
    new Client(new Options('localhost', $port, tls: new Tls(caFile: 'ca.pem'))),
    new Client(new Options(transport: Transport::Unix, path: './broker.sock')),
];
// Nothing was connected or read so far but what the constructor checked.
chdir($elsewhere);
foreach ($clients as $client) {
    $client->publish('a', 'b')->wait(30);
    echo "works\n";
}
try {
    new Client(new Options('localhost', $port, tls: new Tls(caFile: 'ca.pem')));
} catch (Mqtt\Exception\InvalidOptionException $exception) {
    echo str_replace($elsewhere, 'ELSEWHERE', $exception->getMessage()), "\n";
}
chdir('/');
?>
--EXPECT--
works
works
caFile or caPem: cannot read ELSEWHERE/ca.pem: No such file or directory (os error 2)
