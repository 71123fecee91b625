/* Everything but plain TCP. argv[1]: a broker with TLS that wants client certificates, for "localhost"; argv[2]: one with
 * WebSocket; argv[3]: one at a Unix socket; argv[4]: a folder with ca.pem, other.pem (an authority that has nothing to do with
 * it), and the certificates and keys of clients: client, stranger (signed by other.pem) and expired; argv[5]: host and port of
 * an HTTP proxy that wants "me" and "secret"; argv[6]: a broker with TLS whose certificate expired a day and a half ago. */
#include "check.h"

static char *folder;

static const char *file(const char *name) {
    static char paths[4][1024];
    static int turn;
    char *path = paths[turn++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static int ends_with(const char *text, const char *end) {
    size_t len = strlen(text), end_len = strlen(end);
    return len > end_len && strcmp(text + len - end_len, end) == 0;
}

/* One round trip, or the reason why there is none: a status and the end of a message, behind the address. */
static void try_it(pmq_options *options, pmq_status expected, const char *cause) {
    pmq_error *error = NULL;
    pmq_event *event = NULL;
    pmq_client *client;
    OK(pmq_options_set_reconnect(options, 0, 0, 100, 0, &error));
    /* The default is too short for TLS under valgrind on a busy machine. */
    OK(pmq_options_set_connect_timeout(options, PATIENCE, &error));
    client = check_client(options);
    OK(pmq_client_next_event(client, PATIENCE, &event, &error));
    CHECK(pmq_event_status(event) == expected);
    if (pmq_event_type(event) == PMQ_EVENT_CONNECTED) {
        OK(pmq_client_wait(client, check_publish(client, "t", "x"), PATIENCE, NULL, &error));
    } else {
        const char *message = pmq_error_message(pmq_event_error(event));
        CHECK(pmq_event_type(event) == PMQ_EVENT_STOPPED);
        if (cause == NULL || !ends_with(message, cause)) {
            fprintf(stderr, "%s\n  instead of: %s\n", message, cause == NULL ? "none" : cause);
            CHECK(!"the cause that was expected");
        }
    }
    pmq_event_free(&event);
    pmq_client_free(&client);
}

static void works(pmq_options *options) {
    try_it(options, PMQ_STATUS_OK, NULL);
}

/* With TLS; a cause that is NULL: it works. */
static void try_tls(const char *url, pmq_tls *tls, const char *cause) {
    pmq_error *error = NULL;
    pmq_options *options = check_options(url);
    OK(pmq_options_set_tls(options, tls, &error));
    try_it(options, cause == NULL ? PMQ_STATUS_OK : PMQ_STATUS_TLS, cause);
    pmq_options_free(&options);
}

static pmq_tls *trusting(const char *authority) {
    pmq_error *error = NULL;
    pmq_tls *tls = NULL;
    OK(pmq_tls_new(&tls, &error));
    OK(pmq_tls_set_ca_file(tls, file(authority), PMQ_Z, &error));
    OK(pmq_tls_set_server_name(tls, "localhost", PMQ_Z, &error));
    return tls;
}

static void client_certificates(const char *url) {
    pmq_error *error = NULL;
    pmq_tls *tls = trusting("ca.pem");
    try_tls(url, tls, ": the server demands a client certificate; set client_cert_files or client_cert_pem");
    OK(pmq_tls_set_client_cert_files(tls, file("stranger.pem"), PMQ_Z, file("stranger.key"), PMQ_Z, &error));
    try_tls(url, tls,
            ": the server does not accept the client certificate: its authority is not one that the server trusts");
    OK(pmq_tls_set_client_cert_files(tls, file("expired.pem"), PMQ_Z, file("expired.key"), PMQ_Z, &error));
    try_tls(url, tls, ": the server does not accept the client certificate: it has expired");
    OK(pmq_tls_set_client_cert_files(tls, file("client.pem"), PMQ_Z, file("client.key"), PMQ_Z, &error));
    try_tls(url, tls, NULL);
    pmq_tls_free(&tls);
}

static void certificates(const char *url, const char *expired) {
    pmq_error *error = NULL;
    pmq_tls *tls = trusting("ca.pem");
    OK(pmq_tls_set_client_cert_files(tls, file("client.pem"), PMQ_Z, file("client.key"), PMQ_Z, &error));
    try_tls(expired, tls, ": the server's certificate expired 1 day ago");
    OK(pmq_tls_set_min_version(tls, PMQ_TLS_VERSION_V13, &error));
    FAILS(pmq_tls_set_min_version(tls, 11, &error), PMQ_STATUS_ARGUMENT);
    /* For a key that is encrypted, which this is not. */
    OK(pmq_tls_set_key_passphrase(tls, "secret", 6, &error));
    OK(pmq_tls_set_key_passphrase(tls, NULL, 0, &error));
    try_tls(url, tls, NULL);
    /* The right certificate for somebody else. */
    OK(pmq_tls_set_server_name(tls, "other.example", PMQ_Z, &error));
    try_tls(url, tls, ": the server's certificate is not for other.example but for localhost");
    OK(pmq_tls_set_server_name(tls, "localhost", PMQ_Z, &error));
    OK(pmq_tls_set_ca_file(tls, file("other.pem"), PMQ_Z, &error));
    try_tls(url, tls,
            ": the server's certificate is self-signed or signed by an authority that is not trusted; if it is yours, "
            "set it as ca_file or ca_pem");
    OK(pmq_tls_set_insecure_no_verify(tls, true, &error));
    try_tls(url, tls, NULL);
    try_tls(expired, tls, NULL);
    pmq_tls_free(&tls);
    pmq_tls_free(&tls);
}

/* What cannot work is refused before anything is started, and the message names the file. */
static void unusable(const char *url) {
    pmq_error *error = NULL;
    pmq_options *options = check_options(url);
    pmq_client *client = NULL;
    pmq_tls *tls = NULL;
    OK(pmq_tls_new(&tls, &error));
    OK(pmq_tls_set_ca_file(tls, "/no/such/file.pem", PMQ_Z, &error));
    OK(pmq_options_set_tls(options, tls, &error));
    CHECK(pmq_client_new(options, &client, &error) == PMQ_STATUS_OPTIONS);
    CHECK(strncmp(pmq_error_message(error), "ca_file or ca_pem: cannot read /no/such/file.pem: ", 50) == 0);
    pmq_error_free(&error);
    OK(pmq_tls_set_ca_pem(tls, "nonsense", 8, &error));
    OK(pmq_options_set_tls(options, tls, &error));
    FAILS(pmq_client_new(options, &client, &error), PMQ_STATUS_OPTIONS);
    OK(pmq_tls_add_alpn(tls, "", 0, &error));
    OK(pmq_tls_set_client_cert_pem(tls, "x", 1, "y", 1, &error));
    OK(pmq_options_set_tls(options, tls, &error));
    FAILS(pmq_client_new(options, &client, &error), PMQ_STATUS_OPTIONS);
    CHECK(client == NULL);
    pmq_tls_free(&tls);
    pmq_options_free(&options);
}

static void other_transports(const char *websocket, const char *unix_socket) {
    pmq_error *error = NULL;
    pmq_options *options = check_options(websocket);
    OK(pmq_options_add_websocket_header(options, "X-Test", PMQ_Z, "1", PMQ_Z, &error));
    OK(pmq_options_set_websocket(options, "/mqtt", PMQ_Z, &error));
    works(options);
    OK(pmq_options_set_websocket(options, "/elsewhere", PMQ_Z, &error));
    try_it(options, PMQ_STATUS_CONNECTION, ": the WebSocket upgrade was refused with HTTP status 404 Not Found");
    pmq_options_free(&options);

    options = check_options(unix_socket);
    works(options);
    OK(pmq_options_add_unix(options, "/no/such/socket", PMQ_Z, &error));
    pmq_options_free(&options);
}

static void proxies(const char *websocket, const char *proxy) {
    pmq_error *error = NULL;
    pmq_options *options = check_options(websocket);
    char url[256];
    snprintf(url, sizeof url, "http://%s", proxy);
    OK(pmq_options_set_proxy(options, url, PMQ_Z, &error));
    try_it(options, PMQ_STATUS_CONNECTION,
           ": it wants a user name and a password, which belong into the proxy's options");
    snprintf(url, sizeof url, "http://me:secret@%s", proxy);
    OK(pmq_options_set_proxy(options, url, PMQ_Z, &error));
    works(options);
    pmq_options_free(&options);
}

int main(int argc, char **argv) {
    if (argc != 7) {
        return 2;
    }
    CHECK(pmq_features() == (PMQ_FEATURE_TLS | PMQ_FEATURE_WEBSOCKET | PMQ_FEATURE_PROXY));
    folder = argv[4];
    client_certificates(argv[1]);
    certificates(argv[1], argv[6]);
    unusable(argv[1]);
    other_transports(argv[2], argv[3]);
    proxies(argv[2], argv[5]);
    return check_result();
}
