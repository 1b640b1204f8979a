/*
 * settings.c
 *		The settings of outgoing HTTP.  A superuser alone may change them.
 */
#include "postgres.h"

#include <limits.h>

#include "utils/guc.h"

#include "internal.h"

char	   *ao_http_allowed_hosts = NULL;
char	   *ao_http_secrets_file = NULL;
char	   *ao_http_ca_file = NULL;
char	   *ao_http_proxy = NULL;
int			ao_http_connect_timeout = 10000;
int			ao_http_timeout = 30000;
int			ao_http_max_size = 16 * 1024;
int			ao_http_max_parallel = 8;
int			ao_http_retries = 3;
int			ao_http_retry_delay = 1000;
int			ao_http_max_retry_delay = 60000;

/* A setting's check: a list of host patterns. */
static bool
check_hosts(char **value, void **extra, GucSource source)
{
	char		wrong[AO_HTTP_HOST_SIZE];

	(void) extra;
	(void) source;
	if (*value == NULL || ao_http_valid_list(*value, wrong, sizeof(wrong)))
		return true;
	GUC_check_errdetail("\"%s\" is not a host.", wrong);
	GUC_check_errhint("Write \"host\", \"host:port\", \"host:*\" or \"*.domain\", with commas between; no scheme and no path.");
	return false;
}

/* Defines a text setting that only a superuser sees and changes. */
static void
define_string(const char *name, const char *short_text, const char *long_text, char **value,
			  GucStringCheckHook check)
{
	DefineCustomStringVariable(name, short_text, long_text, value, "", PGC_SUSET,
							   GUC_SUPERUSER_ONLY, check, NULL, NULL);
}

/* Defines a number that only a superuser changes. */
static void
define_int(const char *name, const char *short_text, const char *long_text, int *value,
		   int least, int most, int flags)
{
	DefineCustomIntVariable(name, short_text, long_text, value, *value, least, most, PGC_SUSET,
							flags, NULL, NULL, NULL);
}

/* See http.h. */
void
ao_http_define_settings(void)
{
	define_string("arima_ops.http_allowed_hosts",
				  "Lists the hosts that the server may send requests to.",
				  "\"host\" (ports 80 and 443), \"host:port\", \"host:*\" or \"*.domain\", with commas between. Empty: none.",
				  &ao_http_allowed_hosts, check_hosts);
	define_string("arima_ops.http_secrets_file",
				  "Names the file that holds keys and tokens for outgoing requests.",
				  "A line for each: name, host, value. Only the server's user may be able to read it.",
				  &ao_http_secrets_file, NULL);
	define_string("arima_ops.http_ca_file",
				  "Names a file of certificates that vouch for servers, in place of the system's.",
				  NULL, &ao_http_ca_file, NULL);
	define_string("arima_ops.http_proxy",
				  "Gives the URL of a proxy for outgoing requests.",
				  "Those of the server's environment are not used. Empty: none.",
				  &ao_http_proxy, NULL);
	define_int("arima_ops.http_connect_timeout", "Sets the longest time to resolve a name and to connect.",
			   NULL, &ao_http_connect_timeout, 1, INT_MAX, GUC_UNIT_MS);
	define_int("arima_ops.http_timeout", "Sets the longest time of one attempt of a request.",
			   NULL, &ao_http_timeout, 1, INT_MAX, GUC_UNIT_MS);
	define_int("arima_ops.http_max_size", "Sets the largest answer, as it comes and after decompression.",
			   NULL, &ao_http_max_size, 1, 256 * 1024, GUC_UNIT_KB);
	define_int("arima_ops.http_max_parallel", "Sets how many requests are under way at a time.",
			   NULL, &ao_http_max_parallel, 1, 64, 0);
	define_int("arima_ops.http_retries", "Sets how often a request is repeated.",
			   "After status 408, 429 and 5xx, and when there is no answer.",
			   &ao_http_retries, 0, 20, 0);
	define_int("arima_ops.http_retry_delay", "Sets the pause before the first repetition; each further one is twice as long.",
			   NULL, &ao_http_retry_delay, 0, 3600000, GUC_UNIT_MS);
	define_int("arima_ops.http_max_retry_delay", "Sets the longest pause between repetitions.",
			   "A server that asks for a longer one by Retry-After is not asked again.",
			   &ao_http_max_retry_delay, 0, 3600000, GUC_UNIT_MS);
}
