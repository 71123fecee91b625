--TEST--
Names that look like numbers are found in the arrays that come back
--FILE--
<?php
require __DIR__ . '/support.inc';
use Mqtt\{Client, Qos};
$broker = new Broker();
$client = new Client($broker->uri());
$codes = $client->subscribe(['7' => Qos::AtLeastOnce, '-8' => Qos::AtMostOnce, '007' => Qos::ExactlyOnce])->wait(30)->reasonCodes();
echo $codes['7'], ' ', $codes['-8'], ' ', $codes['007'], ' ', count($codes), "\n";
?>
--EXPECT--
1 0 2 3
