--TEST--
Properties that array_walk() and ArrayObject change behind the extension's back harm nothing
--FILE--
<?php
require __DIR__ . '/support.inc';
use Mqtt\{Client, Options, Outgoing, Properties, Qos};
$broker = new Broker();
$client = new Client($broker->uri());
$topic = fresh_topic();
array_walk($client, function (&$value): void {});
$client->subscribe($topic, function ($message): void { echo "handled $message\n"; })->wait(30);
$client->publish($topic, 'one');
echo $client->run(30, 1), "\n";
// Puts back what was made a reference.
$client->close(30);
// Another client: PHP itself does not bear both on one object.
$client = new Client($broker->uri());
$client->subscribe($topic)->wait(30);
$properties = new ArrayObject($client);
$properties["\0Mqtt\\Client\0handlers"] = 5;
$client->publish($topic, 'nobody handles this');
echo $client->run(30, 1), "\n";
$client->subscribe($topic, function ($message): void { echo "handled $message\n"; })->wait(30);
$client->publish($topic, 'two');
echo $client->run(30, 1), "\n";
// What is not of its class counts as left out.
$outgoing = new Outgoing($topic, 'three', Qos::AtMostOnce, properties: new Properties(messageExpiry: 5));
$properties = new ArrayObject($outgoing);
$properties['qos'] = $properties['properties'] = new stdClass();
echo count($client->publishMany([$outgoing])->wait(30)->done), "\n";
$options = new Options('127.0.0.1', $broker->port);
$properties = new ArrayObject($options);
$properties['protocol'] = $properties['overflow'] = $properties['will'] = new stdClass();
echo (new Client($options))->connect(30)->protocol->name, "\n";
?>
--EXPECT--
handled one
1
1
handled two
1
1
V5
