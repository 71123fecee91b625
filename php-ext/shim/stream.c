/* A stream that only says whether there is something to do: for stream_select() and event loops. */

#include "shim.h"
#include "php_network.h"
#include "php_streams.h"

/* Nothing comes out of it, and that is not its end. */
static ssize_t read_nothing(php_stream *stream, char *buffer, size_t length)
{
	return 0;
}

static ssize_t write_nothing(php_stream *stream, const char *buffer, size_t length)
{
	return -1;
}

static int close_stream(php_stream *stream, int close_handle)
{
	mqtt_stream_free(stream->abstract);
	stream->abstract = NULL;
	return 0;
}

static int flush_nothing(php_stream *stream)
{
	return 0;
}

static int give_descriptor(php_stream *stream, int as, void **result)
{
	switch (as) {
		case PHP_STREAM_AS_FD:
		case PHP_STREAM_AS_FD_FOR_SELECT:
		case PHP_STREAM_AS_SOCKETD:
			if (result) {
				*(php_socket_t *) result = mqtt_stream_descriptor(stream->abstract);
			}
			return SUCCESS;
		default:
			return FAILURE;
	}
}

/* It never blocks, whatever it is told. */
static int set_option(php_stream *stream, int option, int value, void *parameter)
{
	return option == PHP_STREAM_OPTION_BLOCKING ? 0 : PHP_STREAM_OPTION_RETURN_NOTIMPL;
}

static const php_stream_ops operations = {
	write_nothing, read_nothing, close_stream, flush_nothing, "mqtt", NULL, give_descriptor, NULL, set_option
};

void mqtt_stream_open(void *source, zval *result)
{
	php_stream *stream = php_stream_alloc(&operations, source, NULL, "r");

	stream->flags |= PHP_STREAM_FLAG_NO_BUFFER;
	php_stream_to_zval(stream, result);
}
