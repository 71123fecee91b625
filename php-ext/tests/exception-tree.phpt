--TEST--
Every exception has a marker, a parent to catch it by, a reason code, file, line and trace
--FILE--
<?php
use Mqtt\Exception as E;
foreach (['Connection', 'Auth', 'Protocol', 'Publish', 'Subscribe', 'Timeout', 'QueueFull', 'InvalidTopic', 'InvalidOption', 'Closed'] as $name) {
    $class = "Mqtt\\Exception\\{$name}Exception";
    $exception = new $class('text', 7, new Exception('cause'), 135);
    printf("%-14s %s %s %s %d %s %d line %d\n", $name, get_parent_class($exception), $exception instanceof E\MqttException ? 'marked' : 'unmarked',
        $exception->getMessage(), $exception->getCode(), $exception->getPrevious()->getMessage(), $exception->reasonCode, $exception->getLine());
}
class Mine extends E\PublishException
{
    public function __construct() {}
}
function thrower() { throw new Mine(); }
try {
    thrower();
} catch (E\MqttException $exception) {
    var_dump($exception->reasonCode, basename($exception->getFile()), $exception->getLine(), $exception->getTrace()[0]['function']);
}
try {
    $exception->reasonCode = 3;
} catch (Error $error) {
    echo $error->getMessage(), "\n";
}
function publish() {
    (new Mqtt\Client('mqtt://127.0.0.1'))->publish('a/#', 'b');
}
try {
    publish();
} catch (E\InvalidTopicException $exception) {
    echo get_class($exception), ' line ', $exception->getLine(), ' in ', $exception->getTrace()[0]['function'], ' in ', $exception->getTrace()[1]['function'], "\n";
}
?>
--EXPECTF--
Connection     RuntimeException marked text 7 cause 135 line 5
Auth           Mqtt\Exception\ConnectionException marked text 7 cause 135 line 5
Protocol       Mqtt\Exception\ConnectionException marked text 7 cause 135 line 5
Publish        RuntimeException marked text 7 cause 135 line 5
Subscribe      RuntimeException marked text 7 cause 135 line 5
Timeout        RuntimeException marked text 7 cause 135 line 5
QueueFull      RuntimeException marked text 7 cause 135 line 5
InvalidTopic   InvalidArgumentException marked text 7 cause 135 line 5
InvalidOption  InvalidArgumentException marked text 7 cause 135 line 5
Closed         LogicException marked text 7 cause 135 line 5
NULL
string(%d) "exception-tree.php"
int(13)
string(7) "thrower"
Cannot modify readonly property Mqtt\Exception\PublishException::$reasonCode
Mqtt\Exception\InvalidTopicException line 25 in publish in publish
