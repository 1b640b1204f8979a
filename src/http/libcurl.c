/*
 * libcurl.c
 *		Loads libcurl when the first request is made.
 *
 * Linked in the usual way, it and the three dozen libraries behind it would be
 * loaded by every session and every parallel worker that computes a forecast:
 * 20 ms each, for what one job a day needs.
 */
#include "postgres.h"

#include <dlfcn.h>

#include "internal.h"

/* The name that the library has had since 2006. */
#ifdef __APPLE__
#define LIBCURL "libcurl.4.dylib"
#else
#define LIBCURL "libcurl.so.4"
#endif

static AoCurl functions;
static bool loaded = false;

/* Reports that the library cannot be used. */
static void
cannot_load(const char *why)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_FILE),
			 errmsg("libcurl cannot be loaded"),
			 errdetail_internal("%s", why),
			 errhint("Install libcurl (Debian: libcurl4) on the database server.")));
}

/* The address of a function of the library. */
static void *
find_function(void *library, const char *name)
{
	void	   *function = dlsym(library, name);

	if (function == NULL)
		cannot_load(dlerror());
	return function;
}

/* The functions of libcurl, ready for use; the library stays loaded. */
const AoCurl *
ao_http_curl(void)
{
	void	   *library;

	if (loaded)
		return &functions;
	library = dlopen(LIBCURL, RTLD_NOW | RTLD_LOCAL);
	if (library == NULL)
		cannot_load(dlerror());
#define AO_CURL_LOAD(name) functions.name = find_function(library, #name);
	AO_CURL_FUNCTIONS(AO_CURL_LOAD)
#undef AO_CURL_LOAD
	if (functions.curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		cannot_load("curl_global_init failed");
	loaded = true;
	return &functions;
}
