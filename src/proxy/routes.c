/*
 * routes.c
 *		The table of what is answered, and how a request finds its line in it.
 *		Files (assets.c) come after this table.
 */
#include "restd.h"

#include <stdlib.h>
#include <string.h>

static const Route routes[] = {
	{"POST", "/predict", ROUTE_PREDICT, false, NULL, {{NULL, 0, NULL}}},
	{"GET", "/health", ROUTE_HEALTH, true, NULL, {{NULL, 0, NULL}}},
	{"GET", "/ready", ROUTE_READ, true, "SELECT arima_api.ready()", {{NULL, 0, NULL}}},
	{"GET", "/metrics", ROUTE_METRICS, false, NULL, {{NULL, 0, NULL}}},
	{"GET", "/api/forecast", ROUTE_READ, false,
		"SELECT coalesce(json_agg(f), '[]') FROM arima_api.forecast($1, coalesce($2::int, 10), coalesce($3::float8, 0.95)) AS f",
		{{"series", PARAMETER_TEXT, NULL}, {"horizon", PARAMETER_INT, NULL}, {"level", PARAMETER_FLOAT, NULL}}},
	{"GET", "/api/overview", ROUTE_READ, false, "SELECT arima_api.overview()", {{NULL, 0, NULL}}},
	{"GET", "/api/series/{name}", ROUTE_READ, false, "SELECT arima_api.series_detail($1, coalesce($2::int, 250), coalesce($3::int, 20))",
		{{"name", PARAMETER_TEXT, NULL}, {"sessions", PARAMETER_INT, NULL}, {"horizon", PARAMETER_INT, NULL}}},
	{"GET", "/api/events", ROUTE_READ, false, "SELECT arima_api.events($1::bigint, $2, $3, coalesce($4::int, 100))",
		{{"after", PARAMETER_BIGINT, NULL}, {"series", PARAMETER_TEXT, NULL}, {"kind", PARAMETER_TEXT, NULL}, {"limit", PARAMETER_INT, "the number of events"}}},
	{"GET", "/api/jobs", ROUTE_READ, false, "SELECT arima_api.jobs()", {{NULL, 0, NULL}}},
};

#define N_ROUTES (sizeof(routes) / sizeof(routes[0]))

static const Route fixed = {"POST", "/fixed", ROUTE_FIXED, true, NULL, {{NULL, 0, NULL}}};

/* See restd.h. */
const Route *
route_at(size_t i)
{
	if (i == N_ROUTES)
		return &fixed;
	return i < N_ROUTES ? &routes[i] : NULL;
}

/* See restd.h: counts from 0; what is no route comes after the last. */
size_t
route_number(const Route *route)
{
	if (route == NULL)
		return N_ROUTES + 1;
	return route == &fixed ? N_ROUTES : (size_t) (route - routes);
}

/* See restd.h. */
int
route_parameter(const Route *route, const char *name, size_t length)
{
	for (int i = 0; i < MOST_PARAMETERS && route->parameters[i].name != NULL; i++)
		if (strlen(route->parameters[i].name) == length && memcmp(route->parameters[i].name, name, length) == 0)
			return i;
	return -1;
}

/* Does a path fit a pattern?  Parts that {name} stands for are kept, escapes undone, where request is not NULL. */
static bool
path_fits(const Route *route, const char *path, Request *request)
{
	const char *pattern = route->path;

	while (*pattern != '\0')
	{
		size_t		name_length = *pattern == '{' ? strcspn(pattern, "}") : 0;
		size_t		length = strcspn(path, "/");
		int			i;

		if (name_length == 0)
		{
			if (*pattern++ != *path++)
				return false;
			continue;
		}
		if (length == 0)
			return false;
		i = route_parameter(route, pattern + 1, name_length - 1);
		if (request != NULL && i >= 0)
		{
			char	   *value = memcpy(need_memory(NULL, length + 1), path, length);

			value[length] = '\0';
			/* nothing has a zero byte in its name */
			if (MHD_http_unescape(value) != strlen(value))
			{
				free(value);
				return false;
			}
			free(request->parameters[i]);
			request->parameters[i] = value;
		}
		pattern += name_length + 1;
		path += length;
	}
	return *path == '\0';
}

/* A HEAD is a GET whose body is left out. */
static bool
method_fits(const Route *route, const char *method)
{
	return strcmp(route->method, method) == 0 || (strcmp(method, "HEAD") == 0 && strcmp(route->method, "GET") == 0);
}

/* See restd.h. */
const Route *
route_find(const char *method, const char *path, Request *request, const char **allowed)
{
	*allowed = NULL;
	for (size_t i = 0; i <= N_ROUTES; i++)
	{
		const Route *route = route_at(i);

		if ((route == &fixed && !options.fixed_reply) || !path_fits(route, path, NULL))
			continue;
		if (method_fits(route, method))
		{
			*allowed = NULL;
			return path_fits(route, path, request) ? route : NULL;
		}
		*allowed = strcmp(route->method, "GET") == 0 ? "GET, HEAD" : route->method;
	}
	return NULL;
}
