/*
 * assets.c
 *		The files of src/proxy/web, which are part of the program.
 */
#include "restd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char policy[] =
	"default-src 'self'; base-uri 'none'; object-src 'none'; form-action 'self'; frame-ancestors 'none'";
/* Swagger UI styles its elements one by one, and has small pictures in its style sheet. */
static const char docs_policy[] =
	"default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; base-uri 'none'; object-src 'none'; form-action 'self'; frame-ancestors 'none'";

/* Is this the file of a path?  index.html is /, docs.html or docs/index.html is /docs. */
static bool
fits(const Asset *asset, const char *path)
{
	size_t		length = strlen(path);
	const char *rest;

	if (length == 0)
		return strcmp(asset->path, "index.html") == 0;
	if (strncmp(asset->path, path, length) != 0)
		return false;
	rest = asset->path + length;
	return *rest == '\0' || strcmp(rest, ".html") == 0 || strcmp(rest, "/index.html") == 0;
}

/* See restd.h: the path as in the URL, with its slash. */
const Asset *
asset_find(const char *path)
{
	for (size_t i = 0; *path == '/' && i < n_assets; i++)
		if (fits(&assets[i], path + 1))
			return &assets[i];
	return NULL;
}

static const char *
type_of(const char *path)
{
	static const char *const types[][2] = {
		{".html", "text/html; charset=utf-8"}, {".css", "text/css; charset=utf-8"},
		{".js", "text/javascript; charset=utf-8"}, {".mjs", "text/javascript; charset=utf-8"},
		{".json", "application/json"}, {".svg", "image/svg+xml"}, {".png", "image/png"}, {".ico", "image/x-icon"},
		{".woff2", "font/woff2"}, {".txt", "text/plain; charset=utf-8"}, {".map", "application/json"},
		{".webmanifest", "application/manifest+json"}
	};
	const char *dot = strrchr(path, '.');

	for (size_t i = 0; dot != NULL && i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(dot, types[i][0]) == 0)
			return types[i][1];
	return "application/octet-stream";
}

/* Does the client take gzip?  "gzip;q=0" says no. */
static bool
takes_gzip(struct MHD_Connection *connection)
{
	const char *codings = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Accept-Encoding");
	const char *gzip = codings != NULL ? strstr(codings, "gzip") : NULL;
	const char *quality;

	if (gzip == NULL)
		return false;
	quality = gzip + 4 + strspn(gzip + 4, " ");
	return strncmp(quality, ";q=0", 4) != 0 || strtod(quality + 3, NULL) > 0;
}

/* See restd.h. */
enum MHD_Result
asset_send(const Request *request)
{
	const Asset *asset = request->asset;
	bool		packed = takes_gzip(request->connection);
	bool		same;
	char		etag[32];
	struct MHD_Response *response;
	enum MHD_Result result;

	/* other bytes have another tag: parts of the two must not be put together */
	snprintf(etag, sizeof(etag), packed ? "%.*s-gzip\"" : "%.*s\"", (int) strlen(asset->etag) - 1, asset->etag);
	same = http_has_tag(request, etag);
	response = MHD_create_response_from_buffer(same ? 0 : packed ? asset->packed_size : asset->size,
											   (void *) (packed ? asset->packed : asset->data), MHD_RESPMEM_PERSISTENT);
	if (response == NULL)
		return MHD_NO;
	if (!same)
		MHD_add_response_header(response, "Content-Type", type_of(asset->path));
	if (packed && !same)
		MHD_add_response_header(response, "Content-Encoding", "gzip");
	MHD_add_response_header(response, "ETag", etag);
	MHD_add_response_header(response, "Vary", "Accept-Encoding");
	MHD_add_response_header(response, "Cache-Control", "no-cache");
	MHD_add_response_header(response, "Content-Security-Policy", strncmp(asset->path, "docs", 4) == 0 ? docs_policy : policy);
	MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
	MHD_add_response_header(response, "X-Frame-Options", "DENY");
	MHD_add_response_header(response, "Referrer-Policy", "no-referrer");
	result = MHD_queue_response(request->connection, same ? 304 : 200, response);
	MHD_destroy_response(response);
	return result;
}
