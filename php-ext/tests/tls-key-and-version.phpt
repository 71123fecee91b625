--TEST--
Tls: an encrypted key is opened by keyPassphrase, which is shown nowhere; minVersion; files are read when a client is made
--FILE--
<?php
require __DIR__ . '/support.inc';
use Mqtt\{Client, Options, Tls, TlsVersion};
$certificates = __DIR__ . '/certificates';
$port = free_port();
new Broker(arguments: [
    '--listen', "mqtts://127.0.0.1:$port", '--tls-cert', "$certificates/server.pem", '--tls-key', "$certificates/server.key",
    '--tls-client-ca', "$certificates/ca.pem",
]);
// The key is that of client.key, encrypted by: openssl pkcs8 -topk8 -v2 aes-256-cbc -passout pass:geheim
$with = fn(?string $passphrase, TlsVersion $version = TlsVersion::V12) => new Options('localhost', $port, tls: new Tls(
    caFile: "$certificates/ca.pem", certFile: "$certificates/client.pem", keyFile: "$certificates/client-encrypted.key",
    keyPassphrase: $passphrase, minVersion: $version,
));
foreach ([
    $with('geheim'),
    $with('geheim', TlsVersion::V13),
    Options::fromUri("mqtts://localhost:$port?caFile=$certificates/ca.pem&certFile=$certificates/client.pem"
        . "&keyFile=$certificates/client-encrypted.key&keyPassphrase=geheim&minVersion=1.3"),
] as $options) {
    $client = new Client($options);
    $client->publish('a', 'b')->wait(30);
    echo "works, from {$options->tls->minVersion->value}\n";
    $client->close(30);
}
foreach ([
    fn() => new Client($with(null)),
    fn() => new Client($with('Geheim')),
    fn() => new Tls(keyPassphrase: 'geheim'),
    fn() => Options::fromUri('mqtts://h?minVersion=1.1'),
] as $wrong) {
    try {
        $wrong();
        echo "nothing thrown\n";
    } catch (Mqtt\Exception\InvalidOptionException $exception) {
        echo str_replace($certificates, '', $exception->getMessage()), "\n";
    }
}
ob_start();
var_dump($with('geheim'), $with('geheim')->tls);
print_r($with('geheim')->tls);
var_export((array) $with('geheim')->tls);
echo str_contains($shown = ob_get_clean(), 'geheim') ? $shown : "hidden\n";
// A persistent client that runs does not need its files any more.
$ca = scratch_directory() . '/ca.pem';
copy("$certificates/ca.pem", $ca);
$tls = new Tls(caFile: $ca, certFile: "$certificates/client.pem", keyFile: "$certificates/client.key");
$first = Client::persistent(new Options('localhost', $port, tls: $tls));
$first->publish('a', 'b')->wait(30);
unlink($ca);
var_dump(Client::persistent(new Options('localhost', $port, tls: $tls)) === $first);
$first->close(30);
?>
--EXPECT--
works, from 1.2
works, from 1.3
works, from 1.3
certFile and keyFile: the private key in /client-encrypted.key is encrypted; set keyPassphrase
certFile and keyFile: the passphrase does not open the private key in /client-encrypted.key: give the one that it was encrypted with
keyPassphrase needs a certFile
the parameter "minVersion" in the URI must be 1.2 or 1.3
hidden
bool(true)
