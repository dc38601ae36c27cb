/*
 * HTTP/2 sessions: a client and a server of ours over one socket pair, and a server of ours against
 * bytes that no honest client sends. Both ends run in this process, by turns.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above */
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http2.h"
#include "tls_pair.h"

#define ROUNDS 2000

struct stream_log {
	int heads, ends, closed, completed, released;
	size_t bytes;
	char body[4096];
	struct http2_stream *last;
};

struct peer {
	struct stream_log log;
	struct http2 *http;
	enum http2_result result;
	bool answer;					      /* a server that answers by itself */
	ssize_t (*source)(void *, uint8_t *, size_t, bool *); /* with this, else with "hello" */
	int available;	 /* bytes that the source has now; -1: no end */
	bool finish;	 /* and then it ends */
	uint32_t window; /* a server that takes bodies by hand; 0: it does not */
};

struct fixture {
	struct tls_pair tls;
	struct peer client, server;
};

static void on_release(void *arg)
{
	((struct peer *)arg)->log.released++;
}

/* A body of 'x' as long as AVAILABLE says. */
static ssize_t source_read(void *arg, uint8_t *out, size_t size, bool *last)
{
	struct peer *peer = arg;
	size_t n = size;

	if (peer->available >= 0 && (size_t)peer->available < n)
		n = (size_t)peer->available;
	if (peer->available >= 0)
		peer->available -= (int)n;
	memset(out, 'x', n);
	*last = peer->available == 0 && peer->finish;
	return n == 0 && !*last ? HTTP2_DEFER : (ssize_t)n;
}

static ssize_t source_fail(void *arg, uint8_t *out, size_t size, bool *last)
{
	(void)arg, (void)out, (void)size, (void)last;
	return HTTP2_FAIL;
}

static void respond(struct peer *peer, struct http2_stream *stream)
{
	struct http2_header header = {"content-type", "text/plain"};
	struct http2_body body = {.read = peer->source, .release = on_release, .arg = peer};

	if (!peer->source)
		assert_true(http2_body_copy(&body, "hello", 5));
	assert_int_equal(http2_respond(stream, 200, &header, 1, &body), 0);
}

static void on_head(void *arg, struct http2_stream *stream)
{
	struct peer *peer = arg;

	peer->log.heads++;
	peer->log.last = stream;
	if (peer->window)
		http2_pace(stream, peer->window);
	if (peer->answer)
		respond(peer, stream);
}

static void on_body(void *arg, struct http2_stream *stream, const uint8_t *bytes, size_t size)
{
	struct stream_log *log = &((struct peer *)arg)->log;

	(void)stream;
	if (log->bytes + size <= sizeof(log->body))
		memcpy(log->body + log->bytes, bytes, size);
	log->bytes += size;
}

static void on_end(void *arg, struct http2_stream *stream)
{
	(void)stream;
	((struct peer *)arg)->log.ends++;
}

static void on_closed(void *arg, struct http2_stream *stream, bool complete)
{
	struct stream_log *log = &((struct peer *)arg)->log;

	log->closed++;
	log->completed += complete;
	if (log->last == stream)
		log->last = NULL;
}

static const struct http2_events events = {on_head, on_body, on_end, on_closed};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	tls_pair_open(&f->tls);
	f->client.http = http2_new(f->tls.client, HTTP2_CLIENT, &events, &f->client);
	f->server.http = http2_new(f->tls.server, HTTP2_SERVER, &events, &f->server);
	assert_non_null(f->client.http);
	assert_non_null(f->server.http);
	f->server.answer = true;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	http2_free(f->client.http);
	http2_free(f->server.http);
	tls_pair_close(&f->tls);
	free(f);
	return 0;
}

static void turn(struct peer *peer)
{
	short poll_for;

	if (peer->result == HTTP2_OPEN)
		peer->result = http2_io(peer->http, &poll_for);
}

static void run(struct fixture *f)
{
	for (int i = 0; i < ROUNDS; i++) {
		turn(&f->client);
		turn(&f->server);
	}
}

static struct http2_stream *get(struct fixture *f, const char *path)
{
	struct http2_request request = {.method = "GET", .authority = "localhost", .path = path};

	return http2_request(f->client.http, &request, NULL);
}

static void test_exchange(void **state)
{
	struct fixture *f = *state;
	struct http2_header header = {"accept", "application/json"};
	struct http2_request request = {.method = "POST",
					.authority = "host:1025",
					.path = "/vms?force",
					.header = &header,
					.nheaders = 1};
	struct http2_stream *stream;

	f->server.answer = false;
	assert_true(http2_body_copy(&request.body, "image", 5));
	stream = http2_request(f->client.http, &request, f);
	assert_non_null(stream);
	assert_ptr_equal(http2_user(stream), f);
	run(f);
	assert_string_equal(http2_header(f->server.log.last, ":method"), "POST");
	assert_string_equal(http2_header(f->server.log.last, ":path"), "/vms?force");
	assert_string_equal(http2_header(f->server.log.last, ":authority"), "host:1025");
	assert_string_equal(http2_header(f->server.log.last, "accept"), "application/json");
	assert_null(http2_header(f->server.log.last, "cookie"));
	assert_int_equal(f->server.log.ends, 1);
	assert_memory_equal(f->server.log.body, "image", 5);

	respond(&f->server, f->server.log.last);
	for (int i = 0; i < ROUNDS && !f->client.log.heads; i++) {
		turn(&f->server);
		turn(&f->client);
	}
	assert_int_equal(f->client.log.bytes, 5);
	assert_memory_equal(f->client.log.body, "hello", 5);
	assert_int_equal(f->client.log.completed, 1);
	assert_int_equal(f->server.log.completed, 1);
	assert_int_equal(http2_streams(f->server.http), 0);
	assert_true(http2_progress(f->server.http) > 10);
}

static void test_streams_side_by_side(void **state)
{
	struct fixture *f = *state;

	run(f); /* the client knows the limit, and keeps what is above it waiting */
	for (int i = 0; i < HTTP2_STREAMS_MAX + 8; i++)
		assert_non_null(get(f, "/"));
	run(f);
	assert_int_equal(f->client.log.completed, HTTP2_STREAMS_MAX + 8);
}

static void test_deferred_body(void **state)
{
	struct fixture *f = *state;

	f->server.source = source_read;
	get(f, "/console");
	run(f);
	assert_int_equal(f->client.log.heads, 1);
	assert_int_equal(f->client.log.bytes, 0);
	assert_false(http2_blocked(f->server.http));

	f->server.available = 100;
	http2_resume(f->server.log.last);
	run(f);
	assert_int_equal(f->client.log.bytes, 100);
	assert_int_equal(f->client.log.closed, 0);

	f->server.finish = true;
	http2_resume(f->server.log.last);
	run(f);
	assert_int_equal(f->client.log.completed, 1);
	assert_int_equal(f->server.log.released, 1);
}

static void test_reader_that_does_not_read(void **state)
{
	struct fixture *f = *state;
	uint64_t progress;

	f->server.source = source_read;
	f->server.available = -1;
	get(f, "/console");
	for (int i = 0; i < 10; i++)
		turn(&f->client);
	for (int i = 0; i < ROUNDS; i++)
		turn(&f->server);
	assert_true(http2_blocked(f->server.http));
	progress = http2_progress(f->server.http);
	assert_true(progress < 1 << 20);
	for (int i = 0; i < ROUNDS; i++)
		turn(&f->server);
	assert_int_equal(http2_progress(f->server.http), progress);

	turn(&f->client);
	for (int i = 0; i < 10; i++) {
		turn(&f->server);
		turn(&f->client);
	}
	assert_true(http2_progress(f->server.http) > progress);
}

static void test_large_body(void **state)
{
	struct fixture *f = *state;

	f->server.source = source_read;
	f->server.available = 3 << 20;
	f->server.finish = true;
	get(f, "/data");
	run(f);
	assert_int_equal(f->client.log.bytes, 3 << 20);
	assert_int_equal(f->client.log.completed, 1);
	assert_false(http2_blocked(f->server.http));
}

static void test_body_that_fails(void **state)
{
	struct fixture *f = *state;

	f->server.source = source_fail;
	get(f, "/");
	run(f);
	assert_int_equal(f->client.log.closed, 1);
	assert_int_equal(f->client.log.completed, 0);
	assert_int_equal(f->server.log.completed, 0);
	assert_int_equal(f->server.log.released, 1);
	assert_int_equal(f->client.result, HTTP2_OPEN);
}

static void test_header_list_too_long(void **state)
{
	struct fixture *f = *state;
	static char value[6000];
	struct http2_header header[] = {{"a", value}, {"b", value}, {"c", value}};
	struct http2_request request = {.method = "GET",
					.authority = "localhost",
					.path = "/",
					.header = header,
					.nheaders = 3};

	memset(value, 'v', sizeof(value) - 1);
	assert_non_null(http2_request(f->client.http, &request, NULL));
	run(f);
	assert_int_equal(f->server.log.heads, 0);
	assert_int_equal(f->server.log.closed, 0);
	assert_int_equal(f->client.log.closed, 1);
	assert_int_equal(f->client.log.completed, 0);
	assert_non_null(get(f, "/"));
	run(f);
	assert_int_equal(f->client.log.completed, 1);
}

static void test_answer_before_the_request_ends(void **state)
{
	struct fixture *f = *state;
	struct http2_request request = {.method = "POST",
					.authority = "localhost",
					.path = "/",
					.body = {.read = source_read, .arg = &f->client}};

	f->client.available = -1;
	assert_non_null(http2_request(f->client.http, &request, NULL));
	run(f);
	assert_int_equal(f->client.log.completed, 1);
	assert_int_equal(f->server.log.completed, 1);
	assert_int_equal(f->server.log.ends, 0);
	assert_int_equal(http2_streams(f->client.http), 0);
}

/* For what speaks to the server in frames of its own making. */

#define PREFACE "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"

static void raw_write(struct fixture *f, const void *bytes, size_t size)
{
	const uint8_t *at = bytes;

	for (int i = 0; i < ROUNDS && size > 0; i++) {
		int n = SSL_write(f->tls.client, at, (int)size);

		if (n > 0) {
			at += n;
			size -= (size_t)n;
		}
		turn(&f->server);
	}
}

static size_t frame(uint8_t *out, uint8_t type, uint8_t flags, uint32_t stream, const void *payload,
		    size_t size)
{
	uint8_t head[9] = {0, (uint8_t)(size >> 8),   (uint8_t)size,  type, flags, 0,
			   0, (uint8_t)(stream >> 8), (uint8_t)stream};

	memcpy(out, head, 9);
	memcpy(out + 9, payload, size);
	return 9 + size;
}

/* :method GET, :scheme https, :path /, :authority x */
static const uint8_t get_block[] = {0x82, 0x87, 0x84, 0x01, 0x01, 'x'};

static void raw_data(struct fixture *f, const void *bytes, size_t size)
{
	static uint8_t out[9 + 16384];

	raw_write(f, out, frame(out, 0, 0, 1, bytes, size));
}

/* What the server says is read and forgotten. */
static void raw_read(struct fixture *f)
{
	uint8_t bytes[4096];

	while (SSL_read(f->tls.client, bytes, sizeof(bytes)) > 0)
		;
}

static void test_rest_of_a_request_is_dropped(void **state)
{
	struct fixture *f = *state;
	uint8_t bytes[64], data[16384] = {0};
	uint64_t sent = 0;

	raw_write(f, PREFACE, sizeof(PREFACE) - 1);
	raw_write(f, bytes, frame(bytes, 1, 4, 1, get_block, sizeof(get_block)));
	assert_true(http2_awaits(f->server.http));
	while (f->server.result == HTTP2_OPEN && !f->server.log.closed &&
	       sent < 2 * HTTP2_DISCARD_MAX) {
		raw_data(f, data, 8192);
		raw_read(f);
		sent += 8192;
	}
	assert_true(sent > HTTP2_DISCARD_MAX && sent < HTTP2_DISCARD_MAX + (1 << 20));
	assert_int_equal(f->server.log.bytes, 0);
	assert_int_equal(f->server.log.completed, 1);
	assert_false(http2_awaits(f->server.http));
}

/* What is not taken closes the window; of this stream alone. */
static void test_pace(void **state)
{
	struct fixture *f = *state;
	struct http2_request request = {.method = "PUT",
					.authority = "localhost",
					.path = "/",
					.body = {.read = source_read, .arg = &f->client}};
	struct http2_stream *paced;

	f->server.answer = false;
	f->server.window = 100000;
	f->client.available = 1000000;
	f->client.finish = true;
	assert_non_null(http2_request(f->client.http, &request, NULL));
	run(f);
	paced = f->server.log.last;
	assert_int_equal(f->server.log.bytes, 100000);
	assert_false(http2_awaits(f->server.http));

	f->server.window = 0;
	f->server.answer = true;
	get(f, "/other");
	run(f);
	assert_int_equal(f->client.log.completed, 1);
	assert_int_equal(f->server.log.bytes, 100000);

	http2_taken(paced, 60000);
	run(f);
	assert_int_equal(f->server.log.bytes, 160000);
	http2_taken(paced, 1000000); /* more than came is all of it */
	run(f);
	assert_int_equal(f->server.log.bytes, 260000);
	while (f->server.log.bytes < 1000000) {
		http2_taken(paced, 100000);
		run(f);
	}
	assert_int_equal(f->server.log.ends, 2);
	respond(&f->server, paced);
	run(f);
	assert_int_equal(f->client.log.completed, 2);
}

/* An answer opens it: the client may send its rest, which is dropped. */
static void test_pace_ends_with_the_answer(void **state)
{
	struct fixture *f = *state;
	struct http2_request request = {.method = "PUT",
					.authority = "localhost",
					.path = "/",
					.body = {.read = source_read, .arg = &f->client}};

	f->server.answer = false;
	f->server.window = 100000;
	f->client.available = -1;
	assert_non_null(http2_request(f->client.http, &request, NULL));
	run(f);
	assert_int_equal(f->server.log.bytes, 100000);
	respond(&f->server, f->server.log.last);
	run(f);
	assert_int_equal(f->client.log.completed, 1);
	assert_int_equal(f->server.log.bytes, 100000);
	assert_int_equal(f->server.log.closed, 1);
}

static void test_cancel(void **state)
{
	struct fixture *f = *state;
	struct http2_stream *stream;

	f->server.source = source_read;
	f->server.available = -1;
	stream = get(f, "/console");
	for (int i = 0; i < 20; i++) {
		turn(&f->client);
		turn(&f->server);
	}
	assert_int_equal(f->client.log.heads, 1);
	http2_cancel(stream);
	run(f);
	assert_int_equal(f->client.log.closed, 1);
	assert_int_equal(f->server.log.closed, 1);
	assert_int_equal(f->server.log.completed, 0);
	assert_int_equal(f->server.log.released, 1);
	assert_int_equal(f->client.result, HTTP2_OPEN);
}

static void test_goaway_lets_streams_end(void **state)
{
	struct fixture *f = *state;

	f->server.source = source_read;
	get(f, "/console");
	run(f);
	assert_string_equal(http2_goodbye(f->client.http), "");
	http2_goaway(f->server.http, "it is late");
	run(f);
	assert_int_equal(f->server.result, HTTP2_OPEN);
	assert_string_equal(http2_goodbye(f->client.http), "it is late");
	get(f, "/late");
	run(f);
	assert_int_equal(f->client.log.closed, 1);
	assert_int_equal(f->client.log.completed, 0);
	f->server.finish = true;
	http2_resume(f->server.log.last);
	run(f);
	assert_int_equal(f->client.log.completed, 1);
	assert_int_equal(f->server.result, HTTP2_CLOSED);
	assert_int_equal(f->client.result, HTTP2_CLOSED);
}

static void test_terminate(void **state)
{
	struct fixture *f = *state;

	f->server.source = source_read;
	get(f, "/console");
	run(f);
	http2_terminate(f->server.http);
	run(f);
	assert_int_equal(f->server.result, HTTP2_CLOSED);
	assert_int_equal(f->client.result, HTTP2_CLOSED);
}

static void test_free_closes_streams(void **state)
{
	struct fixture *f = *state;

	f->server.source = source_read;
	get(f, "/console");
	run(f);
	http2_free(f->server.http);
	f->server.http = NULL;
	assert_int_equal(f->server.log.closed, 1);
	assert_int_equal(f->server.log.completed, 0);
	assert_int_equal(f->server.log.released, 1);
}

static void test_end_without_goodbye_is_an_abort(void **state)
{
	struct fixture *f = *state;

	run(f);
	shutdown(SSL_get_fd(f->tls.client), SHUT_WR);
	turn(&f->server);
	assert_int_equal(f->server.result, HTTP2_ABORTED);
	assert_string_equal(http2_problem(f->server.http),
			    "the connection ended without a TLS goodbye");
}

static void test_goodbye_is_a_close(void **state)
{
	struct fixture *f = *state;

	run(f);
	SSL_shutdown(f->tls.client);
	turn(&f->server);
	assert_int_equal(f->server.result, HTTP2_CLOSED);
}

static int setup_refused(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	tls_pair_open_refused(&f->tls);
	f->client.http = http2_new(f->tls.client, HTTP2_CLIENT, &events, &f->client);
	assert_non_null(f->client.http);
	*state = f;
	return 0;
}

/* A TLS 1.3 client is done before the server has judged its chain: it hears of it here. */
static void test_alert_is_told_apart(void **state)
{
	struct fixture *f = *state;

	get(f, "/");
	turn(&f->client);
	assert_int_equal(f->client.result, HTTP2_TLS);
	assert_non_null(strstr(http2_problem(f->client.http), "certificate required"));
}

static void test_alert_behind_a_broken_pipe(void **state)
{
	struct fixture *f = *state;

	shutdown(SSL_get_fd(f->tls.server), SHUT_RDWR);
	get(f, "/");
	turn(&f->client);
	assert_int_equal(f->client.result, HTTP2_TLS);
	assert_non_null(strstr(http2_problem(f->client.http), "certificate required"));
}

static void test_no_preface(void **state)
{
	struct fixture *f = *state;

	raw_write(f, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", 36);
	run(f);
	assert_int_equal(f->server.result, HTTP2_PROTOCOL);
}

static void test_ping_flood_by_a_deaf_client(void **state)
{
	struct fixture *f = *state;
	uint8_t ping[17];
	size_t size = frame(ping, 6, 0, 0, "12345678", 8);
	int sent = 0;

	raw_write(f, PREFACE, sizeof(PREFACE) - 1);
	while (f->server.result == HTTP2_OPEN && sent < 200000) {
		int n = SSL_write(f->tls.client, ping, (int)size);

		sent += n > 0;
		turn(&f->server);
		if (n <= 0)
			break; /* nobody takes any more: bounded too */
	}
	assert_true(sent < 200000);
}

static void test_rapid_reset(void **state)
{
	struct fixture *f = *state;
	int sent;

	f->server.answer = false;
	raw_write(f, PREFACE, sizeof(PREFACE) - 1);
	for (sent = 0; sent < 5000 && f->server.result == HTTP2_OPEN; sent++) {
		uint8_t bytes[64];
		uint32_t stream = (uint32_t)(2 * sent + 1);
		size_t n = frame(bytes, 1, 5, stream, get_block, sizeof(get_block));

		n += frame(bytes + n, 3, 0, stream, "\0\0\0\10", 4);
		raw_write(f, bytes, n);
	}
	assert_int_equal(f->server.result, HTTP2_PROTOCOL);
	assert_true(sent < 1000);
}

static void test_too_many_streams(void **state)
{
	struct fixture *f = *state;

	f->server.answer = false;
	raw_write(f, PREFACE, sizeof(PREFACE) - 1);
	for (uint32_t i = 0; i < 4 * HTTP2_STREAMS_MAX; i++) {
		uint8_t bytes[64];

		raw_write(f, bytes, frame(bytes, 1, 5, 2 * i + 1, get_block, sizeof(get_block)));
		assert_true(http2_streams(f->server.http) <= HTTP2_STREAMS_MAX);
	}
	assert_int_equal(f->server.log.heads, HTTP2_STREAMS_MAX);
}

static void test_endless_continuation(void **state)
{
	struct fixture *f = *state;
	uint8_t bytes[64];
	int sent;

	raw_write(f, PREFACE, sizeof(PREFACE) - 1);
	raw_write(f, bytes, frame(bytes, 1, 1, 1, get_block, sizeof(get_block)));
	for (sent = 0; sent < 100 && f->server.result == HTTP2_OPEN; sent++)
		raw_write(f, bytes, frame(bytes, 9, 0, 1, "\x40\x01y\x01z", 5));
	assert_int_equal(f->server.result, HTTP2_PROTOCOL);
	assert_true(sent < 20);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_exchange),
	    TEST(test_streams_side_by_side),
	    TEST(test_deferred_body),
	    TEST(test_reader_that_does_not_read),
	    TEST(test_large_body),
	    TEST(test_body_that_fails),
	    TEST(test_header_list_too_long),
	    TEST(test_answer_before_the_request_ends),
	    TEST(test_rest_of_a_request_is_dropped),
	    TEST(test_pace),
	    TEST(test_pace_ends_with_the_answer),
	    TEST(test_cancel),
	    TEST(test_goaway_lets_streams_end),
	    TEST(test_terminate),
	    TEST(test_free_closes_streams),
	    TEST(test_end_without_goodbye_is_an_abort),
	    TEST(test_goodbye_is_a_close),
	    cmocka_unit_test_setup_teardown(test_alert_is_told_apart, setup_refused, teardown),
	    cmocka_unit_test_setup_teardown(test_alert_behind_a_broken_pipe, setup_refused,
					    teardown),
	    TEST(test_no_preface),
	    TEST(test_ping_flood_by_a_deaf_client),
	    TEST(test_rapid_reset),
	    TEST(test_too_many_streams),
	    TEST(test_endless_continuation),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests_name("http2", tests, NULL, NULL);
}
