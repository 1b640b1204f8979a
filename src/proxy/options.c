/*
 * options.c
 *		Settings: by --name value on the command line, ARIMA_RESTD_NAME in the
 *		environment, name = value in a file; the first of these that says it counts.
 */
#include "restd.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

Options		options;

typedef enum Kind
{
	IS_TEXT, IS_YES, IS_NUMBER, IS_SIZE, IS_TIME
} Kind;

typedef struct Setting
{
	const char *name;
	Kind		kind;
	size_t		offset;			/* in Options */
	int64_t		least;
	int64_t		most;
	const char *standard;
	const char *help;
} Setting;

#define AT(field) offsetof(Options, field)
#define ANY 0, 0

static const Setting settings[] = {
	{"config", IS_TEXT, AT(config), ANY, "", "file with lines name = value"},
	{"listen", IS_TEXT, AT(listen), ANY, "127.0.0.1:8000", "address and port; port 0 is any free one"},
	{"database", IS_TEXT, AT(database), ANY, "", "libpq connection string or URI, service=NAME among them; empty: the PG variables"},
	{"user", IS_TEXT, AT(user), ANY, "", "system user to become, when started by root"},
	{"tokens", IS_TEXT, AT(tokens), ANY, "", "file of bearer tokens; empty: anyone may ask"},
	{"open-reads", IS_YES, AT(open_reads), ANY, "no", "with tokens: what only reads needs none"},
	{"access-log", IS_YES, AT(access_log), ANY, "no", "a line of log for each request"},
	{"threads", IS_NUMBER, AT(threads), 1, 256, "2", "threads that read requests and write replies"},
	{"batch-workers", IS_NUMBER, AT(batch_workers), 1, 64, "2", "connections that answer predictions: one, a batch at a time, and others for when it is held up"},
	{"read-workers", IS_NUMBER, AT(read_workers), 1, 64, "2", "connections for what only reads"},
	{"batch-size", IS_NUMBER, AT(batch_size), 1, 10000, "256", "most predictions in one statement; one for 1,000 steps counts as 32"},
	{"queue", IS_NUMBER, AT(queue), 1, 1000000, "2048", "most requests that wait; further ones get status 503"},
	{"max-body", IS_SIZE, AT(max_body), 64, INT64_C(64) << 20, "64kB", "longest body of a request"},
	{"max-header", IS_SIZE, AT(max_header), 2048, INT64_C(1) << 20, "16kB", "memory for the header of a request"},
	{"max-connections", IS_NUMBER, AT(max_connections), 1, 1000000, "16384", "most clients' connections"},
	{"max-connections-per-ip", IS_NUMBER, AT(max_connections_per_ip), 0, 1000000, "0", "most of one address; 0: any number"},
	{"rate", IS_NUMBER, AT(rate), 0, 1000000, "0", "most requests a second of one token or address, then 429; one for 1,000 steps counts as 32; 0: any number"},
	{"idle-timeout", IS_TIME, AT(idle_timeout), 1000, 86400000, "60s", "between two requests of a connection, which is then closed"},
	{"request-timeout", IS_TIME, AT(request_timeout), 100, 3600000, "15s", "for a request to arrive, and for its reply to be taken"},
	{"statement-timeout", IS_TIME, AT(statement_timeout), 10, 3600000, "10s", "for a statement in the database"},
	{"connect-timeout", IS_TIME, AT(connect_timeout), 1000, 3600000, "3s", "for a connection to the database, to each of its addresses and in whole seconds, 2 at least, unless the connection string has a connect_timeout"},
	{"stop-timeout", IS_TIME, AT(stop_timeout), 0, 3600000, "30s", "after SIGTERM, for the requests in flight"},
	{"fixed-reply", IS_YES, AT(fixed_reply), ANY, "no", "for benchmarks: POST /fixed answers without the database"},
};

#define N_SETTINGS (sizeof(settings) / sizeof(settings[0]))

static bool given[N_SETTINGS];

/* A setting is wrong: says which, and from where. */
static _Noreturn void
refuse(const Setting *setting, const char *value, const char *source)
{
	static const char *const wanted[] = {
		[IS_YES] = "yes or no", [IS_NUMBER] = "a number", [IS_SIZE] = "a size such as 64kB", [IS_TIME] = "a time such as 500ms or 10s"
	};

	if (setting->most > 0)
		die("%s: %s must be %s from %" PRId64 " to %" PRId64 "%s, not \"%s\"", source, setting->name, wanted[setting->kind],
			setting->least, setting->most, setting->kind == IS_TIME ? " ms" : "", value);
	die("%s: %s must be %s, not \"%s\"", source, setting->name, wanted[setting->kind], value);
}

/* What a unit multiplies by, or 0. */
static int64_t
unit_of(Kind kind, const char *unit)
{
	static const struct
	{
		Kind		kind;
		const char *name;
		int64_t		factor;
	}			units[] = {
		{IS_SIZE, "", 1}, {IS_SIZE, "B", 1}, {IS_SIZE, "kB", 1024}, {IS_SIZE, "MB", 1024 * 1024},
		{IS_TIME, "", 1000}, {IS_TIME, "ms", 1}, {IS_TIME, "s", 1000}, {IS_TIME, "min", 60000},
		{IS_NUMBER, "", 1}
	};

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (units[i].kind == kind && strcmp(units[i].name, unit) == 0)
			return units[i].factor;
	return 0;
}

static int64_t
number_from(const Setting *setting, const char *value, const char *source)
{
	char	   *end;
	long long	number;
	int64_t		unit;

	errno = 0;
	number = strtoll(value, &end, 10);
	while (*end == ' ')
		end++;
	unit = unit_of(setting->kind, end);
	if (errno != 0 || !isdigit((unsigned char) *value) || unit == 0 || number > INT64_MAX / unit
		|| number * unit < setting->least || number * unit > setting->most)
		refuse(setting, value, source);
	return number * unit;
}

static bool
yes_from(const Setting *setting, const char *value, const char *source)
{
	static const char *const words[2][4] = {{"no", "off", "false", "0"}, {"yes", "on", "true", "1"}};

	for (int yes = 0; yes < 2; yes++)
		for (int i = 0; i < 4; i++)
			if (strcmp(value, words[yes][i]) == 0)
				return yes;
	refuse(setting, value, source);
}

static void
set(const Setting *setting, const char *value, const char *source)
{
	char	   *field = (char *) &options + setting->offset;

	switch (setting->kind)
	{
		case IS_TEXT:
			free(*(char **) field);
			*(char **) field = need_copy(value);
			break;
		case IS_YES:
			*(bool *) field = yes_from(setting, value, source);
			break;
		default:
			*(int64_t *) field = number_from(setting, value, source);
	}
}

/* The setting of a name that has so many characters; in a file _ is as good as -. */
static const Setting *
find(const char *name, size_t length)
{
	for (size_t i = 0; i < N_SETTINGS; i++)
	{
		const char *wanted = settings[i].name;
		size_t		j = 0;

		while (j < length && (name[j] == wanted[j] || (name[j] == '_' && wanted[j] == '-')))
			j++;
		if (j == length && wanted[j] == '\0')
			return &settings[i];
	}
	return NULL;
}

/* Sets what nothing before has set. */
static void
set_once(const Setting *setting, const char *value, const char *source)
{
	if (!given[setting - settings])
	{
		given[setting - settings] = true;
		set(setting, value, source);
	}
}

static _Noreturn void
help(void)
{
	puts("arima_restd answers requests for forecasts over HTTP from a database with arima_ops.\n\n"
		 "usage: arima_restd [--NAME VALUE | --NAME=VALUE]...\n");
	for (size_t i = 0; i < N_SETTINGS; i++)
		printf("  --%-24s %s%s%s%s\n", settings[i].name, settings[i].help, *settings[i].standard ? " (" : "",
			   settings[i].standard, *settings[i].standard ? ")" : "");
	puts("  --help, --version\n\n"
		 "Each can also be set by the environment, ARIMA_RESTD_MAX_BODY for --max-body, or in\n"
		 "the file, max-body = 64kB; the command line goes before the environment, that before the file.");
	exit(0);
}

static void
read_command_line(int n, char **arguments)
{
	for (int i = 1; i < n; i++)
	{
		const char *name = arguments[i];
		const char *equals = strchr(name, '=');
		const Setting *setting;

		if (strcmp(name, "--help") == 0)
			help();
		if (strcmp(name, "--version") == 0)
		{
			puts("arima_restd " ARIMA_OPS_VERSION);
			exit(0);
		}
		setting = strncmp(name, "--", 2) == 0 ? find(name + 2, equals ? (size_t) (equals - name - 2) : strlen(name + 2)) : NULL;
		if (setting == NULL)
			die("there is no option %s; see --help", name);
		if (equals != NULL)
			set(setting, equals + 1, "command line");
		else if (setting->kind == IS_YES && (i + 1 == n || strncmp(arguments[i + 1], "--", 2) == 0))
			set(setting, "yes", "command line");
		else if (++i < n)
			set(setting, arguments[i], "command line");
		else
			die("option %s wants a value", name);
		given[setting - settings] = true;
	}
}

static void
read_environment(void)
{
	for (size_t i = 0; i < N_SETTINGS; i++)
	{
		char		name[64];
		const char *value;

		snprintf(name, sizeof(name), "ARIMA_RESTD_%s", settings[i].name);
		for (char *s = name; *s != '\0'; s++)
			*s = *s == '-' ? '_' : (char) toupper((unsigned char) *s);
		value = getenv(name);
		if (value != NULL)
			set_once(&settings[i], value, name);
	}
}

/* Cuts blanks from both ends. */
static char *
trimmed(char *s)
{
	size_t		length;

	while (isspace((unsigned char) *s))
		s++;
	length = strlen(s);
	while (length > 0 && isspace((unsigned char) s[length - 1]))
		s[--length] = '\0';
	return s;
}

/* A file as libpq's service file: comments with # or ;, headings in brackets are passed over. */
static void
read_file(const char *path)
{
	FILE	   *file = fopen(path, "r");
	char		line[4096];

	if (file == NULL)
		die("%s: %s", path, strerror(errno));
	for (int number = 1; fgets(line, sizeof(line), file) != NULL; number++)
	{
		char	   *name = trimmed(line);
		char	   *equals = strchr(name, '=');
		char		source[4200];
		const Setting *setting;

		if (*name == '\0' || *name == '#' || *name == ';' || *name == '[')
			continue;
		snprintf(source, sizeof(source), "%s, line %d", path, number);
		if (equals == NULL)
			die("%s: no = in it", source);
		*equals = '\0';
		name = trimmed(name);
		setting = find(name, strlen(name));
		if (setting == NULL)
			die("%s: there is no setting \"%s\"", source, name);
		set_once(setting, trimmed(equals + 1), source);
	}
	fclose(file);
}

/* See restd.h. */
void
options_read(int n_arguments, char **arguments)
{
	for (size_t i = 0; i < N_SETTINGS; i++)
		set(&settings[i], settings[i].standard, "built in");
	read_command_line(n_arguments, arguments);
	read_environment();
	if (*options.config != '\0')
		read_file(options.config);
}
