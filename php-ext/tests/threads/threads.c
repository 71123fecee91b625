/*
 * Serves requests in several threads at once, as a threaded SAPI does (FrankenPHP). For a ZTS PHP that is built with embed.
 *
 *     threads THREADS REQUESTS SCRIPT     each thread runs the script that often, each time as a request of its own
 *
 * The script has $thread and $request, and throws if anything is wrong: then this fails, and so it does when PHP does.
 */
#define _GNU_SOURCE

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sapi/embed/php_embed.h>

static const char *script;
static int requests;
static unsigned served;

static void serve_one(long thread, int request)
{
	char *code;

	if (php_request_startup() == FAILURE) {
		fprintf(stderr, "thread %ld: no request\n", thread);
		exit(1);
	}
	zend_first_try {
		zend_spprintf(&code, 0, "$thread = %ld; $request = %d; require '%s';", thread, request, script);
		if (zend_eval_string_ex(code, NULL, "threads", true) == SUCCESS && !EG(exception)) {
			__atomic_add_fetch(&served, 1, __ATOMIC_RELAXED);
		}
		efree(code);
	} zend_end_try();
	php_request_shutdown(NULL);
}

static void *serve(void *thread)
{
	ts_resource(0);
	for (int request = 0; request < requests; request++) {
		serve_one((long) thread, request);
	}
	ts_free_thread();
	return NULL;
}

int main(int argc, char **argv)
{
	int count = argc == 4 ? atoi(argv[1]) : 0;
	pthread_t threads[64];

	if (count < 1 || count > 64) {
		fprintf(stderr, "usage: threads THREADS REQUESTS SCRIPT\n");
		return 2;
	}
	requests = atoi(argv[2]);
	script = argv[3];
	if (php_embed_init(0, NULL) == FAILURE) {
		return 2;
	}
	for (long thread = 0; thread < count; thread++) {
		pthread_create(&threads[thread], NULL, serve, (void *) thread);
	}
	for (int thread = 0; thread < count; thread++) {
		pthread_join(threads[thread], NULL);
	}
	php_embed_shutdown();
	printf("%u of %d requests served\n", served, count * requests);
	return served == (unsigned) (count * requests) ? 0 : 1;
}
