--TEST--
setLogger(): a PSR-3 logger hears of the connection, from mqtt.log_level on, without secrets
--FILE--
<?php
require __DIR__ . '/support.inc';
use Mqtt\Client;
final class Log
{
    public array $lines = [];
    public function log($level, $message, array $context = []): void
    {
        $this->lines[] = "$level: " . preg_replace('/\d+\.\d s/', 'N s', preg_replace('/127.0.0.1:\d+( \([^)]*\))?/', 'BROKER', $message))
            . ' ' . implode(',', array_keys($context)) . (abs($context['time'] - microtime(true)) < 300 ? '' : ' at another time');
    }
}
$broker = new Broker();
foreach (['debug', 'info', 'error'] as $level) {
    ini_set('mqtt.log_level', $level);
    $client = new Client('mqtt://user:hunter2@127.0.0.1:' . $broker->port);
    $client->setLogger($log = new Log());
    $client->publish('a', 'payload')->wait(30);
    $client->close(30);
    echo "$level\n  ", implode("\n  ", $log->lines), "\n";
}
ini_set('mqtt.log_level', 'warning');
$client = new Client('mqtt://127.0.0.1:' . free_port());
$client->setLogger($log = new Log());
$client->publish('a', 'payload');
eventually(fn() => $client->poll() === 0 && $log->lines, 'a warning');
echo $log->lines[0], "\n";
$client->setLogger(null);
try {
    $client->setLogger(new stdClass());
} catch (TypeError $error) {
    echo $error->getMessage(), "\n";
}
var_dump(ini_set('mqtt.log_level', 'loud'));
?>
--EXPECTF--
debug
  debug: connecting to BROKER address,time
  info: connected to BROKER, MQTT 5.0 address,time
  info: disconnected from BROKER address,time
info
  info: connected to BROKER, MQTT 5.0 address,time
  info: disconnected from BROKER address,time
error
  
warning: cannot connect to BROKER: Connection refused (os error 111); the next attempt is in N s address,time
Mqtt\Client::setLogger(): Argument #1 ($logger) must be an object with a method log(), such as Psr\Log\LoggerInterface, or null, stdClass given

Warning: mqtt.log_level must be debug, info, warning or error in %s on line %d
bool(false)
