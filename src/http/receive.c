/*
 * receive.c
 *		An answer as libcurl hands it over: headers are read, the body is taken out
 *		of gzip and kept.
 *
 * libcurl itself takes a compressed body whose end is missing for a whole one, so it
 * leaves bodies as they come.
 *
 * The callbacks that libcurl calls use malloc and never leave by longjmp, which
 * would go through libcurl's own frames.
 */
#include "postgres.h"

#include "internal.h"

#define PIECE_SIZE 16384
#define GZIP_MAGIC 0x1f			/* what is packed by gzip begins with it */
#define ANY_FORMAT 32			/* to zlib: look at the head whether it is gzip's or zlib's own */

/* Ends the transfer for a reason; a callback then takes less than all that it was given. */
static bool
stop(AoHttpTransfer *t, AoHttpStop why)
{
	t->stop = why;
	return false;
}

/* See internal.h. */
void
ao_http_receive_begin(AoHttpTransfer *t)
{
	t->size = t->header_size = t->packed_size = 0;
	t->stop = AO_HTTP_NOT_STOPPED;
	t->coding = AO_HTTP_PLAIN;
	t->pause_asked = 0;
	t->unpacking = t->whole = false;
}

/* See internal.h. */
void
ao_http_receive_end(AoHttpTransfer *t)
{
	if (t->unpacking)
		inflateEnd(&t->packed);
	t->unpacking = false;
}

/* ---- headers ---- */

/* The value of a header, without blanks around it, if the line is one of this name; else NULL. */
static const char *
value_of(const char *line, size_t size, const char *name, size_t *length)
{
	const char *end = line + size;
	size_t		n = strlen(name);

	if (size <= n || line[n] != ':' || pg_strncasecmp(line, name, n) != 0)
		return NULL;
	line += n + 1;
	while (line < end && strchr(" \t", *line) != NULL)
		line++;
	while (line < end && strchr(" \t\r\n", end[-1]) != NULL)
		end--;
	*length = end - line;
	return line;
}

/* The coding that a Content-Encoding stands for; deflate is zlib's format by its standard. */
static AoHttpCoding
read_coding(const char *value, size_t length)
{
	static const char *const packed[] = {"gzip", "x-gzip", "deflate"};

	for (size_t i = 0; i < lengthof(packed); i++)
	{
		if (strlen(packed[i]) == length && pg_strncasecmp(value, packed[i], length) == 0)
			return AO_HTTP_PACKED;
	}
	return length == 0 || (length == 8 && pg_strncasecmp(value, "identity", 8) == 0) ? AO_HTTP_PLAIN : AO_HTTP_UNKNOWN_CODING;
}

/* The seconds of a Retry-After in digits, however many: libcurl has none for a number beyond its own.  A date is left to it. */
static int
read_pause(const char *value, size_t length)
{
	int			seconds = 0;

	for (size_t i = 0; i < length; i++)
	{
		if (value[i] < '0' || value[i] > '9')
			return 0;
		seconds = Min(seconds * 10 + (value[i] - '0'), AO_HTTP_MAX_RETRY_AFTER);
	}
	return seconds;
}

/* See internal.h. */
size_t
ao_http_take_header(char *data, size_t one, size_t size, void *arg)
{
	AoHttpTransfer *t = arg;
	const char *value;
	size_t		length;

	(void) one;
	t->header_size += size;
	if (t->header_size > AO_HTTP_MAX_HEADER_SIZE)
	{
		stop(t, AO_HTTP_STOP_HEADERS);
		return 0;
	}
	if (size > 5 && strncmp(data, "HTTP/", 5) == 0)
	{
		/* what came before was a proxy's, or told to go on */
		t->coding = AO_HTTP_PLAIN;
		t->pause_asked = 0;
	}
	else if ((value = value_of(data, size, "Content-Encoding", &length)) != NULL)
		t->coding = t->coding == AO_HTTP_PLAIN ? read_coding(value, length) : AO_HTTP_UNKNOWN_CODING;
	else if ((value = value_of(data, size, "Retry-After", &length)) != NULL)
		t->pause_asked = read_pause(value, length);
	return size;
}

/* ---- body ---- */

/* Is there no room for as much more beside what is there of an answer? */
static bool
is_too_much(size_t there, size_t more)
{
	return more > (size_t) ao_http_max_size * 1024 - there;
}

/* Adds to the body, which ends with a zero byte. */
static bool
keep(AoHttpTransfer *t, const char *data, size_t size)
{
	if (is_too_much(t->size, size))
		return stop(t, AO_HTTP_STOP_SIZE);
	if (t->size + size >= t->capacity)
	{
		size_t		capacity = Max(t->capacity * 2, t->size + size + 1);
		char	   *bigger = realloc(t->body, capacity);

		if (bigger == NULL)
			return stop(t, AO_HTTP_STOP_MEMORY);
		t->body = bigger;
		t->capacity = capacity;
	}
	memcpy(t->body + t->size, data, size);
	t->size += size;
	t->body[t->size] = '\0';
	return true;
}

/* Unpacks what came and keeps it; behind its end there may be another piece packed by itself, or something to fill up with, which is left out. */
static bool
unpack(AoHttpTransfer *t, char *data, size_t size)
{
	z_stream   *packed = &t->packed;
	char		piece[PIECE_SIZE];
	int			result;

	packed->next_in = (Bytef *) data;
	packed->avail_in = (uInt) size;
	do
	{
		if (t->whole && *packed->next_in != GZIP_MAGIC)
			return true;
		if (t->whole)
			inflateReset(packed);
		packed->next_out = (Bytef *) piece;
		packed->avail_out = PIECE_SIZE;
		result = inflate(packed, Z_NO_FLUSH);
		t->whole = result == Z_STREAM_END;
		if (result == Z_MEM_ERROR)
			return stop(t, AO_HTTP_STOP_MEMORY);
		if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR)
			return stop(t, AO_HTTP_STOP_GARBLED);
		if (!keep(t, piece, PIECE_SIZE - packed->avail_out))
			return false;
	} while (packed->avail_in > 0 || (packed->avail_out == 0 && !t->whole));
	return true;
}

/* Takes a piece of the body as it came. */
static bool
take_piece(AoHttpTransfer *t, char *data, size_t size)
{
	if (size == 0)
		return true;
	if (t->coding == AO_HTTP_UNKNOWN_CODING)
		return stop(t, AO_HTTP_STOP_CODING);
	if (t->coding == AO_HTTP_PLAIN)
		return keep(t, data, size);
	if (!t->unpacking)
	{
		memset(&t->packed, 0, sizeof(t->packed));
		if (inflateInit2(&t->packed, MAX_WBITS + ANY_FORMAT) != Z_OK)
			return stop(t, AO_HTTP_STOP_MEMORY);
		t->unpacking = true;
	}
	/* what unpacks to nothing would come for as long as the time allows */
	if (is_too_much(t->packed_size, size))
		return stop(t, AO_HTTP_STOP_SIZE);
	t->packed_size += size;
	return unpack(t, data, size);
}

/* See internal.h. */
size_t
ao_http_take_body(char *data, size_t one, size_t size, void *arg)
{
	(void) one;
	return take_piece(arg, data, size) ? size : 0;
}

/* See internal.h. */
bool
ao_http_is_cut_off(const AoHttpTransfer *t)
{
	return t->unpacking && !t->whole;
}
