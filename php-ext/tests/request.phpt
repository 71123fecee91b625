--TEST--
request(): the response of a device, by Response Topic and Correlation Data; nobody there is told at once
--FILE--
<?php
require __DIR__ . '/support.inc';
use Mqtt\{Client, Options, Properties};
$broker = new Broker();
$topic = fresh_topic('devices');
$ready = new Gate();
// A device, in a process of its own: it answers with what it was asked, backwards.
$device = pcntl_fork();
if ($device === 0) {
    $client = new Client($broker->uri());
    $client->subscribe($topic, fn($message) => $message->reply(strrev($message->payload)))->wait(30);
    $ready->open();
    $client->run();
    kill_self();
}
$ready->pass();
$client = new Client($broker->uri());
foreach (['abc', "\0\xFF", ''] as $payload) {
    $response = $client->request($topic, $payload, 300);
    echo bin2hex($response), ' ', str_starts_with($response->topic, 'response/') ? 'response' : $response->topic, ' ', strlen($response->properties->correlationData), ' ', abs($response->receivedAt - microtime(true)) < 300 ? 'now' : 'then', "\n";
}
$own = new Client(new Options('127.0.0.1', $broker->port, responseTopic: 'answers/here'));
echo $own->request($topic, 'x', 300)->topic, "\n";
kill($device, 9);
pcntl_waitpid($device, $status);
foreach ([
    fn() => $client->request(fresh_topic('nobody'), 'x', 300),
    fn() => $client->request($topic, 'x', 300, properties: new Properties(responseTopic: 'mine')),
    fn() => $client->request('a/+', 'x'),
    fn() => (new Client($broker->uri('protocol=4')))->request($topic, 'x'),
    fn() => new Options(responseTopic: 'a/+'),
] as $wrong) {
    try {
        $wrong();
        echo "nothing thrown\n";
    } catch (Mqtt\Exception\MqttException $exception) {
        echo get_class($exception), ': ', $exception->getMessage(), ' ', json_encode($exception->reasonCode), "\n";
    }
}
?>
--EXPECTF--
636261 response 16 now
ff00 response 16 now
 response 16 now
answers/here
Mqtt\Exception\PublishException: nobody subscribes to the topic of the request 16
Mqtt\Exception\InvalidOptionException: a request sets the ResponseTopic itself null
Mqtt\Exception\InvalidTopicException: %s null
Mqtt\Exception\PublishException: requests need MQTT 5.0, and the connection speaks an older version null
Mqtt\Exception\InvalidOptionException: %s null
