/* Everything but plain TCP. argv[1]: a broker with TLS that wants client certificates, for "localhost"; argv[2]: one with
 * WebSocket; argv[3]: one at a Unix socket; argv[4]: a folder with ca.pem, other.pem (an authority that has nothing to do with
 * it), client.pem and client.key; argv[5]: host and port of an HTTP proxy that wants "me" and "secret". */
#include "check.h"

static char *folder;

static const char *file(const char *name) {
    static char paths[4][1024];
    static int turn;
    char *path = paths[turn++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

/* One round trip, or the reason why there is none. */
static pmq_status try_it(pmq_options *options) {
    pmq_error *error = NULL;
    pmq_status status;
    pmq_event *event = NULL;
    pmq_client *client;
    OK(pmq_options_set_reconnect(options, 0, 0, 100, 0, &error));
    client = check_client(options);
    OK(pmq_client_next_event(client, PATIENCE, &event, &error));
    status = pmq_event_status(event);
    if (pmq_event_type(event) == PMQ_EVENT_CONNECTED) {
        OK(pmq_client_wait(client, check_publish(client, "t", "x"), PATIENCE, NULL, &error));
    } else {
        CHECK(pmq_event_type(event) == PMQ_EVENT_STOPPED);
        CHECK(strlen(pmq_error_message(pmq_event_error(event))) > 20);
    }
    pmq_event_free(&event);
    pmq_client_free(&client);
    return status;
}

static pmq_status try_tls(const char *url, pmq_tls *tls) {
    pmq_error *error = NULL;
    pmq_options *options = check_options(url);
    pmq_status status;
    OK(pmq_options_set_tls(options, tls, &error));
    status = try_it(options);
    pmq_options_free(&options);
    return status;
}

static void certificates(const char *url) {
    pmq_error *error = NULL;
    pmq_tls *tls = NULL;
    OK(pmq_tls_new(&tls, &error));
    OK(pmq_tls_set_ca_file(tls, file("ca.pem"), PMQ_Z, &error));
    OK(pmq_tls_set_server_name(tls, "localhost", PMQ_Z, &error));
    /* The server wants to know who this is. */
    CHECK(try_tls(url, tls) == PMQ_STATUS_TLS);
    OK(pmq_tls_set_client_cert_files(tls, file("client.pem"), PMQ_Z, file("client.key"), PMQ_Z, &error));
    CHECK(try_tls(url, tls) == PMQ_STATUS_OK);
    OK(pmq_tls_set_min_version(tls, PMQ_TLS_VERSION_V13, &error));
    FAILS(pmq_tls_set_min_version(tls, 11, &error), PMQ_STATUS_ARGUMENT);
    /* For a key that is encrypted, which this is not. */
    OK(pmq_tls_set_key_passphrase(tls, "secret", 6, &error));
    OK(pmq_tls_set_key_passphrase(tls, NULL, 0, &error));
    CHECK(try_tls(url, tls) == PMQ_STATUS_OK);
    /* The right certificate for somebody else. */
    OK(pmq_tls_set_server_name(tls, "other.example", PMQ_Z, &error));
    CHECK(try_tls(url, tls) == PMQ_STATUS_TLS);
    OK(pmq_tls_set_server_name(tls, "localhost", PMQ_Z, &error));
    OK(pmq_tls_set_ca_file(tls, file("other.pem"), PMQ_Z, &error));
    CHECK(try_tls(url, tls) == PMQ_STATUS_TLS);
    OK(pmq_tls_set_insecure_no_verify(tls, true, &error));
    CHECK(try_tls(url, tls) == PMQ_STATUS_OK);
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
    CHECK(strstr(pmq_error_message(error), "/no/such/file.pem") != NULL);
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
    CHECK(try_it(options) == PMQ_STATUS_OK);
    OK(pmq_options_set_websocket(options, "/elsewhere", PMQ_Z, &error));
    CHECK(try_it(options) == PMQ_STATUS_CONNECTION);
    pmq_options_free(&options);

    options = check_options(unix_socket);
    CHECK(try_it(options) == PMQ_STATUS_OK);
    OK(pmq_options_add_unix(options, "/no/such/socket", PMQ_Z, &error));
    pmq_options_free(&options);
}

static void proxies(const char *websocket, const char *proxy) {
    pmq_error *error = NULL;
    pmq_options *options = check_options(websocket);
    char url[256];
    snprintf(url, sizeof url, "http://%s", proxy);
    OK(pmq_options_set_proxy(options, url, PMQ_Z, &error));
    CHECK(try_it(options) == PMQ_STATUS_CONNECTION);
    snprintf(url, sizeof url, "http://me:secret@%s", proxy);
    OK(pmq_options_set_proxy(options, url, PMQ_Z, &error));
    CHECK(try_it(options) == PMQ_STATUS_OK);
    pmq_options_free(&options);
}

int main(int argc, char **argv) {
    if (argc != 6) {
        return 2;
    }
    CHECK(pmq_features() == (PMQ_FEATURE_TLS | PMQ_FEATURE_WEBSOCKET | PMQ_FEATURE_PROXY));
    folder = argv[4];
    certificates(argv[1]);
    unusable(argv[1]);
    other_transports(argv[2], argv[3]);
    proxies(argv[2], argv[5]);
    return check_result();
}
