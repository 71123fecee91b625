--TEST--
Certificates and sockets are subject to open_basedir, as all files that scripts name
--FILE--
<?php
require __DIR__ . '/support.inc';
[$code, $output] = run_php('
    foreach ([fn() => new Mqtt\Tls(caFile: "/etc/passwd"), fn() => new Mqtt\Tls(certFile: "/etc/passwd"), fn() => new Mqtt\Client("unix:///etc/passwd")] as $wrong) {
        try {
            $wrong();
            echo "nothing thrown\n";
        } catch (Mqtt\Exception\InvalidOptionException $exception) {
            echo $exception->getMessage(), "\n";
        }
    }', ['-d', 'open_basedir=/nowhere']);
echo $output;
?>
--EXPECT--
caFile: open_basedir does not allow /etc/passwd
certFile: open_basedir does not allow /etc/passwd
path: open_basedir does not allow /etc/passwd
