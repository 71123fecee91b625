--TEST--
What no property shows of options is copied, compared and collected all the same
--FILE--
<?php
use Mqtt\{Client, Options, Tls, Transport};
$options = new Options(username: 'me', password: 'hunter2', proxy: 'http://proxy');
$other = $options->with(password: 'hunter3');
var_dump($options == clone $options, $options == $options->with(), $options == $other, $other == clone $other);
var_dump(new Tls('ca.pem', certFile: 'a', keyPassphrase: 'b') == new Tls('ca.pem', certFile: 'a', keyPassphrase: 'c'));
var_dump($options == 'options', $options == new Tls());
// Options that differ in anything have a client of their own.
$client = Client::persistent($options);
var_dump($client === Client::persistent(clone $options), $client === Client::persistent($options->with()), $client === Client::persistent($other));
// A cycle that leads through a secret.
$value = 'a';
$options = new Options(transport: Transport::WebSocket, headers: [['name', &$value]]);
$value = $options;
$weak = WeakReference::create($options);
unset($options, $value);
gc_collect_cycles();
var_dump($weak->get());
?>
--EXPECT--
bool(true)
bool(true)
bool(false)
bool(true)
bool(false)
bool(false)
bool(false)
bool(true)
bool(true)
bool(false)
NULL
