--TEST--
A session handler that publishes after the request has ended
--FILE--
<?php
require __DIR__ . '/support.inc';
use Mqtt\Client;
final class Handler implements SessionHandlerInterface
{
    public function __construct(private string $uri) {}
    public function open(string $path, string $name): bool { return true; }
    public function close(): bool { return true; }
    public function read(string $id): string { return ''; }
    public function write(string $id, string $data): bool
    {
        $delivery = Client::persistent($this->uri)->publish('sessions', $data)->wait(30);
        fwrite(STDOUT, "written, {$delivery->state()->value}\n");
        return true;
    }
    public function destroy(string $id): bool { return true; }
    public function gc(int $lifetime): int { return 0; }
}
$broker = new Broker();
$child = pcntl_fork();
if ($child) {
    pcntl_waitpid($child, $status);
    echo pcntl_wifexited($status) ? 'exit ' . pcntl_wexitstatus($status) : 'signal ' . pcntl_wtermsig($status), "\n";
    exit;
}
// Not by a shutdown function: PHP then writes the session when it ends the request of each module.
session_set_save_handler(new Handler($broker->uri()), false);
session_start(['use_cookies' => false]);
$_SESSION['basket'] = 1;
?>
--EXPECT--
written, done
exit 0
